//! The things that a log tells of: one row for each kind of thing.
//!
//! From a row follow the types of its events and what they carry, the field of a frame that names
//! the thing, the actions that may have been taken, how two events of one transaction become one,
//! what the public hears, the word in the audit, and the description in `/asyncapi.json`; and how
//! a person is found in what is kept, and taken out of it.

use utoipa::ToSchema;

use crate::floor::guests::{Guest, OwnGuest};
use crate::floor::reservations::{OwnReservation, Reservation};
use crate::floor::tables::Table;
use crate::live::events::{Action, Gone};
use crate::menu::categories::Category;
use crate::menu::dishes::{Dish, GoneDish};
use crate::people::users::User;
use crate::personal::Tells;
use crate::privacy::Erasure;
use crate::venue::restaurants::Restaurant;
use crate::words::words;

/// What an event means for the life of its thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is new.
    Begins,
    /// It is another now.
    Changes,
    /// It is gone.
    Ends,
}

/// How a frame names the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdField {
    /// A UUID, in the field of this name.
    Uuid(&'static str),
    /// A number, in the field of this name.
    Number(&'static str),
    /// `restaurant_id`, which every frame has, says it all.
    Restaurant,
}

impl IdField {
    /// The field's name, where there is one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Uuid(name) | Self::Number(name) => Some(name),
            Self::Restaurant => None,
        }
    }
}

macro_rules! topics {
    ($(#[$meta:meta])* $name:ident { $($(#[$topic_meta:meta])* $topic:ident = $number:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$topic_meta])* $topic = $number,)+
        }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$topic),+];

            /// How many there are: the number of the last.
            pub const COUNT: u8 = 0 $(+ one($number))+;
        }
    };
}

/// One, for each number of a topic.
const fn one(_number: u8) -> u8 {
    1
}

topics! {
    /// The room of the house to which a thing belongs. Who keeps something in memory that is made of
    /// a room's things forgets it when the log tells of that room, and the head of a log knows of
    /// each room where it was last told of: at this number, counted from 1, which is never given to
    /// another.
    Topic {
        /// Restaurants and their settings.
        Venue = 1,
        /// Accounts, and the rights of people.
        People = 2,
        /// Parties, tables and bookings.
        Floor = 3,
        /// Dishes and the parts of a menu.
        Menu = 4,
    }
}

/// Shows somebody the types that events carry.
pub trait Payloads {
    /// What is made of a type.
    type Shown;

    /// An event carries this.
    fn one<T: ToSchema>(&mut self) -> Self::Shown;

    /// An event carries one or the other.
    fn either<T: ToSchema, U: ToSchema>(&mut self) -> Self::Shown;
}

