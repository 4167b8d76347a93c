//! Dishes.

use chrono::{DateTime, Utc};
use fields::{create, patch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ModifierGroup;
use crate::patch::{Clearable, present};
use crate::words::words;
use crate::{CategoryId, DishId, RestaurantId};

words! {
    /// Whether a dish can be had.
    AvailabilityStatus {
        /// It can.
        Available = "available",
        /// "86'd": it cannot.
        SoldOut = "sold_out" | "soldOut" | "86",
    }
}

words! {
    /// What a dish is fit for.
    DietaryTag {
        /// Without meat and fish.
        Vegetarian = "vegetarian",
        /// Without anything of animals.
        Vegan = "vegan",
        /// Fish but no meat.
        Pescatarian = "pescatarian",
        /// Permitted by Islamic law.
        Halal = "halal",
        /// Permitted by Jewish law.
        Kosher = "kosher",
        /// Without gluten.
        GlutenFree = "gluten_free",
        /// Without lactose.
        LactoseFree = "lactose_free",
        /// Hot.
        Spicy = "spicy",
        /// From organic farming.
        Organic = "organic",
    }
}

words! {
    /// What has to be declared: the fourteen of Regulation (EU) 1169/2011, Annex II.
    Allergen {
        /// Cereals that contain gluten.
        Gluten = "gluten",
        /// Crabs, prawns, lobsters.
        Crustaceans = "crustaceans",
        /// Eggs.
        Eggs = "eggs",
        /// Fish.
        Fish = "fish",
        /// Peanuts.
        Peanuts = "peanuts",
        /// Soybeans.
        Soybeans = "soybeans",
        /// Milk, lactose included.
        Milk = "milk",
        /// Tree nuts.
        Nuts = "nuts",
        /// Celery.
        Celery = "celery",
        /// Mustard.
        Mustard = "mustard",
        /// Sesame.
        Sesame = "sesame",
        /// Sulphur dioxide and sulphites.
        Sulphites = "sulphites",
        /// Lupin.
        Lupin = "lupin",
        /// Mussels, oysters, squid.
        Molluscs = "molluscs",
    }
}

/// Whether, how often and from when a dish can be had.
///
/// A `sold_out` whose `until` has passed is `available`, with nothing further said: whoever holds
/// the dish works that out by the clock, and no event tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"status": "sold_out", "until": "2026-11-22T09:00:00Z"}))]
pub struct DishAvailability {
    /// Whether it can be had now.
    pub status: AvailabilityStatus,
    /// Portions left of what is available; absent when nobody counts. 0 is `sold_out`.
    #[serde(default, alias = "quantity_left")]
    #[schema(minimum = 0, maximum = 100_000)]
    pub quantity_left: Option<i32>,
    /// When what is sold out can be had again; absent when nobody knows.
    #[serde(
        default,
        serialize_with = "crate::moment::write",
        deserialize_with = "crate::times::some_moment"
    )]
    pub until: Option<DateTime<Utc>>,
}

impl DishAvailability {
    /// It can be had, and nobody counts.
    pub const AVAILABLE: Self = Self {
        status: AvailabilityStatus::Available,
        quantity_left: None,
        until: None,
    };

    /// What it is at `now`.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        match self.until {
            Some(until) if until <= now => Self::AVAILABLE,
            _ => self,
        }
    }
}

/// What is told of a dish that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GoneDish {
    /// The dish's number.
    pub dish_id: DishId,
    /// The version with which it went.
    pub version: i32,
}

/// A dish, as the staff sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dish {
    /// The dish's number, of which there is only one in all restaurants.
    pub dish_id: DishId,
    /// The restaurant that serves it.
    pub restaurant_id: RestaurantId,
    /// What it is called.
    #[schema(example = "Pizza Margherita")]
    pub dish_name: String,
    /// What it is made of.
    pub description: Option<String>,
    /// A picture, somewhere on the web.
    #[schema(example = "https://images.example.com/margherita.webp")]
    pub image_url: Option<String>,
    /// The price in minor units of `currency`.
    #[schema(example = 1090)]
    pub price_minor: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: String,
    /// Whether guests see it.
    pub is_published: bool,
    /// Whether it can be had.
    pub availability: DishAvailability,
    /// The part of the menu under which it stands.
    pub category_id: Option<CategoryId>,
    /// What there is to choose.
    pub modifier_groups: Vec<ModifierGroup>,
    /// What it is fit for.
    pub dietary: Vec<DietaryTag>,
    /// What it contains.
    pub allergens: Vec<Allergen>,
    /// Where in the kitchen it is made.
    #[schema(example = "Pizza oven")]
    pub station: Option<String>,
    /// How long that takes.
    pub preparation_minutes: Option<i32>,
    /// Its place within the category; equal ones stand in the order of their numbers.
    pub position: i32,
    /// When the record was made.
    #[serde(serialize_with = "crate::moment::write")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(serialize_with = "crate::moment::write")]
    pub updated_at: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A published dish, as anybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicDish {
    /// The dish's number.
    pub dish_id: DishId,
    /// What it is called.
    pub dish_name: String,
    /// What it is made of.
    pub description: Option<String>,
    /// A picture.
    pub image_url: Option<String>,
    /// The price in minor units of `currency`.
    pub price_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// `true`, except where a member of the restaurant asks.
    pub is_published: bool,
    /// Whether it can be had.
    pub availability: DishAvailability,
    /// The part of the menu under which it stands.
    pub category_id: Option<CategoryId>,
    /// What there is to choose.
    pub modifier_groups: Vec<ModifierGroup>,
    /// What it is fit for.
    pub dietary: Vec<DietaryTag>,
    /// What it contains.
    pub allergens: Vec<Allergen>,
    /// How long it takes to make.
    pub preparation_minutes: Option<i32>,
    /// When the record was made.
    #[serde(serialize_with = "crate::moment::write")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(serialize_with = "crate::moment::write")]
    pub updated_at: DateTime<Utc>,
}

