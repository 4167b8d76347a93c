//! Several parties, tables and bookings changed by one request, all or none.
//!
//! The kinds of things that may stand in a batch are listed in `rooms.rs`.

pub use crate::rooms::{BatchDone, BatchUpdate};
use crate::words::words;

words! {
    /// What happens when one of the changes cannot be made.
    BatchMode {
        /// None is made.
        AllOrNothing = "all_or_nothing" | "allOrNothing",
    }
}

/// Declares the kinds of things that may be changed together, and what a batch of changes and its
/// answer list of each.
macro_rules! changed_together {
    (
        $(#[$($update_meta:tt)*])*
        update;
        $(
            $(#[$($meta:tt)*])*
            $entity:ident = $word:literal:
            $(#[$($changes_meta:tt)*])*
            $list:ident: $change:ident,
            $(#[$($done_meta:tt)*])*
            done: $thing:ident;
        )+
    ) => {
        words! {
            /// What kind of thing is changed.
            Entity {
                $($(#[$($meta)*])* $entity = $word,)+
            }
        }

        impl Entity {
            /// The field of a batch that lists things of this kind.
            #[must_use]
            pub const fn list(self) -> &'static str {
                match self {
                    $(Self::$entity => stringify!($list),)+
                }
            }
        }

        #[derive(
            Clone, Debug, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        $(#[$($update_meta)*])*
        #[serde(rename_all = "camelCase", default)]
        pub struct BatchUpdate {
            $(
                $(#[$($changes_meta)*])*
                #[serde(deserialize_with = "crate::lists::required::<500, _, _>")]
                #[schema(value_type = Vec<$change>, max_items = 500)]
                pub $list: Vec<Box<serde_json::value::RawValue>>,
            )+
            /// `all_or_nothing`, the only one.
            pub mode: Option<$crate::together::batch::BatchMode>,
        }

        impl BatchUpdate {
            /// What it lists, in the order in which it is done.
            pub fn lists(
                &self,
            ) -> impl Iterator<Item = (Entity, &[Box<serde_json::value::RawValue>])> {
                [$((Entity::$entity, self.$list.as_slice()),)+].into_iter()
            }
        }

        /// What a batch did.
        #[derive(
            Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct BatchDone {
            /// The id that the events of the batch carry.
            pub transaction_id: $crate::TransactionId,
            $(
                $(#[$($done_meta)*])*
                #[schema(value_type = Vec<$thing>)]
                pub $list: Vec<serde_json::Value>,
            )+
        }

        impl BatchDone {
            /// Of a batch that did nothing yet.
            #[must_use]
            pub const fn new(transaction_id: $crate::TransactionId) -> Self {
                Self { transaction_id, $($list: Vec::new(),)+ }
            }

            /// What it did to things of this kind.
            pub const fn list(&mut self, of: Entity) -> &mut Vec<serde_json::Value> {
                match of {
                    $(Entity::$entity => &mut self.$list,)+
                }
            }
        }
    };
}

pub(crate) use changed_together;
