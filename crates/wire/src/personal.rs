//! What the fields of things tell of people: by it a person is found in all that is kept, and taken
//! out of it.
//!
//! Each thing says it of its own fields, in its row of `entities.rs`. A field that is named like a
//! person's has to be there, also when it tells nothing: a test compares them with what events carry.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::entities::AuditEntity;

/// What a field tells of a person who is a guest of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// What the person is called; somebody who was erased is called something all the same.
    Name,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// Anything, as a text or a part of its own.
    Text,
    /// Anything, as a list.
    List,
    /// The id of something else that is the same person's.
    Link,
    /// Nothing, whatever it is named: it is of the house, or of its staff.
    Nothing,
}

impl AuditEntity {
    /// Whether it may be about a guest of the house.
    #[must_use]
    pub fn is_personal(self) -> bool {
        let mut fields = self.personal().iter();
        fields.any(|(_, tells)| *tells != Tells::Nothing)
    }
}

/// The fields that tell something of a person, of whatever thing. A name tells the same of all.
#[must_use]
pub fn fields() -> &'static BTreeMap<&'static str, Tells> {
    static FIELDS: LazyLock<BTreeMap<&'static str, Tells>> = LazyLock::new(|| {
        let all = AuditEntity::ALL.iter().flat_map(|entity| entity.personal());
        all.copied()
            .filter(|(_, tells)| *tells != Tells::Nothing)
            .collect()
    });
    &FIELDS
}

/// Those of them that tell this.
pub fn fields_that_tell(what: Tells) -> impl Iterator<Item = &'static str> {
    let fields = fields().iter();
    fields
        .filter(move |(_, tells)| **tells == what)
        .map(|(name, _)| *name)
}
