//! What a room says of a kind of thing that may be changed together with others.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;
use wire::FieldError;
use wire::together::atomic::{Entity, Op};

use super::changes::{Changed, Edit};
use super::locks::Touched;
use crate::Result;
use crate::clock::new_id;
use crate::db::Tx;

/// The fields of a thing.
pub(crate) type Fields = Map<String, Value>;

/// A kind of thing that may be changed together with others; it is this type, as clients see it.
///
/// Before the first change is made, all that the changes touch is locked.
pub(crate) trait Changeable: Serialize + Sized {
    /// Its word.
    const ENTITY: Entity;
    /// How states of it are compared and spoken of.
    const PROFILE: Profile;
    /// Its ids.
    type Id: Copy + Debug + From<Uuid> + Into<Uuid>;
    /// What it is made of.
    type Create: Debug + DeserializeOwned;
    /// Which of its fields may be changed.
    type Update: Debug + DeserializeOwned + Serialize;

    /// Its id.
    fn id(&self) -> Uuid;

    /// Notes what a change touches.
    fn touch(edit: &EditOf<Self>, touched: &mut Touched);

    /// Makes one.
    async fn create(tx: &mut Tx<'_>, id: Self::Id, input: &Self::Create) -> Result<Self>;

    /// Changes one.
    async fn update(
        tx: &mut Tx<'_>,
        id: Self::Id,
        patch: &Self::Update,
        version: Option<i32>,
    ) -> Result<Self>;

    /// Removes one; what is left of it.
    async fn delete(tx: &mut Tx<'_>, id: Self::Id, version: Option<i32>) -> Result<Option<Self>>;

    /// Those that are there among some ids, by one statement.
    async fn among(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Self>>;

    /// Whether some that are made one after the other may be made in one go.
    fn comes_along(_input: &Self::Create) -> bool {
        false
    }

    /// Makes those that may be made in one go, as if each came by itself.
    async fn create_all(
        tx: &mut Tx<'_>,
        some: &[(Self::Id, &Self::Create)],
    ) -> Result<Vec<Result<Self>>> {
        let mut made = Vec::with_capacity(some.len());
        for (id, input) in some {
            made.push(
                tx.attempt(async |tx| Self::create(tx, *id, input).await)
                    .await?,
            );
        }
        Ok(made)
    }

    /// Whether a change is refused before it writes, if at all: then there is nothing for the
    /// database to undo, which saves two round trips.
    fn is_refused_first(_tx: &Tx<'_>, _edit: &EditOf<Self>) -> bool {
        false
    }

    /// Many changes are about to be made.
    fn begin(_tx: &mut Tx<'_>) {}

    /// They were made.
    async fn finish(_tx: &mut Tx<'_>) -> Result<()> {
        Ok(())
    }
}

/// A change of a kind of thing.
pub(crate) type EditOf<T> =
    Edit<<T as Changeable>::Id, <T as Changeable>::Create, <T as Changeable>::Update>;

/// How states of a kind of thing are compared, and how a host is told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// One that has no name, at the beginning of a sentence.
    pub(crate) this: &'static str,
    /// The same within one.
    pub(crate) the: &'static str,
    /// The name that staff use, if its state has one.
    pub(crate) named: fn(&Fields) -> Option<String>,
    /// What staff call fields whose names are not what they say.
    pub(crate) words: &'static [(&'static str, &'static str)],
    /// Fields that follow from others, or count; nobody's change is lost in them.
    pub(crate) derived: &'static [&'static str],
    /// Fields that must not be changed by an old wish when another has changed.
    pub(crate) clashes: &'static [(&'static str, &'static str)],
    /// Brings the fields that a change asks for into those that the thing itself has.
    pub(crate) spell: fn(&mut Fields),
}

/// Where the fields of a change are read from.
pub trait Read {
    /// Reads them.
    ///
    /// # Errors
    /// What is missing or wrong.
    fn read<T: DeserializeOwned>(&self) -> std::result::Result<T, Vec<FieldError>>;
}

/// Reads a change.
pub(crate) fn read<T: Changeable>(
    op: Op,
    id: Option<Uuid>,
    fields: &impl Read,
) -> std::result::Result<EditOf<T>, Vec<FieldError>> {
    let id = id.map(T::Id::from);
    let required = |id: Option<T::Id>| {
        id.ok_or_else(|| {
            vec![FieldError {
                field: "id".to_owned(),
                message: "is required".to_owned(),
            }]
        })
    };
    Ok(match op {
        Op::Create => Edit::Create(id, fields.read::<T::Create>()?.into()),
        Op::Update => Edit::Update(required(id)?, fields.read::<T::Update>()?.into()),
        Op::Delete => Edit::Delete(required(id)?),
    })
}

/// Makes a change.
pub(crate) async fn apply<T: Changeable>(
    tx: &mut Tx<'_>,
    edit: &EditOf<T>,
    version: Option<i32>,
) -> Result<Changed> {
    let (id, state) = match edit {
        Edit::Create(id, input) => {
            let id = id.unwrap_or_else(new_id);
            (id, Some(T::create(tx, id, input).await?))
        }
        Edit::Update(id, patch) => (*id, Some(T::update(tx, *id, patch, version).await?)),
        Edit::Delete(id) => (*id, T::delete(tx, *id, version).await?),
    };
    changed(edit.op(), id.into(), state.as_ref())
}

fn changed<T: Changeable>(op: Op, id: Uuid, state: Option<&T>) -> Result<Changed> {
    Ok(Changed {
        op,
        entity: T::ENTITY,
        id,
        state: state.map(serde_json::to_value).transpose()?,
    })
}

/// Makes those of some that may be made in one go.
pub(crate) async fn make_all<T: Changeable>(
    tx: &mut Tx<'_>,
    edits: Vec<&EditOf<T>>,
) -> Result<Vec<Result<Changed>>> {
    let some: Vec<(T::Id, &T::Create)> = edits
        .into_iter()
        .filter_map(|edit| match edit {
            Edit::Create(id, input) => Some((id.unwrap_or_else(new_id), &**input)),
            Edit::Update(..) | Edit::Delete(_) => None,
        })
        .collect();
    if some.is_empty() {
        return Ok(Vec::new());
    }
    let made = T::create_all(tx, &some).await?.into_iter();
    Ok(made
        .map(|made| made.and_then(|thing| changed(Op::Create, thing.id(), Some(&thing))))
        .collect())
}

/// Those that are there among some ids, as JSON.
pub(crate) async fn states<T: Changeable>(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Value)>> {
    let found = T::among(tx, ids).await?;
    let states = found
        .iter()
        .map(|thing| Ok((thing.id(), serde_json::to_value(thing)?)));
    states.collect()
}

/// The fields that a change asks for, by their names.
pub(crate) fn asked<T: Changeable>(edit: &EditOf<T>) -> Result<Value> {
    Ok(match edit {
        Edit::Update(_, patch) => serde_json::to_value(patch)?,
        Edit::Create(..) | Edit::Delete(_) => Value::Null,
    })
}

/// Declares the kinds of things that may be changed together: a change is of one of them.
macro_rules! changeable {
    (
        $($(#[$meta:meta])* $kind:ident($id:ty, $create:ty, $update:ty) => $thing:ty),+ $(,)?
    ) => {
        /// A change of some kind of thing.
        #[derive(Clone, Debug)]
        pub enum Change {
            $(
                $(#[$meta])*
                $kind(Edit<$id, $create, $update>),
            )+
        }

        impl Change {
            /// Reads one.
            ///
            /// # Errors
            /// What is missing or wrong.
            pub fn read(
                entity: Entity,
                op: Op,
                id: Option<Uuid>,
                fields: &impl kinds::Read,
            ) -> std::result::Result<Self, Vec<FieldError>> {
                Ok(match entity {
                    $(Entity::$kind => Self::$kind(kinds::read::<$thing>(op, id, fields)?),)+
                })
            }

            /// The kind of thing.
            #[must_use]
            pub const fn entity(&self) -> Entity {
                match self {
                    $(Self::$kind(_) => <$thing as Changeable>::ENTITY,)+
                }
            }

            /// What is done to it.
            #[must_use]
            pub fn op(&self) -> Op {
                match self {
                    $(Self::$kind(edit) => edit.op(),)+
                }
            }

            /// Which thing; `None` for a new one without an id of the client's.
            #[must_use]
            pub fn id(&self) -> Option<Uuid> {
                match self {
                    $(Self::$kind(edit) => edit.id(),)+
                }
            }

            /// The fields that a change of a thing asks for, by their names.
            pub(crate) fn asked(&self) -> Result<Value> {
                match self {
                    $(Self::$kind(edit) => kinds::asked::<$thing>(edit),)+
                }
            }

            /// Notes what it touches.
            pub(crate) fn touch(&self, touched: &mut Touched) {
                match self {
                    $(Self::$kind(edit) => <$thing as Changeable>::touch(edit, touched),)+
                }
            }

            /// Makes it.
            pub(crate) async fn apply(
                &self,
                tx: &mut Tx<'_>,
                version: Option<i32>,
            ) -> Result<Changed> {
                match self {
                    $(Self::$kind(edit) => kinds::apply::<$thing>(tx, edit, version).await,)+
                }
            }

            /// Whether it is refused before it writes, if at all.
            pub(crate) fn is_refused_first(&self, tx: &Tx<'_>) -> bool {
                match self {
                    $(Self::$kind(edit) => <$thing as Changeable>::is_refused_first(tx, edit),)+
                }
            }

            /// Whether it makes a thing that may be made in one go with others of its kind.
            pub(crate) fn comes_along(&self) -> bool {
                match self {
                    $(
                        Self::$kind(Edit::Create(_, input)) => {
                            <$thing as Changeable>::comes_along(input)
                        }
                    )+
                    _ => false,
                }
            }

            /// Makes things of one kind in one go.
            pub(crate) async fn make_all(
                tx: &mut Tx<'_>,
                changes: &[&Self],
            ) -> Result<Vec<Result<Changed>>> {
                let mut made = Vec::with_capacity(changes.len());
                $({
                    let edits = changes.iter().filter_map(|change| match change {
                        Self::$kind(edit) => Some(edit),
                        _ => None,
                    });
                    made.extend(kinds::make_all::<$thing>(tx, edits.collect()).await?);
                })+
                Ok(made)
            }
        }

        /// How things of a kind are compared and spoken of.
        pub(crate) const fn profile(of: Entity) -> &'static Profile {
            match of {
                $(Entity::$kind => &<$thing as Changeable>::PROFILE,)+
            }
        }

        /// The things of a kind that are there among some ids.
        pub(crate) async fn states(
            tx: &mut Tx<'_>,
            of: Entity,
            ids: &[Uuid],
        ) -> Result<Vec<(Uuid, Value)>> {
            match of {
                $(Entity::$kind => kinds::states::<$thing>(tx, ids).await,)+
            }
        }

        /// Many changes are about to be made.
        pub(crate) fn begin(tx: &mut Tx<'_>) {
            $(<$thing as Changeable>::begin(tx);)+
        }

        /// They were made.
        pub(crate) async fn finish(tx: &mut Tx<'_>) -> Result<()> {
            $(<$thing as Changeable>::finish(tx).await?;)+
            Ok(())
        }
    };
}

pub(crate) use changeable;
