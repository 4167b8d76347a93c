//! The menu of the demo restaurant.

use domain::db::{Db, Scope};
use domain::menu::{categories, dishes};
use wire::CategoryId;
use wire::menu::categories::{CreateCategory, ServingWindow};
use wire::menu::dishes::{Allergen, CreateDish, DietaryTag};
use wire::menu::{ModifierGroup, ModifierOption};
use wire::venue::settings::Weekday;

use Allergen as A;
use DietaryTag as D;

/// Puts the menu into the restaurant of `scope`.
///
/// # Errors
/// When the database is away.
pub(super) async fn seed(db: &Db, scope: &Scope) -> anyhow::Result<()> {
    db.write("demo.menu", scope, async |tx| {
        for part in parts() {
            let made = categories::create(tx, &part.category()).await?;
            for (position, plate) in (0..).zip(part.plates) {
                dishes::create(tx, &plate.dish(made.id, position, part.station)).await?;
            }
        }
        Ok(())
    })
    .await?;
    Ok(())
}

struct Part {
    name: &'static str,
    station: &'static str,
    windows: Vec<ServingWindow>,
    plates: Vec<Plate>,
}

impl Part {
    fn category(&self) -> CreateCategory {
        CreateCategory {
            name: Some(self.name.to_owned()),
            windows: Some(self.windows.clone()),
            ..CreateCategory::default()
        }
    }
}

/// A dish in short: name, what it is made of, price in cents, what it is fit for, what it contains.
struct Plate(
    &'static str,
    &'static str,
    i64,
    &'static [DietaryTag],
    &'static [Allergen],
);

impl Plate {
    fn dish(&self, category: CategoryId, position: i32, station: &str) -> CreateDish {
        let Self(name, description, price, dietary, allergens) = *self;
        CreateDish {
            dish_name: Some(name.to_owned()),
            description: Some(description.to_owned()),
            image_url: Some(format!(
                "https://images.example.com/demo/{}.webp",
                file(name)
            )),
            price_minor: Some(price),
            currency: Some("EUR".to_owned()),
            // A few are still being tried out in the kitchen.
            is_published: Some(!TRIED_OUT.contains(&name)),
            category_id: Some(category),
            modifier_groups: Some(choices(name)),
            dietary: Some(dietary.to_vec()),
            allergens: Some(allergens.to_vec()),
            station: Some(station.to_owned()),
            preparation_minutes: Some(match station {
                "Bar" => 3,
                "Cold kitchen" => 8,
                "Pastry" => 6,
                _ => 16,
            }),
            position: Some(position),
            ..CreateDish::default()
        }
    }
}

const TRIED_OUT: [&str; 3] = ["Octopus and Potatoes", "Pizza Tartufo", "Olive Oil Cake"];

