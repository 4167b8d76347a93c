//! Menus and those who read them.

use wire::RestaurantId;

use super::vars::Vars;

/// Everything about menus and those who read them.
#[derive(Clone, Copy, Debug)]
pub struct MenuConfig {
    /// Whose menu is meant where nobody says so.
    pub default_restaurant: Option<RestaurantId>,
}

const RESTAURANT: &str = "382926a9-84f3-45e1-9cb3-26db4ef09a53";

pub(super) fn read(vars: &Vars<'_>) -> MenuConfig {
    let restaurant = |text: &str| {
        text.parse()
            .map_err(|_| "is to be the id of a restaurant".to_owned())
    };
    MenuConfig {
        default_restaurant: vars.parsed("DEFAULT_RESTAURANT_ID", RESTAURANT, restaurant),
    }
}
