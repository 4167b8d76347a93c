//! Many changes in one transaction: what they take does not grow with the square of how many they
//! are, and they come to the same as one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::InstrumentationEvent;
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::clock::new_id;
use domain::db::Tx;
use domain::together::changes::{Change, Edit, Item};
use domain::together::sync;
use domain::together::sync::{Own, Queued};
use domain::together::{atomic, batch};
use domain::{Error, Result};
use serde_json::{Value, json};
use wire::floor::guests::Guest;
use wire::together::atomic::Entity;
use wire::together::sync::{Outcome, SyncResult};
use wire::{GuestId, TableId};

use crate::house::House;
use crate::tablet::{Tablet, read};

fn item(index: usize, id: GuestId, change: Edit<GuestId, Value, Value>) -> Item {
    let change = Change::Guest(match change {
        Edit::Create(id, input) => Edit::Create(id, Arc::new(read(Arc::unwrap_or_clone(input)))),
        Edit::Update(id, patch) => Edit::Update(id, Arc::new(read(Arc::unwrap_or_clone(patch)))),
        Edit::Delete(id) => Edit::Delete(id),
    });
    Item {
        index,
        entity: Some(Entity::Guest),
        id: Some(id.0),
        version: None,
        change: Ok(change),
    }
}

fn coming(index: usize, name: &str, input: &Value) -> Item {
    let id = new_id();
    let mut input = input.clone();
    input["guestName"] = name.into();
    item(index, id, Edit::Create(Some(id), Arc::new(input)))
}

fn moving(index: usize, id: GuestId, place: usize) -> Item {
    let patch = json!({"waitPosition": place});
    item(index, id, Edit::Update(id, Arc::new(patch)))
}

/// So many who wait.
async fn line(tablet: &Tablet, count: usize) -> Vec<GuestId> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(tablet.add_guest(&format!("Party {n}"), 2).await.id);
    }
    ids
}

