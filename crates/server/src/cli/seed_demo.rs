//! `qtable seed-demo`: a restaurant to play with.

use chrono::TimeDelta;
use clap::Args;
use domain::clock::Clock;
use domain::db::{Actor, Db, Scope};
use domain::floor::{guests, tables};
use domain::passwords::Passwords;
use domain::people::accounts;
use domain::venue::restaurants;
use domain::venue::restaurants::NewRestaurant;
use wire::floor::guests::{CreateGuest, GuestStatus, UpdateGuest};
use wire::floor::tables::{CreateTable, TablePosition, TableShape};
use wire::{RestaurantId, TableId};

use super::demo_menu;
use crate::config::Config;

/// The demo restaurant, as the documents and the README name it.
pub const RESTAURANT: &str = "382926a9-84f3-45e1-9cb3-26db4ef09a53";
/// Its owner.
pub const EMAIL: &str = "test@restaurant.com";
/// The owner's password, which everybody knows: never in production.
pub const PASSWORD: &str = "password123";

/// Makes the demo restaurant: 24 tables, 30 parties, 40 dishes, and the user test@restaurant.com.
#[derive(Args, Debug)]
pub struct SeedDemo {}

impl SeedDemo {
    /// Makes it, unless it is there.
    ///
    /// # Errors
    /// In production, and when the database is away.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        if config.environment.is_production() {
            anyhow::bail!(
                "The demo has a password that everybody knows; it is not for production."
            );
        }
        let db = crate::app::database(config)?;
        let passwords = Passwords::new(config.auth.bcrypt_cost, 1);
        if Box::pin(seed(&db, &passwords)).await? {
            println!(
                "Made the restaurant QTable Demo ({RESTAURANT}); log in as {EMAIL} / {PASSWORD}."
            );
        } else {
            println!("The restaurant QTable Demo is there already.");
        }
        Ok(())
    }
}

