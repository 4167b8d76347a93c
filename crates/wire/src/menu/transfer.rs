//! A menu as a file: what is exported can be imported, here or elsewhere.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ModifierGroup;
use super::categories::ServingWindow;
use super::dishes::{Allergen, DietaryTag, DishAvailability};
use crate::DishId;
use crate::words::words;

/// A whole menu.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MenuFile {
    /// Its parts. On import they are found by their name and changed, or made.
    #[serde(default)]
    pub categories: Vec<FileCategory>,
    /// Its dishes. On import one with a `dishId` is changed: the fields that are present; one
    /// without is made.
    pub dishes: Vec<FileDish>,
}

/// A part of a menu, in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileCategory {
    /// What it is called.
    pub name: String,
    /// What is to be said of it.
    pub description: Option<String>,
    /// Its place on the menu.
    pub position: i32,
    /// When it is served.
    pub windows: Vec<ServingWindow>,
    /// Whether it is on the menu.
    pub is_active: bool,
}

/// A dish, in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileDish {
    /// The dish's number; none for one that is to be made.
    pub dish_id: Option<DishId>,
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
    /// The name of its category; one that is not there is made.
    pub category: Option<String>,
    /// Whether guests see it.
    pub is_published: bool,
    /// Whether it can be had.
    pub availability: DishAvailability,
    /// What it is fit for.
    pub dietary: Vec<DietaryTag>,
    /// What it contains.
    pub allergens: Vec<Allergen>,
    /// Where in the kitchen it is made.
    pub station: Option<String>,
    /// How long that takes.
    pub preparation_minutes: Option<i32>,
    /// Its place within the category.
    pub position: i32,
    /// What there is to choose.
    pub modifier_groups: Vec<ModifierGroup>,
}

words! {
    /// How a file is written.
    FileFormat {
        /// The whole menu.
        Json = "json",
        /// The dishes, one in a line. Time windows of categories are not in it.
        Csv = "csv",
    }
}

/// Which file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `json` when absent.
    #[param(value_type = Option<String>, example = "csv")]
    pub format: Option<FileFormat>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Dishes that were made.
    pub created: usize,
    /// Dishes that were changed.
    pub updated: usize,
    /// Dishes that were like this before.
    pub unchanged: usize,
    /// Categories that were made.
    pub categories_created: usize,
    /// Categories that were changed.
    pub categories_updated: usize,
}
