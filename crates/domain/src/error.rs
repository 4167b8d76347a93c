//! What can go wrong in an operation, without a word of HTTP.
//!
//! What belongs where: a rule that the caller broke is [`Error::Refused`] with a code that a client
//! can act on; fields out of range are [`Error::Invalid`], all of them at once; what is not there,
//! or belongs to another restaurant, is [`Error::NotFound`]; what a restaurant asks for too much of
//! at once is [`Error::Crowded`]; a part that is away for the moment is [`Error::Unavailable`];
//! everything else is a fault of ours, [`Error::Database`] or
//! [`Error::Internal`], whose text is for the log and never for a client.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use wire::{Detail, Details, ErrorCode, FieldError, ItemError};

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule forbids it. `message` is a sentence for people.
    #[error("{message}")]
    Refused {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
        /// What the room tells beside it.
        details: Option<Box<Details>>,
    },
    /// Fields are missing or out of range.
    #[error("{} field(s) are missing or out of range", .0.len())]
    Invalid(Vec<FieldError>),
    /// There is no such thing in this restaurant.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// `If-Match` named another version; the resource as it is.
    #[error("It has changed since you read it.")]
    Stale(Box<serde_json::Value>),
    /// Some of several changes cannot be made; none was made.
    #[error("{} of {of} changes cannot be made, so none was.", .failed.len() + .more)]
    Items {
        /// Those that cannot, or the first of them.
        failed: Vec<ItemError>,
        /// How many more cannot.
        more: usize,
        /// How many there were.
        of: usize,
    },
    /// A part that is needed is away for the moment; nothing was done.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The restaurant has more of them under way than it may have at once; nothing was done, and
    /// trying again in a moment will do. Others are not concerned.
    #[error("the restaurant has too many {0} under way")]
    Crowded(Crowd),
    /// Another transaction changed what this one had looked at before it could lock it; nothing was
    /// done, and trying again will do.
    #[error("changed while it was being locked")]
    Contended,
    /// The reply to COMMIT was lost, and whether it was done could not be learned either.
    #[error("the reply to COMMIT was lost and its outcome could not be learned")]
    OutcomeUnknown,
    /// A fault: the database refused what should have been allowed.
    #[error("database: {0}")]
    Database(DieselError),
    /// A fault: something that cannot be.
    #[error("internal: {0}")]
    Internal(String),
}

/// What a restaurant has too many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// Write transactions.
    Changes,
    /// Reads.
    Reads,
}

impl std::fmt::Display for Crowd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Changes => "changes",
            Self::Reads => "requests",
        })
    }
}

impl Error {
    /// A rule that forbids, with its sentence.
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused {
            code,
            message: message.into(),
            details: None,
        }
    }

    /// The same with what a room tells beside it.
    pub fn detailed(code: ErrorCode, message: impl Into<String>, detail: &impl Detail) -> Self {
        match Details::of(detail) {
            Ok(details) => Self::Refused {
                code,
                message: message.into(),
                details: Some(Box::new(details)),
            },
            Err(error) => error.into(),
        }
    }

    /// One field that is at fault.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    /// Whether it is an answer to the client, not a fault and not something that will pass: a part
    /// of a transaction that ends so can be undone, and the rest goes on.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. } | Self::Invalid(_) | Self::NotFound(_) | Self::Stale(_)
        )
    }

    /// Whether the transaction may be tried again from its start: PostgreSQL chose it as a victim
    /// and nothing of it remains.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Contended => true,
            Self::Database(DieselError::DatabaseError(kind, info)) => match kind {
                DatabaseErrorKind::SerializationFailure => true,
                // The driver has no kind of its own for 40P01, so the message has to tell.
                DatabaseErrorKind::Unknown => info.message() == "deadlock detected",
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        if is_connection_loss(&error) || is_timeout(&error) {
            return Self::Unavailable(error.to_string());
        }
        Self::Database(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(format!("json: {error}"))
    }
}

/// Whether the connection, not the statement, is at fault.
pub(crate) fn is_connection_loss(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
            _,
        ) => true,
        // 57P01–57P03 and 25006 reach us as messages only.
        DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => true,
        DieselError::DatabaseError(_, info) => {
            let message = info.message();
            message.starts_with("terminating connection")
                || message.starts_with("the database system is")
        }
        DieselError::BrokenTransactionManager => true,
        _ => false,
    }
}

/// Whether PostgreSQL gave up a statement because a time limit of ours ran out.
fn is_timeout(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, info) => {
            let message = info.message();
            message.starts_with("canceling statement due to")
        }
        _ => false,
    }
}

/// The name of the constraint that a statement broke, for the few operations that expect one.
#[must_use]
pub fn broken_constraint(error: &DieselError) -> Option<&str> {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ExclusionViolation
            | DatabaseErrorKind::ForeignKeyViolation,
            info,
        ) => info.constraint_name(),
        _ => None,
    }
}
