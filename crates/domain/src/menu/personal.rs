//! What a menu keeps in words, which is what a house serves and nothing of people.

use crate::privacy::{Holds, Place};

/// The tables of this room that have columns of text or JSON.
pub(crate) const PLACES: &[Place] = &[
    Place {
        table: "menu_categories",
        columns: &[
            ("name", Holds::Nothing),
            ("description", Holds::Nothing),
            ("windows", Holds::Nothing),
        ],
    },
    Place {
        table: "dishes",
        columns: &[
            ("dish_name", Holds::Nothing),
            ("description", Holds::Nothing),
            ("image_url", Holds::Nothing),
            ("availability", Holds::Nothing),
            ("currency", Holds::Nothing),
            ("modifier_groups", Holds::Nothing),
            ("station", Holds::Nothing),
            ("dietary", Holds::Nothing),
            ("allergens", Holds::Nothing),
        ],
    },
];