macro_rules! entities {
    (
        $(
            $(#[$meta:meta])*
            $entity:ident = $word:literal in $topic:ident, $id:expr, public $public:expr,
                $(own $own:ty,)? personal [$($field:literal $tells:ident),* $(,)?] => {
                $(
                    $(#[$kind_meta:meta])*
                    $kind:ident = $type:literal $step:ident [$($action:ident),+]
                        carries $data:ty $(| $or:ty)?
                ),* $(,)?
            }
        )+
        ;
        $(#[$end_meta:meta])*
        $end:ident = $end_type:literal
    ) => {
        words! {
            /// What happened to what: the `type` of a frame.
            EventKind {
                $($($(#[$kind_meta])* $kind = $type,)*)+
                $(#[$end_meta])*
                $end = $end_type,
            }
        }

        words! {
            /// What kind of thing was changed.
            AuditEntity {
                $($(#[$meta])* $entity = $word,)+
            }
        }

        impl AuditEntity {
            /// The room to which it belongs.
            #[must_use]
            pub const fn topic(self) -> Topic {
                match self {
                    $(Self::$entity => Topic::$topic,)+
                }
            }

            /// How frames name it.
            #[must_use]
            pub const fn id_field(self) -> IdField {
                match self {
                    $(Self::$entity => $id,)+
                }
            }

            /// The `type` under which the public hears of it, where that is another.
            #[must_use]
            pub const fn public_type(self) -> Option<&'static str> {
                match self {
                    $(Self::$entity => $public,)+
                }
            }

            /// Shows what those hear of it who follow it by itself, if anybody can.
            pub fn show_own<P: Payloads>(self, to: &mut P) -> Option<P::Shown> {
                match self {
                    $(Self::$entity => entities!(@own to $(, $own)?),)+
                }
            }

            /// What its fields tell of a person: all that are named like a person's.
            #[must_use]
            pub const fn personal(self) -> &'static [(&'static str, Tells)] {
                match self {
                    $(Self::$entity => &[$(($field, Tells::$tells)),*],)+
                }
            }
        }

        impl EventKind {
            /// What it is about. `None` for the end of a client's transaction, which is about
            /// several things.
            #[must_use]
            pub const fn entity(self) -> Option<AuditEntity> {
                match self {
                    $($(Self::$kind => Some(AuditEntity::$entity),)*)+
                    Self::$end => None,
                }
            }

            /// What it means for the life of the thing.
            #[must_use]
            pub const fn step(self) -> Step {
                match self {
                    $($(Self::$kind => Step::$step,)*)+
                    Self::$end => Step::Changes,
                }
            }

            /// What may have changed about the thing; none for the end of a client's transaction.
            #[must_use]
            pub const fn actions(self) -> &'static [Action] {
                match self {
                    $($(Self::$kind => &[$(Action::$action),+],)*)+
                    Self::$end => &[],
                }
            }

            /// Shows what it carries; `None` for the end of a client's transaction, which lists
            /// what the transaction touched.
            pub fn show_payload<P: Payloads>(self, to: &mut P) -> Option<P::Shown> {
                match self {
                    $($(Self::$kind => Some(entities!(@show to, $data $(, $or)?)),)*)+
                    Self::$end => None,
                }
            }
        }
    };
    (@own $to:ident) => { { _ = $to; None } };
    (@own $to:ident, $own:ty) => { Some($to.one::<$own>()) };
    (@show $to:ident, $data:ty) => { $to.one::<$data>() };
    (@show $to:ident, $data:ty, $or:ty) => { $to.either::<$data, $or>() };
}

entities! {
    /// A party.
    Guest = "guest" in Floor, IdField::Uuid("guest_id"), public None,
    own OwnGuest, personal [
        "guestName" Name, "firstName" Text, "lastName" Text, "phone" Phone, "email" Email,
        "notes" Text, "specialRequests" Text, "dietaryRestrictions" List, "tags" List,
        "reservationId" Link,
    ] => {
        /// A party came.
        GuestCreated = "guest_created" Begins [Created] carries Guest,
        /// A party changed.
        GuestUpdated = "guest_updated" Changes
            [StatusChanged, TableAssigned, TableCleared, InfoUpdated] carries Guest,
        /// A party was removed.
        GuestDeleted = "guest_deleted" Ends [Deleted] carries Gone,
    }
    /// A table.
    Table = "table" in Floor, IdField::Uuid("table_id"), public None,
    personal [] => {
        /// A table was added.
        TableCreated = "table_created" Begins [Created] carries Table,
        /// A table changed.
        TableUpdated = "table_updated" Changes
            [StatusChanged, GuestAssigned, GuestCleared, Moved, InfoUpdated] carries Table,
        /// A table was removed.
        TableDeleted = "table_deleted" Ends [Deleted] carries Gone,
    }
    /// A booking. One that was called off stays as history; a transaction that changes it and calls
    /// it off tells of the change.
    Reservation = "reservation" in Floor, IdField::Uuid("reservation_id"), public None,
    own OwnReservation, personal [
        "guestName" Name, "guestPhone" Phone, "guestEmail" Email, "notes" Text,
        "specialRequests" Text, "guestId" Link,
    ] => {
        /// A booking was made.
        ReservationCreated = "reservation_created" Begins [Created] carries Reservation,
        /// A booking changed.
        ReservationUpdated = "reservation_updated" Changes
            [StatusChanged, TableAssigned, TableCleared, InfoUpdated, Cancelled]
            carries Reservation,
        /// A booking was called off.
        ReservationCancelled = "reservation_cancelled" Changes
            [StatusChanged, TableAssigned, TableCleared, InfoUpdated, Cancelled]
            carries Reservation,
    }
    /// The restaurant and its settings.
    Restaurant = "restaurant" in Venue, IdField::Restaurant, public None,
    personal ["name" Nothing] => {
        /// The restaurant or its settings changed.
        RestaurantUpdated = "restaurant_updated" Changes [InfoUpdated] carries Restaurant,
    }
    /// A member.
    User = "user" in People, IdField::Uuid("user_id"), public None,
    personal ["email" Nothing, "firstName" Nothing, "lastName" Nothing] => {
        /// A member joined, changed or left.
        UserUpdated = "user_updated" Changes [Created, PasswordReset, InfoUpdated, Deleted]
            carries User | Gone,
    }
    /// An invitation. Only the audit tells of it, and nothing tells its link.
    Invitation = "invitation" in People, IdField::Uuid("invitation_id"), public None,
    personal ["email" Email, "firstName" Text, "lastName" Text] => {}
    /// A dish; the id is its number, laid into a UUID. The public hears only that it was published
    /// or withdrawn, under the name that clients of menus know.
    Dish = "dish" in Menu, IdField::Number("dish_id"), public Some("dishStatusChanged"),
    personal ["dishName" Nothing, "name" Nothing, "dietary" Nothing, "allergens" Nothing] => {
        /// A dish was added to the menu.
        DishCreated = "dish_created" Begins [Created] carries Dish,
        /// A dish changed.
        DishUpdated = "dish_updated" Changes [StatusChanged, Moved, InfoUpdated] carries Dish,
        /// A dish was removed.
        DishDeleted = "dish_deleted" Ends [Deleted] carries GoneDish,
    }
    /// A part of the menu.
    Category = "category" in Menu, IdField::Uuid("category_id"), public None,
    personal ["name" Nothing] => {
        /// A part of the menu was added.
        CategoryCreated = "category_created" Begins [Created] carries Category,
        /// A part of the menu changed.
        CategoryUpdated = "category_updated" Changes [StatusChanged, Moved, InfoUpdated]
            carries Category,
        /// A part of the menu was removed.
        CategoryDeleted = "category_deleted" Ends [Deleted] carries Gone,
    }
    /// A person whose data were exported or erased; the id is that of the request.
    Person = "person" in People, IdField::Uuid("erasure_id"), public None,
    personal [] => {
        /// A person's data were erased; earlier events no longer have them.
        PersonErased = "person_erased" Changes [Erased] carries Erasure,
    }
    ;
    /// All events of a client's transaction have been sent.
    AtomicTransactionComplete = "atomic_transaction_complete"
}

impl EventKind {
    /// The room to which it belongs; `None` for the end of a client's transaction.
    #[must_use]
    pub fn topic(self) -> Option<Topic> {
        self.entity().map(AuditEntity::topic)
    }

    /// The field of the frame that names the thing; `None` where the restaurant itself is meant.
    #[must_use]
    pub fn id_field(self) -> Option<&'static str> {
        self.entity()?.id_field().name()
    }

    /// The `type` of the public frame: for most events that of the staff's.
    #[must_use]
    pub fn public_type(self) -> &'static str {
        let other = self.entity().and_then(AuditEntity::public_type);
        other.unwrap_or(self.as_str())
    }

    /// The kind of the one event that tells of two about the same thing in one transaction; `None`
    /// when together they are nothing: what was made and removed was never there.
    #[must_use]
    pub fn merged_with(self, later: Self) -> Option<Self> {
        match (self.step(), later.step()) {
            (Step::Begins, Step::Ends) => None,
            (Step::Begins, _) => Some(self),
            _ => Some(later),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_has_one_kind_of_event_per_transaction() {
        use EventKind as K;
        for (first, second, merged) in [
            (K::GuestCreated, K::GuestUpdated, Some(K::GuestCreated)),
            (K::GuestCreated, K::GuestDeleted, None),
            (K::GuestUpdated, K::GuestDeleted, Some(K::GuestDeleted)),
            (K::TableUpdated, K::TableUpdated, Some(K::TableUpdated)),
        ] {
            assert_eq!(first.merged_with(second), merged, "{first}, {second}");
        }
    }

    #[test]
    fn topics_have_their_numbers() {
        for (number, topic) in (1..).zip(Topic::ALL) {
            assert_eq!(*topic as u8, number, "{topic:?}");
        }
        // What databases hold: a line more for a new room, and no other change.
        assert_eq!(Topic::Venue as u8, 1);
        assert_eq!(Topic::People as u8, 2);
        assert_eq!(Topic::Floor as u8, 3);
        assert_eq!(Topic::Menu as u8, 4);
    }

    #[test]
    fn types_of_frames_begin_with_their_things() {
        for kind in EventKind::ALL {
            let Some(entity) = kind.entity() else {
                continue;
            };
            assert!(kind.as_str().starts_with(entity.as_str()), "{kind}");
        }
    }
}
