//! What a JSON text says, however it is written: the order of its fields, blanks and escapes do not
//! count.
//!
//! The text is hashed as it would be written with its fields sorted, and is not turned into values
//! for that, which would be a hundred times as large as some texts are. Each level is looked at
//! once more than the one around it; so deep and so long a text as nobody sends is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The longest text of one change, in bytes: the longest one that can be made is half as long.
pub const BYTES: usize = 128 * 1024;

/// How deep lists and objects may be nested in a change.
pub const DEPTH: usize = 16;

/// Why a text has no meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Meaningless {
    /// It is too long.
    #[error("must have at most {BYTES} bytes")]
    Long,
    /// It is nested too deep.
    #[error("must be nested at most {DEPTH} deep")]
    Deep,
    /// It holds a number or a character that does not exist.
    #[error("is not valid JSON")]
    NoJson,
}

/// What tells a change from another: a hash of what it says.
///
/// # Errors
/// When it is too long, too deep, or no JSON.
pub fn fingerprint(change: &RawValue) -> Result<[u8; 32], Meaningless> {
    let mut hash = Sha256::new();
    add(&mut hash, change)?;
    Ok(hash.finalize().into())
}

/// The same of a list of changes; names the one that is at fault.
///
/// # Errors
/// As [`fingerprint`].
pub fn of_list(changes: &[Box<RawValue>]) -> Result<[u8; 32], (usize, Meaningless)> {
    let mut hash = Sha256::new();
    hash.update("[");
    for (index, change) in changes.iter().enumerate() {
        if index > 0 {
            hash.update(",");
        }
        add(&mut hash, change).map_err(|fault| (index, fault))?;
    }
    hash.update("]");
    Ok(hash.finalize().into())
}

fn add(hash: &mut Sha256, change: &RawValue) -> Result<(), Meaningless> {
    if change.get().len() > BYTES {
        return Err(Meaningless::Long);
    }
    write(hash, change.get(), DEPTH)
}

/// Hashes a text as it is written with its fields sorted; of those that are there twice the last
/// one counts. It may go so much deeper.
fn write(hash: &mut Sha256, text: &str, left: usize) -> Result<(), Meaningless> {
    let deeper = || left.checked_sub(1).ok_or(Meaningless::Deep);
    match text.as_bytes().first() {
        Some(b'{') => {
            let left = deeper()?;
            let fields: BTreeMap<String, &RawValue> = read(text)?;
            hash.update("{");
            for (index, (name, value)) in fields.into_iter().enumerate() {
                hash.update(if index > 0 { "," } else { "" });
                write_plain(hash, &name)?;
                hash.update(":");
                write(hash, value.get(), left)?;
            }
            hash.update("}");
        }
        Some(b'[') => {
            let left = deeper()?;
            let entries: Vec<&RawValue> = read(text)?;
            hash.update("[");
            for (index, entry) in entries.into_iter().enumerate() {
                hash.update(if index > 0 { "," } else { "" });
                write(hash, entry.get(), left)?;
            }
            hash.update("]");
        }
        Some(b'"') => write_plain(hash, &read::<String>(text)?)?,
        Some(b't' | b'f' | b'n') => hash.update(text),
        _ => write_plain(hash, &read::<Number>(text)?)?,
    }
    Ok(())
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Meaningless> {
    serde_json::from_str(text).map_err(|_| Meaningless::NoJson)
}

fn write_plain(hash: &mut Sha256, value: &impl Serialize) -> Result<(), Meaningless> {
    serde_json::to_writer(hash, value).map_err(|_| Meaningless::NoJson)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn of(text: &str) -> Result<[u8; 32], Meaningless> {
        fingerprint(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn what_is_written_otherwise_is_the_same() {
        let text = r#"{"op":"update","data":{"partySize":2,"guestName":"Zoë","tags":[],"x":null}}"#;
        let other = "{ \"data\" : {\"x\":null,\"tags\":[ ],\n\"guestName\":\"Zo\\u00eb\",\"partySize\":9,\"partySize\":2},\"op\":\"update\"}";
        assert_eq!(of(text), of(other));
        assert_ne!(of(text), of(&text.replace('2', "3")));
        assert_ne!(of("[[1],2]"), of("[[1,2]]"));
        assert_ne!(of("[1,2]"), of("[2,1]"));
    }

    /// What was kept by earlier versions is found again.
    #[test]
    fn it_is_the_hash_of_the_tree_of_values() {
        for text in [
            r#"{"b":[1,-2,2.50,1e3,true,false,null,"\u00e9\n\"",{"z":{},"a":[]}],"a":""}"#,
            "[]",
            "18446744073709551615",
            "-0.0",
            r#""x""#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let hash: [u8; 32] = Sha256::digest(serde_json::to_vec(&value).unwrap()).into();
            assert_eq!(of(text), Ok(hash), "{text}");
        }
        let list =
            [r#"{"b":1,"a":2}"#, "7"].map(|text| RawValue::from_string(text.into()).unwrap());
        let values: Value = serde_json::from_str(r#"[{"b":1,"a":2},7]"#).unwrap();
        let hash: [u8; 32] = Sha256::digest(serde_json::to_vec(&values).unwrap()).into();
        assert_eq!(of_list(&list), Ok(hash));
    }

    #[test]
    fn what_nobody_sends_is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(of(&nested(DEPTH)).is_ok());
        assert_eq!(of(&nested(DEPTH + 1)), Err(Meaningless::Deep));
        assert_eq!(of(&nested(60_000)), Err(Meaningless::Deep));
        let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert!(of(&long(BYTES)).is_ok());
        assert_eq!(of(&long(BYTES + 1)), Err(Meaningless::Long));
        assert_eq!(of(r#"{"x":1e999}"#), Err(Meaningless::NoJson));
        assert_eq!(of(r#"["\ud800"]"#), Err(Meaningless::NoJson));
    }
}