impl From<Dish> for PublicDish {
    fn from(dish: Dish) -> Self {
        Self {
            dish_id: dish.dish_id,
            dish_name: dish.dish_name,
            description: dish.description,
            image_url: dish.image_url,
            price_minor: dish.price_minor,
            currency: dish.currency,
            is_published: dish.is_published,
            availability: dish.availability,
            category_id: dish.category_id,
            modifier_groups: dish.modifier_groups,
            dietary: dish.dietary,
            allergens: dish.allergens,
            preparation_minutes: dish.preparation_minutes,
            created_at: dish.created_at,
            updated_at: dish.updated_at,
        }
    }
}

/// What everybody hears when a dish is published or withdrawn: the data of `dishStatusChanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DishStatus {
    /// The dish's number.
    pub dish_id: DishId,
    /// What it is called.
    pub dish_name: String,
    /// A picture.
    pub image_url: Option<String>,
    /// Whether guests see it now.
    pub is_published: bool,
}

/// A new dish. `dishName`, `priceMinor` and `currency` are required.
#[create(UpdateDish)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"dishName": "Pizza Margherita", "priceMinor": 1090, "currency": "EUR",
    "imageUrl": "https://images.example.com/margherita.webp", "isPublished": true}))]
pub struct CreateDish {
    /// What it is called.
    #[serde(alias = "name")]
    #[schema(max_length = 255, required = true, value_type = String)]
    pub dish_name: Option<String>,
    /// What it is made of.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// A picture: https, on the public web.
    #[schema(max_length = 2048)]
    pub image_url: Option<String>,
    /// The price in minor units of `currency`.
    #[serde(deserialize_with = "present")]
    #[schema(minimum = 0, required = true, value_type = i64)]
    pub price_minor: Option<i64>,
    /// ISO 4217.
    #[schema(required = true, value_type = String)]
    pub currency: Option<String>,
    /// `false` when absent.
    pub is_published: Option<bool>,
    /// Available when absent.
    pub availability: Option<DishAvailability>,
    /// The part of the menu under which it stands.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub category_id: Option<CategoryId>,
    /// What there is to choose.
    #[serde(alias = "modifiers")]
    #[schema(max_items = 20)]
    #[most(20)]
    pub modifier_groups: Option<Vec<ModifierGroup>>,
    /// What it is fit for.
    #[most(100)]
    pub dietary: Option<Vec<DietaryTag>>,
    /// What it contains.
    #[most(100)]
    pub allergens: Option<Vec<Allergen>>,
    /// Where in the kitchen it is made.
    #[schema(max_length = 60)]
    pub station: Option<String>,
    /// How long that takes.
    #[schema(minimum = 0, maximum = 1440)]
    pub preparation_minutes: Option<i32>,
    /// Its place within the category; 0 when absent.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: Option<i32>,
}

/// A change of a dish: the fields that are present. `null` clears.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"availability": {"status": "sold_out"}}))]
pub struct UpdateDish {
    /// What it is called.
    #[serde(alias = "name")]
    #[schema(max_length = 255)]
    pub dish_name: Option<String>,
    /// What it is made of.
    #[schema(max_length = 2000)]
    pub description: Clearable<String>,
    /// A picture: https, on the public web.
    #[schema(max_length = 2048)]
    pub image_url: Clearable<String>,
    /// The price in minor units of `currency`.
    #[schema(minimum = 0)]
    pub price_minor: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Whether guests see it.
    pub is_published: Option<bool>,
    /// Whether it can be had.
    pub availability: Option<DishAvailability>,
    /// The part of the menu under which it stands.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub category_id: Clearable<CategoryId>,
    /// What there is to choose.
    #[serde(alias = "modifiers")]
    #[schema(max_items = 20)]
    #[most(20)]
    pub modifier_groups: Option<Vec<ModifierGroup>>,
    /// What it is fit for.
    #[most(100)]
    pub dietary: Option<Vec<DietaryTag>>,
    /// What it contains.
    #[most(100)]
    pub allergens: Option<Vec<Allergen>>,
    /// Where in the kitchen it is made.
    #[schema(max_length = 60)]
    pub station: Clearable<String>,
    /// How long that takes.
    #[schema(minimum = 0, maximum = 1440)]
    pub preparation_minutes: Clearable<i32>,
    /// Its place within the category.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: Option<i32>,
}

impl UpdateDish {
    /// Whether only that is asked to change which every member may change: whether guests see it,
    /// and whether it can be had.
    #[must_use]
    pub fn is_service_only(&self) -> bool {
        *self
            == Self {
                is_published: self.is_published,
                availability: self.availability,
                ..Self::default()
            }
    }
}

/// Which dishes to list, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct DishFilter {
    /// Only those of this category.
    #[param(value_type = Option<String>, format = Uuid)]
    pub category_id: Option<CategoryId>,
    /// Only those that guests see, or do not.
    pub is_published: Option<bool>,
    /// Only those with this text in their name, in large or small letters.
    #[param(max_length = 100)]
    pub q: Option<String>,
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
    /// From the `Link` of the page before.
    pub cursor: Option<String>,
}

/// Of which restaurant, where the path does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The restaurant; the caller's own, or the installation's default one when absent.
    #[serde(alias = "restaurantId")]
    #[param(value_type = Option<String>, format = Uuid)]
    pub restaurant_id: Option<RestaurantId>,
}