/// Makes the demo restaurant; `false` when it was there.
///
/// # Errors
/// When the database is away.
pub async fn seed(db: &Db, passwords: &Passwords) -> anyhow::Result<bool> {
    let id: RestaurantId = RESTAURANT.parse()?;
    let is_there = db
        .read("demo.look", async move |conn| {
            restaurants::get(conn, id).await
        })
        .await;
    match is_there {
        Ok(_) => return Ok(false),
        Err(domain::Error::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let hash = passwords.hash(PASSWORD.to_owned()).await?;
    db.transaction("demo.restaurant", async move |conn, now| {
        let new = NewRestaurant {
            id,
            name: "QTable Demo".to_owned(),
            slug: Some("qtable-demo".to_owned()),
            time_zone: "Europe/Berlin".to_owned(),
        };
        restaurants::create(conn, &new, now).await?;
        accounts::create_owner(conn, now, id, EMAIL, "Test", "Owner", &hash).await
    })
    .await?;
    let scope = Scope::new(id, Actor::SYSTEM);
    let numbered = db
        .write("demo.tables", &scope, async |tx| {
            let mut ids = Vec::new();
            for table in floor_plan() {
                ids.push(tables::create(tx, &table).await?.id);
            }
            Ok(ids)
        })
        .await?
        .value;
    demo_menu::seed(db, &scope).await?;
    for party in parties() {
        Box::pin(seat(db, &scope, &numbered, &party)).await?;
    }
    Ok(true)
}

/// Takes a party down as long ago as it says, and brings it to where it is.
async fn seat(db: &Db, scope: &Scope, tables: &[TableId], party: &Party) -> anyhow::Result<()> {
    let table = party
        .table
        .and_then(|number| tables.get(number - 1))
        .copied();
    let came = at(db, party.minutes_ago);
    let input = CreateGuest {
        guest_name: Some(party.name.to_owned()),
        party_size: Some(party.size),
        phone: Some(party.phone()),
        notes: party.notes.map(str::to_owned),
        tags: party.notes.map(|_| vec!["regular".to_owned()]),
        quoted_wait_minutes: Some(party.quoted()),
        ..CreateGuest::default()
    };
    let guest = came
        .write("demo.guest", scope, async |tx| {
            guests::create(tx, &input).await
        })
        .await?
        .value;
    for (minutes, status) in party.steps() {
        let patch = UpdateGuest {
            status: Some(status),
            table_id: (status == GuestStatus::Seated).then_some(table),
            ..UpdateGuest::default()
        };
        at(db, minutes)
            .write("demo.step", scope, async |tx| {
                Box::pin(guests::update(tx, guest.id, &patch, None)).await
            })
            .await?;
    }
    Ok(())
}

/// The database, as it was minutes ago.
fn at(db: &Db, minutes_ago: i64) -> Db {
    let clock = db.clock().clone();
    db.with_clock(Clock::new(move || {
        clock.now() - TimeDelta::minutes(minutes_ago)
    }))
}

/// 24 tables: the main room in rows, a terrace of round ones along the top, and the bar at the
/// right.
fn floor_plan() -> Vec<CreateTable> {
    let main = (0..12).map(|n: i32| {
        let capacity = match n % 4 {
            0 => 2,
            3 => 6,
            _ => 4,
        };
        let (column, row) = (f64::from(n % 4), f64::from(n / 4));
        let shape = if capacity == 6 {
            TableShape::Rectangle
        } else {
            TableShape::Square
        };
        (
            n + 1,
            capacity,
            0.10 + 0.17 * column,
            0.40 + 0.20 * row,
            shape,
            "Main",
        )
    });
    let terrace = (0..6).map(|n: i32| {
        let capacity = if n % 3 == 2 { 8 } else { 4 };
        let shape = if capacity == 8 {
            TableShape::Oval
        } else {
            TableShape::Round
        };
        (
            n + 13,
            capacity,
            0.08 + 0.15 * f64::from(n),
            0.12,
            shape,
            "Terrace",
        )
    });
    let bar = (0..6).map(|n: i32| {
        (
            n + 19,
            2,
            0.92,
            0.22 + 0.13 * f64::from(n),
            TableShape::Round,
            "Bar",
        )
    });
    main.chain(terrace)
        .chain(bar)
        .map(|(number, capacity, x, y, shape, section)| CreateTable {
            table_number: Some(number.to_string()),
            capacity: Some(capacity),
            min_party_size: Some((capacity / 2).max(1)),
            position: Some(TablePosition { x, y }),
            shape: Some(shape),
            section: Some(section.to_owned()),
            ..CreateTable::default()
        })
        .collect()
}

struct Party {
    name: &'static str,
    size: i32,
    minutes_ago: i64,
    status: GuestStatus,
    table: Option<usize>,
    notes: Option<&'static str>,
}

impl Party {
    fn phone(&self) -> String {
        format!(
            "+49 30 555{:04}",
            self.minutes_ago * 7 + i64::from(self.size)
        )
    }

    fn quoted(&self) -> i32 {
        5 * self.size.min(6)
    }

    /// The steps that brought it to its status, each with how many minutes ago it was.
    fn steps(&self) -> Vec<(i64, GuestStatus)> {
        let ago = self.minutes_ago;
        match self.status {
            GuestStatus::Waiting => vec![],
            GuestStatus::Completed => {
                vec![
                    (ago - 8, GuestStatus::Seated),
                    (ago - 80, GuestStatus::Completed),
                ]
            }
            GuestStatus::Seated => vec![(ago - 6, GuestStatus::Seated)],
            status => vec![(ago - 5, status)],
        }
    }
}

/// 30 parties of an evening. Those who have left come first, so that their tables are free again.
fn parties() -> Vec<Party> {
    use GuestStatus as S;
    let party = |name, size, minutes_ago, status, table| Party {
        name,
        size,
        minutes_ago,
        status,
        table,
        notes: None,
    };
    let mut parties = vec![
        party("Amelia Brandt", 2, 190, S::Completed, Some(1)),
        party("Jonas Weber", 4, 185, S::Completed, Some(2)),
        party("Sofia Rossi", 4, 170, S::Completed, Some(3)),
        party("Chen Wei", 6, 160, S::Completed, Some(4)),
        party("Lena Hoffmann", 2, 150, S::Completed, Some(19)),
        party("Marek Nowak", 4, 140, S::Completed, Some(13)),
        party("Priya Sharma", 3, 130, S::Completed, Some(6)),
        party("Tom Becker", 2, 120, S::Cancelled, None),
        party("Ines Duarte", 5, 110, S::NoShow, None),
        party("Oliver Schmidt", 2, 95, S::Seated, Some(1)),
        party("Hannah Klein", 4, 88, S::Seated, Some(3)),
        party("Yusuf Demir", 6, 80, S::Seated, Some(4)),
        party("Clara Vogel", 2, 74, S::Seated, Some(5)),
        party("Noah Fischer", 3, 66, S::Seated, Some(7)),
        party("Emma Larsen", 4, 58, S::Seated, Some(10)),
        party("Lucas Moreau", 8, 52, S::Seated, Some(15)),
        party("Mia Wagner", 3, 47, S::Seated, Some(13)),
        party("David Cohen", 2, 41, S::Seated, Some(20)),
        party("Zoe Papadopoulou", 2, 36, S::Seated, Some(21)),
        party("Felix Braun", 5, 31, S::Seated, Some(8)),
        party("Aisha Khan", 4, 27, S::Seated, Some(16)),
        party("Paul Richter", 2, 24, S::Notified, None),
        party("Nina Petrova", 4, 21, S::Notified, None),
        party("Ben Schulz", 2, 18, S::Waiting, None),
        party("Julia Santos", 6, 15, S::Waiting, None),
        party("Kenji Tanaka", 4, 12, S::Waiting, None),
        party("Laura Neumann", 2, 9, S::Waiting, None),
        party("Samuel Okafor", 7, 6, S::Waiting, None),
        party("Eva Lindqvist", 3, 4, S::Waiting, None),
        party("Max Zimmermann", 2, 2, S::Waiting, None),
    ];
    for (name, notes) in [
        ("Hannah Klein", "Birthday: candle with the dessert"),
        ("Yusuf Demir", "High chair needed"),
        ("Julia Santos", "Prefers the terrace"),
    ] {
        if let Some(party) = parties.iter_mut().find(|party| party.name == name) {
            party.notes = Some(notes);
        }
    }
    parties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_as_large_as_is_said() {
        assert_eq!((floor_plan().len(), parties().len()), (24, 30));
        let inside = |at: TablePosition| (0.0..=1.0).contains(&at.x) && (0.0..=1.0).contains(&at.y);
        assert!(
            floor_plan()
                .iter()
                .all(|table| table.position.is_some_and(inside))
        );
    }
}