/// What a transaction took: statements, and parties' rows that were written over.
async fn taken<T>(tablet: &Tablet, body: impl AsyncFn(&mut Tx<'_>) -> Result<T>) -> (usize, i64) {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<BigInt>)]
        written: Option<i64>,
    }
    let count = Arc::new(AtomicUsize::new(0));
    let done = tablet
        .write(async |tx| {
            let counter = Arc::clone(&count);
            tx.conn
                .set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                        counter.fetch_add(1, Ordering::SeqCst);
                    }
                });
            body(tx).await?;
            let written = "SELECT n_tup_upd AS written FROM pg_stat_xact_user_tables \
                WHERE relname = 'guests'";
            let row: Row = diesel::sql_query(written).get_result(tx.conn).await?;
            Ok(row.written.unwrap_or(0))
        })
        .await
        .unwrap();
    (AtomicUsize::load(&count, Ordering::SeqCst), done.value)
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_on_the_list_write_it_once() {
    let house = House::open().await;
    let ids = line(&house.tablet, 40).await;
    let items = |count: usize| -> Vec<Item> {
        (0..count)
            .map(|n| moving(n, ids[n * 7 % 40], n * 31 % 40 + 1))
            .collect()
    };
    let moves = async |count: usize| {
        let items = items(count);
        let update = async |tx: &mut Tx<'_>| batch::update(tx, new_id(), &items).await;
        taken(&house.tablet, update).await
    };
    let (few, _) = moves(20).await;
    let (many, written) = moves(80).await;
    assert!(many <= 4 * few, "{few} statements for 20, {many} for 80");
    assert!(many <= 80 * 8, "{many} statements for 80");
    assert!(written <= 80 + 40, "{written} rows of 40 for 80 moves");
    // Its row is read, and written.
    assert!(
        many - few <= 2 * 60,
        "{few} statements for 20, {many} for 80"
    );

    let offline = async |count: usize| {
        let queue: Vec<Queued> = queued(items(count));
        let apply = async |tx: &mut Tx<'_>| sync::apply(tx, &queue, &Own::default()).await;
        taken(&house.tablet, apply).await.0
    };
    let (few, many) = (offline(20).await, offline(80).await);
    assert!(many - few <= 2 * 60, "{few} offline for 20, {many} for 80");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_that_come_together_take_no_more_than_one() {
    let house = House::open().await;
    for n in 0..5 {
        house.tablet.add_table(&n.to_string(), 4).await;
    }
    line(&house.tablet, 10).await;
    let items = |count: usize| -> Vec<Item> {
        let input = |n: usize| json!({"partySize": 1 + n % 4, "phone": format!("+49 30 {n}")});
        (0..count)
            .map(|n| coming(n, &format!("Guest {n}"), &input(n)))
            .collect()
    };
    let atomic = async |count: usize| {
        let transaction = atomic::Transaction {
            id: new_id(),
            fingerprint: [1; 32],
            items: items(count),
        };
        let run = async |tx: &mut Tx<'_>| atomic::run(tx, &transaction).await;
        taken(&house.tablet, run).await.0
    };
    assert_eq!(atomic(1).await, atomic(100).await);

    let offline = async |count: usize| {
        let queue: Vec<Queued> = queued(items(count));
        let apply = async |tx: &mut Tx<'_>| sync::apply(tx, &queue, &Own::default()).await;
        taken(&house.tablet, apply).await.0
    };
    assert_eq!(offline(1).await, offline(sync::PER_TRANSACTION).await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_compared_by_one_look() {
    let house = House::open().await;
    let ids = line(&house.tablet, 30).await;
    let asked = async |version: Option<i32>| {
        let items: Vec<Item> = (0..30)
            .map(|n| Item {
                version,
                ..item(
                    n,
                    ids[n],
                    Edit::Update(ids[n], Arc::new(json!({"notes": "x"}))),
                )
            })
            .collect();
        let update = async |tx: &mut Tx<'_>| {
            let result = batch::update(tx, new_id(), &items).await;
            assert!(matches!(result, Err(Error::Items { .. }) | Ok(_)));
            Ok(())
        };
        taken(&house.tablet, update).await.0
    };
    let without = asked(None).await;
    let with = asked(Some(2)).await;
    assert!(
        with <= without + 1,
        "{without} statements, {with} with versions"
    );
    house.close().await;
}

fn queued(items: Vec<Item>) -> Vec<Queued> {
    items
        .into_iter()
        .map(|item| Queued {
            client_id: new_id::<uuid::Uuid>().to_string(),
            fingerprint: [2; 32],
            item,
        })
        .collect()
}

/// Numbers that look random, and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// A restaurant of the property tests; each has the same.
struct Room {
    tablet: Tablet,
    parties: Vec<GuestId>,
    tables: Vec<TableId>,
}

impl Room {
    async fn new(house: &House) -> Self {
        let tablet = Tablet::of_new_restaurant(house.db(), "Europe/Berlin").await;
        let mut tables = Vec::new();
        for n in 0..3 {
            tables.push(tablet.add_table(&n.to_string(), 4).await.id);
        }
        let parties = line(&tablet, 8).await;
        Self {
            tablet,
            parties,
            tables,
        }
    }

    /// What `roll` says that is done, here.
    fn change(&mut self, index: usize, dice: &mut Dice) -> Item {
        let id = self.parties[dice.roll(self.parties.len())];
        let table = self.tables[dice.roll(self.tables.len())];
        let (what, place) = (dice.roll(12), dice.roll(10) + 1);
        let patch = match what {
            0..4 => json!({"waitPosition": place}),
            4 => json!({"status": "waiting"}),
            5 => json!({"status": "notified"}),
            6 => json!({"status": "cancelled"}),
            7 => json!({"tableIds": [table]}),
            8 => json!({"notes": format!("note {index}")}),
            9 => return item(index, id, Edit::Delete(id)),
            _ => {
                let input = json!({"partySize": place % 5, "phone": "030 1234"});
                let coming = coming(index, &format!("Late {index}"), &input);
                self.parties.extend(coming.id.map(GuestId));
                return coming;
            }
        };
        item(index, id, Edit::Update(id, Arc::new(patch)))
    }

    /// Everybody by name, without what is of this restaurant alone.
    async fn parties(&self) -> Vec<Value> {
        let filter = json!({"scope": "all", "limit": 1000});
        let since = chrono::DateTime::UNIX_EPOCH;
        let page = self.tablet.guests_since(since, filter).await.unwrap();
        let mut parties: Vec<Guest> = page.items;
        parties.sort_by(|a, b| a.guest_name.cmp(&b.guest_name));
        parties
            .iter()
            .map(|guest| self.plain(json!(guest)))
            .collect()
    }

    /// A state without what is of this restaurant alone.
    fn plain(&self, mut state: Value) -> Value {
        let Some(fields) = state.as_object_mut() else {
            return state;
        };
        for field in ["id", "restaurantId"] {
            fields.remove(field);
        }
        let table = self.number(&fields["tableId"]);
        let tables = fields["tableIds"].as_array().unwrap().iter();
        let tables: Vec<Value> = tables.map(|id| self.number(id)).collect();
        fields["tableId"] = table;
        fields["tableIds"] = tables.into();
        state
    }

    /// Which of the tables this is.
    fn number(&self, id: &Value) -> Value {
        let found = self.tables.iter().position(|table| json!(table) == *id);
        found.map_or(Value::Null, |n| json!(n))
    }

    /// What was answered, likewise.
    fn answer(&self, result: &SyncResult) -> (Outcome, Option<String>, Value) {
        let state = self.plain(json!(result.current));
        (result.status, result.message.clone(), state)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_comes_to_the_same_as_one_by_one() {
    let house = House::open().await;
    for seed in 1..=8 {
        let (mut one, mut many) = (Room::new(&house).await, Room::new(&house).await);
        let (mut dice, mut same) = (Dice(seed), Dice(seed));
        let changes = |room: &mut Room, dice: &mut Dice| {
            let items = (0..40).map(|n| room.change(n, dice)).collect();
            queued(items)
        };
        let single = changes(&mut one, &mut dice);
        let (mut expected, mut own) = (Vec::new(), Own::default());
        for queued in &single {
            let apply =
                async |tx: &mut Tx<'_>| sync::apply(tx, std::slice::from_ref(queued), &own).await;
            let (results, next) = one.tablet.write(apply).await.unwrap().value;
            expected.extend(results.iter().map(|result| one.answer(result)));
            own = next;
        }
        let together = changes(&mut many, &mut same);
        let apply = async |tx: &mut Tx<'_>| sync::apply(tx, &together, &Own::default()).await;
        let (results, _) = many.tablet.write(apply).await.unwrap().value;
        let answers: Vec<_> = results.iter().map(|result| many.answer(result)).collect();
        for (n, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
            assert_eq!(answer, expected, "seed {seed}, change {n}");
        }
        assert_eq!(many.parties().await, one.parties().await, "seed {seed}");
        for room in [&one, &many] {
            crate::replay::check(&room.tablet).await;
        }
    }
    house.close().await;
}

/// What is on the list, in one batch, and the batch's events: one of each party, with what it is
/// in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_tells_of_each_party_once() {
    let house = House::open().await;
    let ids = line(&house.tablet, 6).await;
    let before = house.tablet.head().await.last_seq;
    let items: Vec<Item> = [(0, 6), (3, 1), (3, 4), (5, 1), (0, 1)]
        .into_iter()
        .enumerate()
        .map(|(n, (who, place))| moving(n, ids[who], place))
        .collect();
    let update = async |tx: &mut Tx<'_>| batch::update(tx, new_id(), &items).await;
    house.tablet.write(update).await.unwrap();
    let mut line = Vec::new();
    for id in &ids {
        line.push(
            house
                .tablet
                .guest(*id)
                .await
                .unwrap()
                .wait_position
                .unwrap(),
        );
    }
    assert_eq!(line, [1, 3, 4, 6, 5, 2]);
    let after = house.tablet.head().await.last_seq;
    assert_eq!(
        after - before,
        6,
        "no transaction of a client's is complete"
    );
    house.close().await;
}
