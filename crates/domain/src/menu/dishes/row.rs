//! The row of a dish.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use wire::live::events::{Action, EventKind};
use wire::menu::dishes::{
    Allergen, AvailabilityStatus, DietaryTag, Dish, DishAvailability, DishStatus, GoneDish,
};
use wire::{CategoryId, DishId, RestaurantId};

use crate::record::{Record, stored};
use crate::schema::dishes;
use crate::{Error, Result};

/// A dish, as it is stored.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = dishes, primary_key(restaurant_id, dish_id), treat_none_as_null = true)]
pub(in crate::menu) struct DishRow {
    pub(in crate::menu) restaurant_id: RestaurantId,
    pub(in crate::menu) dish_id: DishId,
    pub(in crate::menu) dish_name: String,
    pub(in crate::menu) description: Option<String>,
    pub(in crate::menu) image_url: Option<String>,
    pub(in crate::menu) price_minor: i64,
    pub(in crate::menu) currency: String,
    pub(in crate::menu) is_published: bool,
    pub(in crate::menu) availability: AvailabilityStatus,
    pub(in crate::menu) quantity_left: Option<i32>,
    pub(in crate::menu) sold_out_until: Option<DateTime<Utc>>,
    pub(in crate::menu) category_id: Option<CategoryId>,
    pub(in crate::menu) modifier_groups: serde_json::Value,
    pub(in crate::menu) dietary: Vec<DietaryTag>,
    pub(in crate::menu) allergens: Vec<Allergen>,
    pub(in crate::menu) station: Option<String>,
    pub(in crate::menu) preparation_minutes: Option<i32>,
    pub(in crate::menu) position: i32,
    pub(in crate::menu) created_at: DateTime<Utc>,
    pub(in crate::menu) last_updated: DateTime<Utc>,
    pub(in crate::menu) version: i32,
}

stored! {
    DishRow in dishes, "dish" by dish_id: DishId, at |restaurant, id| (restaurant, id),
    answers {
        "dishes_category_fkey" => |_| {
            Error::invalid("categoryId", "names a category that is not there")
        },
    }
}

impl Record for DishRow {
    type Row = Self;
    type Shown = Dish;

    const CREATED: EventKind = EventKind::DishCreated;
    const UPDATED: EventKind = EventKind::DishUpdated;
    const DELETED: EventKind = EventKind::DishDeleted;

    fn shown(self, now: DateTime<Utc>) -> Result<Dish> {
        self.into_dish(now)
    }

    fn change(&self, before: &Self) -> (EventKind, Action) {
        let status = |row: &Self| (row.is_published, row.availability());
        let action = if status(self) != status(before) {
            Action::StatusChanged
        } else if self.position != before.position {
            Action::Moved
        } else {
            Action::InfoUpdated
        };
        (Self::UPDATED, action)
    }

    /// The public hears only when a dish becomes visible or stops being so.
    fn public(before: Option<&Dish>, after: Option<&Dish>) -> Option<impl Serialize> {
        let is_seen = |dish: Option<&Dish>| dish.is_some_and(|dish| dish.is_published);
        let is_published = is_seen(after);
        let dish = after.or(before)?;
        (is_published != is_seen(before)).then(|| DishStatus {
            dish_id: dish.dish_id,
            dish_name: dish.dish_name.clone(),
            image_url: dish.image_url.clone(),
            is_published,
        })
    }

    fn gone(&self) -> impl Serialize {
        GoneDish {
            dish_id: self.dish_id,
            version: self.version + 1,
        }
    }
}

impl DishRow {
    /// Whether it can be had, as it was said last.
    pub(in crate::menu) const fn availability(&self) -> DishAvailability {
        DishAvailability {
            status: self.availability,
            quantity_left: self.quantity_left,
            until: self.sold_out_until,
        }
    }

    /// The dish, as the staff sees it at `now`.
    pub(in crate::menu) fn into_dish(self, now: DateTime<Utc>) -> Result<Dish> {
        let availability = self.availability().at(now);
        Ok(Dish {
            dish_id: self.dish_id,
            restaurant_id: self.restaurant_id,
            dish_name: self.dish_name,
            description: self.description,
            image_url: self.image_url,
            price_minor: self.price_minor,
            currency: self.currency,
            is_published: self.is_published,
            availability,
            category_id: self.category_id,
            modifier_groups: serde_json::from_value(self.modifier_groups).map_err(Error::from)?,
            dietary: self.dietary,
            allergens: self.allergens,
            station: self.station,
            preparation_minutes: self.preparation_minutes,
            position: self.position,
            created_at: self.created_at,
            updated_at: self.last_updated,
            version: self.version,
        })
    }
}