/// The name of a picture.
fn file(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

fn choices(name: &str) -> Vec<ModifierGroup> {
    let group = |name: &str, min, max, options: &[(&str, i64)]| ModifierGroup {
        id: None,
        name: name.to_owned(),
        min,
        max,
        options: options
            .iter()
            .map(|(name, price)| ModifierOption {
                id: None,
                name: (*name).to_owned(),
                price_minor: *price,
            })
            .collect(),
    };
    match name {
        "Ribeye Steak" => vec![
            group(
                "Doneness",
                1,
                1,
                &[("Rare", 0), ("Medium", 0), ("Well done", 0)],
            ),
            group(
                "Side",
                1,
                1,
                &[("Fries", 0), ("Rosemary potatoes", 0), ("Salad", 150)],
            ),
        ],
        _ if name.starts_with("Pizza") => vec![group(
            "Extras",
            0,
            4,
            &[
                ("Mozzarella", 200),
                ("Olives", 150),
                ("Anchovies", 250),
                ("Rocket", 150),
            ],
        )],
        "Espresso" | "Cappuccino" => {
            vec![group(
                "Milk",
                0,
                1,
                &[("Oat milk", 50), ("Lactose-free milk", 30)],
            )]
        }
        _ => Vec::new(),
    }
}

fn window(weekdays: &[Weekday], from_minute: i32, until_minute: i32) -> ServingWindow {
    ServingWindow {
        weekdays: weekdays.to_vec(),
        from_minute,
        until_minute,
    }
}

#[rustfmt::skip]
fn parts() -> Vec<Part> {
    use Weekday as W;
    let weekdays = [W::Monday, W::Tuesday, W::Wednesday, W::Thursday, W::Friday];
    vec![
        Part { name: "Lunch", station: "Hot kitchen", windows: vec![window(&weekdays, 11 * 60 + 30, 14 * 60 + 30)], plates: vec![
            Plate("Soup of the Day", "With bread from our oven", 650, &[D::Vegetarian], &[A::Gluten, A::Celery]),
            Plate("Lunch Pasta", "What the market had this morning", 1150, &[], &[A::Gluten, A::Eggs]),
            Plate("Chicken Milanese", "Breaded breast, rocket, lemon", 1390, &[], &[A::Gluten, A::Eggs, A::Milk]),
            Plate("Lentil Bowl", "Black lentils, roasted carrot, tahini", 1190, &[D::Vegan, D::GlutenFree], &[A::Sesame]),
        ]},
        Part { name: "Antipasti", station: "Cold kitchen", windows: vec![], plates: vec![
            Plate("Bruschetta", "Tomato, basil, garlic, toasted sourdough", 750, &[D::Vegan], &[A::Gluten]),
            Plate("Burrata", "Heirloom tomatoes, basil oil", 1290, &[D::Vegetarian, D::GlutenFree], &[A::Milk]),
            Plate("Vitello Tonnato", "Thin veal, tuna cream, capers", 1450, &[D::GlutenFree], &[A::Fish, A::Eggs, A::Mustard]),
            Plate("Beef Carpaccio", "Rocket, parmesan, lemon", 1490, &[D::GlutenFree], &[A::Milk]),
            Plate("Octopus and Potatoes", "Warm salad with celery and olives", 1590, &[D::GlutenFree], &[A::Molluscs, A::Celery]),
            Plate("Marinated Olives", "Orange peel and fennel seed", 490, &[D::Vegan, D::GlutenFree], &[]),
            Plate("Antipasto Misto", "Ham, cheese, vegetables; for two", 2190, &[], &[A::Milk, A::Nuts, A::Sulphites]),
        ]},
        Part { name: "Pasta", station: "Hot kitchen", windows: vec![], plates: vec![
            Plate("Spaghetti Pomodoro", "San Marzano tomatoes, basil", 1090, &[D::Vegan], &[A::Gluten]),
            Plate("Tagliatelle al Ragù", "Beef and pork, cooked for six hours", 1490, &[], &[A::Gluten, A::Eggs, A::Celery, A::Milk]),
            Plate("Linguine Vongole", "Clams, white wine, parsley", 1790, &[D::Pescatarian], &[A::Gluten, A::Molluscs, A::Sulphites]),
            Plate("Cacio e Pepe", "Pecorino and black pepper", 1290, &[D::Vegetarian], &[A::Gluten, A::Milk]),
            Plate("Penne Arrabbiata", "Tomato, garlic, chilli", 1150, &[D::Vegan, D::Spicy], &[A::Gluten]),
            Plate("Pumpkin Ravioli", "Sage butter, amaretti", 1550, &[D::Vegetarian], &[A::Gluten, A::Eggs, A::Milk, A::Nuts]),
            Plate("Risotto ai Funghi", "Carnaroli, porcini, parmesan", 1690, &[D::Vegetarian, D::GlutenFree], &[A::Milk]),
        ]},
        Part { name: "Pizza", station: "Pizza oven", windows: vec![window(&[], 12 * 60, 14 * 60 + 30), window(&[], 17 * 60 + 30, 22 * 60 + 30)], plates: vec![
            Plate("Pizza Marinara", "Tomato, garlic, oregano", 850, &[D::Vegan], &[A::Gluten]),
            Plate("Pizza Margherita", "Tomato, fior di latte, basil", 1090, &[D::Vegetarian], &[A::Gluten, A::Milk]),
            Plate("Pizza Diavola", "Spicy salami, chilli", 1390, &[D::Spicy], &[A::Gluten, A::Milk]),
            Plate("Pizza Prosciutto e Rucola", "Parma ham, rocket, parmesan", 1590, &[], &[A::Gluten, A::Milk]),
            Plate("Pizza Quattro Formaggi", "Mozzarella, gorgonzola, taleggio, parmesan", 1490, &[D::Vegetarian], &[A::Gluten, A::Milk]),
            Plate("Pizza Tartufo", "Black truffle, mozzarella, egg", 2190, &[D::Vegetarian], &[A::Gluten, A::Milk, A::Eggs]),
        ]},
        Part { name: "From the Grill", station: "Grill", windows: vec![window(&[], 17 * 60 + 30, 22 * 60 + 30)], plates: vec![
            Plate("Ribeye Steak", "300 g, dry-aged, herb butter", 3490, &[D::GlutenFree], &[A::Milk]),
            Plate("Lamb Chops", "Rosemary, garlic, jus", 2890, &[D::GlutenFree, D::Halal], &[A::Celery, A::Sulphites]),
            Plate("Whole Sea Bream", "Lemon, fennel, salsa verde", 2690, &[D::Pescatarian, D::GlutenFree], &[A::Fish]),
            Plate("Grilled Cauliflower", "Almond cream, pomegranate", 1690, &[D::Vegan, D::GlutenFree], &[A::Nuts]),
            Plate("King Prawns", "Garlic, chilli, lemon", 2490, &[D::Spicy, D::GlutenFree], &[A::Crustaceans]),
        ]},
        Part { name: "Dolci", station: "Pastry", windows: vec![], plates: vec![
            Plate("Tiramisù", "Mascarpone, espresso, cocoa", 790, &[D::Vegetarian], &[A::Gluten, A::Eggs, A::Milk]),
            Plate("Panna Cotta", "Raspberries", 690, &[D::GlutenFree], &[A::Milk]),
            Plate("Olive Oil Cake", "Citrus, crème fraîche", 750, &[D::Vegetarian], &[A::Gluten, A::Eggs, A::Milk]),
            Plate("Affogato", "Vanilla ice cream, espresso", 590, &[D::Vegetarian, D::GlutenFree], &[A::Milk, A::Eggs]),
            Plate("Lemon Sorbet", "With prosecco if you like", 550, &[D::Vegan, D::GlutenFree], &[A::Sulphites]),
        ]},
        Part { name: "Drinks", station: "Bar", windows: vec![], plates: vec![
            Plate("Espresso", "Single origin, dark roast", 280, &[D::Vegan, D::GlutenFree], &[]),
            Plate("Cappuccino", "With a double shot", 380, &[D::Vegetarian, D::GlutenFree], &[A::Milk]),
            Plate("Homemade Lemonade", "Lemon, mint, soda", 490, &[D::Vegan, D::GlutenFree], &[]),
            Plate("Aperol Spritz", "Aperol, prosecco, soda", 850, &[D::Vegan, D::GlutenFree], &[A::Sulphites]),
            Plate("Still Water", "0.75 l", 590, &[D::Vegan, D::GlutenFree], &[]),
            Plate("House Red", "Montepulciano d'Abruzzo, 0.2 l", 690, &[D::Vegan, D::GlutenFree], &[A::Sulphites]),
        ]},
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_has_forty_dishes() {
        let names: Vec<&str> = parts()
            .iter()
            .flat_map(|part| part.plates.iter().map(|plate| plate.0))
            .collect();
        assert_eq!(names.len(), 40);
        assert!(TRIED_OUT.iter().all(|name| names.contains(name)));
        assert_eq!(file("Tagliatelle al Ragù"), "tagliatelle-al-rag");
    }
}
