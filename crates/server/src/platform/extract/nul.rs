//! NUL characters, which PostgreSQL's `text` cannot hold.
//!
//! Refused for all bodies and queries here, once, so that no insert ever fails for it.

use std::borrow::Cow;

use wire::FieldError;

use super::fields::{camel, push};
use crate::platform::faults;
use crate::platform::faults::Faults;

const MESSAGE: &str = "must not contain NUL characters";

/// As a NUL is written in JSON, where a raw control character cannot stand.
const ESCAPE: &[u8] = b"\\u0000";

/// So deep the places of a body are named.
const DEPTH: usize = 32;

/// The places of a JSON text where a string holds a NUL. To be asked once the text has been read:
/// of what is no JSON nothing is said.
///
/// Most bodies hold no such escape and are only searched for it. The others are gone through once,
/// byte by byte, with nothing kept but where in the body it is: where a place is named its path is
/// made, and for no other. (`\\u0000` is a harmless backslash: hence the second look.) It is not
/// for serde to find them, as it does not look at what nobody reads.
pub(super) fn in_json(body: &[u8]) -> Faults {
    let mut scan = Scan {
        body,
        at: 0,
        open: Vec::new(),
        deeper: 0,
        found: Faults::default(),
    };
    if memchr::memmem::find(body, ESCAPE).is_some() {
        scan.run();
    }
    scan.found
}

struct Scan<'b> {
    body: &'b [u8],
    at: usize,
    /// The lists and objects that are open, down to [`DEPTH`].
    open: Vec<Open<'b>>,
    /// How many more are open within these.
    deeper: usize,
    found: Faults,
}

enum Open<'b> {
    /// A list, and the place in it.
    List(usize),
    /// An object, its present key with its quotes, and whether the next string is a key.
    Object { key: &'b [u8], is_key: bool },
}

impl<'b> Scan<'b> {
    fn run(&mut self) {
        while let Some(byte) = self.body.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => self.string(),
                b'[' => self.enter(Open::List(0)),
                b'{' => self.enter(Open::Object {
                    key: b"",
                    is_key: true,
                }),
                b']' | b'}' => self.leave(),
                b',' => match self.here() {
                    Some(Open::List(index)) => *index += 1,
                    Some(Open::Object { is_key, .. }) => *is_key = true,
                    None => {}
                },
                b':' => {
                    if let Some(Open::Object { is_key, .. }) = self.here() {
                        *is_key = false;
                    }
                }
                _ => {}
            }
        }
    }

    fn enter(&mut self, open: Open<'b>) {
        if self.open.len() < DEPTH {
            self.open.push(open);
        } else {
            self.deeper += 1;
        }
    }

    fn leave(&mut self) {
        match self.deeper.checked_sub(1) {
            Some(deeper) => self.deeper = deeper,
            None => {
                self.open.pop();
            }
        }
    }

    /// What is open here, where it is known.
    fn here(&mut self) -> Option<&mut Open<'b>> {
        (self.deeper == 0).then(|| self.open.last_mut()).flatten()
    }

    /// Goes through a string, of which the first quote has been read.
    fn string(&mut self) {
        let start = self.at - 1;
        let mut holds_nul = false;
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let Some(next) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.body.len();
                break;
            };
            let (_, rest) = rest.split_at(next);
            if rest.first() == Some(&b'"') {
                self.at += next + 1;
                break;
            }
            holds_nul |= rest.starts_with(ESCAPE);
            // Whatever is escaped, its first letter ends nothing.
            self.at += next + 2;
        }
        let text = self.body.get(start..self.at).unwrap_or_default();
        if let Some(Open::Object { key, is_key: true }) = self.here() {
            *key = text;
        }
        if holds_nul {
            let (open, is_whole) = (&self.open, self.deeper == 0);
            self.found.note(|| FieldError {
                field: path(open, is_whole),
                message: MESSAGE.to_owned(),
            });
        }
    }
}

fn path(open: &[Open<'_>], is_whole: bool) -> String {
    let mut path = String::new();
    for step in open {
        match step {
            Open::List(index) => path.push_str(&format!("[{index}]")),
            Open::Object { key, .. } => push(&mut path, &camel(&decoded(key))),
        }
        if path.len() > faults::NAME {
            break;
        }
    }
    if !is_whole {
        path.push('…');
    }
    if path.is_empty() {
        path.push_str("body");
    }
    path
}

/// A key, as far as it is named.
fn decoded(key: &[u8]) -> String {
    let key = match serde_json::from_slice::<Cow<'_, str>>(key) {
        Ok(key) => key,
        Err(_) => String::from_utf8_lossy(key),
    };
    faults::clean(key.into_owned(), faults::NAME)
}

/// The names of a query string whose value holds a NUL.
pub(super) fn in_query(query: &str) -> Faults {
    let mut found = Faults::default();
    if query.contains("%00") {
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.contains('\0') {
                found.note(|| FieldError {
                    field: name.into_owned(),
                    message: MESSAGE.to_owned(),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_place() {
        let body = br#"{"guest_name":"a\u0000b","tags":["ok","\u0000"],"a":{"k\u0000":1},"fine":"\\u0000"}"#;
        assert_eq!(
            in_json(body).names(),
            ["guestName", "tags[1]", "a.k\u{fffd}"]
        );
        for (body, places) in [
            (r#"{"fine":"\\u0000"}"#, &[] as &[&str]),
            (r#"{"fine":"\\\\u0000\"\\u0000"}"#, &[]),
            (r#""\u0000""#, &["body"]),
            (r#"[[1,2],{"a":[{},"\\\u0000"]}]"#, &["[1].a[1]"]),
            (r#"{"a":{"b":1},"c":"x","d":"\u0000"}"#, &["d"]),
            (r#"{"a\"b":{"c,:[{":"\u0000"}}"#, &["a\"b.c,:[{"]),
            (r#"{"\u0000":{"x":"\u0000"}}"#, &["\u{fffd}", "\u{fffd}.x"]),
            // What serde would not look at, or stumble over.
            (
                r#"{"number":1e999,"half":"\ud800","name":"\u0000"}"#,
                &["name"],
            ),
        ] {
            assert_eq!(in_json(body.as_bytes()).names(), places, "{body}");
        }
        assert_eq!(in_query("q=a%00b&status=x").names(), ["q"]);
    }

    #[test]
    fn a_long_name_over_many_items_is_told_ten_times_and_short() {
        let (key, items) = ("k".repeat(200_000), vec![r#""\u0000""#; 8_000].join(","));
        let found = in_json(format!("{{\"{key}\":[{items}]}}").as_bytes());
        assert_eq!((found.count(), found.names().len()), (8_000, 10));
        let longest = found.names().iter().map(|name| name.len()).max();
        assert!(longest < Some(150), "{longest:?}");
    }

    #[test]
    fn depth_costs_nothing() {
        let (open, close) = (r#"[{"a":"#.repeat(50_000), "}]".repeat(50_000));
        let found = in_json(format!(r#"[{open}"\u0000"{close},"\u0000"]"#).as_bytes());
        assert_eq!(found.count(), 2);
        assert!(found.names()[0].ends_with('…') && found.names()[0].len() < 200);
        assert_eq!(found.names()[1], "[1]");
    }

    #[test]
    fn what_is_no_json_stops_nothing() {
        for body in [
            r#""\u0000"#,
            r#"]]}}"\u0000"#,
            r#"{"a" "\u0000" [}"#,
            "\"\\u0000\\",
            ",,::\\u0000",
        ] {
            let _found = in_json(body.as_bytes());
        }
    }
}
