//! Which of the recorded statements belong to the measured request.
//!
//! They are recognised by their number: the requests come one after the other from one client, so
//! what each of them makes the server ask is there as often as there were requests, or a multiple
//! of that. What a worker does by the clock (due rows, presence, comparing heads, looking whether
//! a token is still good) and what came before the first request is seldom.

use std::collections::{BTreeSet, HashMap};

use anyhow::ensure;

use super::statements::{Log, Statement, Transaction};

/// `uuid` and `uuid[]`.
const UUIDS: [u32; 2] = [2950, 2951];

/// What a request makes the server ask.
#[derive(Debug)]
pub(super) struct Recording {
    /// One request each; no two are about the same ids.
    pub(super) requests: Vec<Vec<Transaction>>,
    /// The texts of what was left out, with how often each was there.
    pub(super) left_out: Vec<(String, usize)>,
}

/// Finds what `count` requests have asked, and keeps up to `most` of them, the last ones.
///
/// # Errors
/// When they cannot be told apart.
pub(super) fn find(log: &Log, count: usize, most: usize) -> anyhow::Result<Recording> {
    ensure!(
        count >= 20,
        "{count} requests are too few to tell them from the rest"
    );
    let mut frequencies: HashMap<Vec<&str>, usize> = HashMap::new();
    for transaction in &log.transactions {
        *frequencies.entry(shape(transaction)).or_default() += 1;
    }
    // Rounded, since a few warmed the server up.
    let per_request = |transaction: &Transaction| {
        let times = frequencies.get(&shape(transaction)).copied();
        (times.unwrap_or(0) + count / 2) / count
    };
    let theirs: Vec<&Transaction> = log
        .transactions
        .iter()
        .filter(|transaction| per_request(transaction) > 0)
        .collect();
    let each: usize = frequencies
        .values()
        .map(|times| (times + count / 2) / count)
        .sum();
    ensure!(
        each > 0,
        "no statement is there as often as there were requests"
    );
    // From the end: the server is warm there.
    let mut requests: Vec<Vec<Transaction>> = Vec::new();
    let mut known = BTreeSet::new();
    let whole = theirs.len() - theirs.len() % each;
    let pattern: Vec<_> = theirs
        .iter()
        .rev()
        .take(each)
        .map(|one| shape(one))
        .collect();
    for chunk in theirs.rchunks(each).take(whole / each) {
        let shapes: Vec<_> = chunk.iter().rev().map(|one| shape(one)).collect();
        ensure!(
            shapes == pattern,
            "the statements of two requests are mixed: {shapes:?}, {pattern:?}"
        );
        let request: Vec<Transaction> = chunk.iter().map(|one| (*one).clone()).collect();
        if requests.len() < most && known.insert(ids(log, &request)) {
            requests.push(request);
        }
    }
    let mut left_out: Vec<(String, usize)> = frequencies
        .iter()
        .filter(|(_, times)| (*times + count / 2) / count == 0)
        .map(|(shape, times)| (shape.join("; "), *times))
        .collect();
    left_out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(Recording { requests, left_out })
}

fn shape(transaction: &Transaction) -> Vec<&str> {
    transaction.iter().map(|one| one.sql.as_str()).collect()
}

/// All ids that a request has given.
fn ids(log: &Log, request: &[Transaction]) -> Vec<String> {
    let of = |statement: &Statement| -> Vec<String> {
        let types = log.types.get(&statement.sql);
        let numbered = (1..).zip(&statement.parameters);
        numbered
            .filter(|(number, _)| {
                types
                    .and_then(|types| types.get(number))
                    .is_some_and(|oid| UUIDS.contains(oid))
            })
            .filter_map(|(_, value)| value.clone())
            .collect()
    };
    request.iter().flatten().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn statement(sql: &str, id: Option<usize>) -> Statement {
        Statement {
            sql: sql.to_owned(),
            parameters: id.iter().map(|id| Some(id.to_string())).collect(),
            is_prepared: true,
        }
    }

    fn log(transactions: Vec<Transaction>) -> Log {
        let types = BTreeMap::from([(1, 2950)]);
        Log {
            transactions,
            types: HashMap::from([("UPDATE".to_owned(), types)]),
        }
    }

    #[test]
    fn what_is_there_as_often_as_requests_is_theirs() {
        let mut transactions = Vec::new();
        for number in 0..100 {
            transactions.push(vec![
                statement("BEGIN", None),
                statement("UPDATE", Some(number % 7)),
                statement("COMMIT", None),
            ]);
            if number % 9 == 0 {
                transactions.push(vec![statement("SELECT due", None)]);
            }
        }
        let recording = find(&log(transactions), 97, 50).unwrap();
        assert_eq!(recording.requests.len(), 7);
        assert!(recording.requests.iter().all(|one| one.len() == 1));
        assert_eq!(recording.left_out, [("SELECT due".to_owned(), 12)]);
    }

    #[test]
    fn a_request_may_be_several_transactions() {
        let transactions = (0..50)
            .flat_map(|_| ["head", "list"])
            .map(|sql| vec![statement(sql, None)])
            .collect();
        let recording = find(&log(transactions), 50, 50).unwrap();
        // All alike: one is enough.
        let [request] = recording.requests.as_slice() else {
            panic!("{recording:?}")
        };
        assert_eq!(request.concat()[0].sql, "head");
        assert_eq!(request.concat()[1].sql, "list");
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let seldom: Vec<Transaction> = (0..100)
            .map(|number| vec![statement(&format!("SELECT {number}"), None)])
            .collect();
        find(&log(seldom), 100, 50).unwrap_err();
        let mixed = ["head", "head", "list", "list"].repeat(30);
        let mixed = mixed.into_iter().map(|sql| vec![statement(sql, None)]);
        find(&log(mixed.collect()), 60, 50).unwrap_err();
        find(&Log::default(), 3, 50).unwrap_err();
    }
}
