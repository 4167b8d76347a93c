//! What is told of what a client did wrong: so much that it helps, and no more however much there
//! is. An answer that names each of a hundred thousand faults is of use to nobody but to whoever
//! wants the server to write it.

use std::borrow::Cow;

use wire::{FieldError, ItemError};

use crate::platform::errors::ApiError;

/// So many faults are told; of the rest it is said how many there are.
const TOLD: usize = 10;

/// So many faults are told of each of several changes.
const TOLD_OF_ITEM: usize = 5;

/// The longest name of a field, in bytes. A name that is not ours may be as long as the body.
pub(crate) const NAME: usize = 120;

const MESSAGE: usize = 400;
const SENTENCE: usize = 600;

/// Faults that are counted, of which the first ones are kept.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    told: Vec<FieldError>,
    count: usize,
}

impl Faults {
    /// Counts one; what it is is only asked while it would be told.
    pub(crate) fn note(&mut self, fault: impl FnOnce() -> FieldError) {
        if self.told.len() < TOLD {
            self.told.push(fault());
        }
        self.count += 1;
    }

    /// Counts some that are not told.
    pub(crate) fn add(&mut self, count: usize) {
        self.count += count;
    }

    /// Goes on, if there were none.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn check(self) -> Result<(), ApiError> {
        if self.count == 0 {
            Ok(())
        } else {
            Err(ApiError::faults(self.told, self.count))
        }
    }

    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&str> {
        self.told.iter().map(|fault| fault.field.as_str()).collect()
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// The fields that are told, shortened; and how many more there are of `count`.
pub(crate) fn fields(mut fields: Vec<FieldError>, count: usize) -> (Vec<FieldError>, usize) {
    fields.truncate(TOLD);
    let more = count.saturating_sub(fields.len());
    let fields = fields.into_iter().map(field).collect();
    (fields, more)
}

/// The same of changes.
pub(crate) fn items(mut items: Vec<ItemError>, count: usize) -> (Vec<ItemError>, usize) {
    items.truncate(TOLD);
    let more = count.saturating_sub(items.len());
    for item in &mut items {
        let fields = std::mem::take(&mut item.fields);
        item.fields = fields.into_iter().take(TOLD_OF_ITEM).map(field).collect();
        item.error = clean(std::mem::take(&mut item.error), MESSAGE);
    }
    (items, more)
}

/// A sentence as it is told.
pub(crate) fn sentence(sentence: Cow<'static, str>) -> Cow<'static, str> {
    match sentence {
        Cow::Borrowed(ours) => Cow::Borrowed(ours),
        Cow::Owned(text) => Cow::Owned(clean(text, SENTENCE)),
    }
}

fn field(fault: FieldError) -> FieldError {
    FieldError {
        field: clean(fault.field, NAME),
        message: clean(fault.message, MESSAGE),
    }
}

/// A text of at most so many bytes without control characters, which a terminal obeys and which
/// are six times as long in JSON.
pub(crate) fn clean(mut text: String, most: usize) -> String {
    let whole = text.len();
    text.truncate(cut(&text, most).len());
    let is_cut = text.len() < whole;
    if text.contains(char::is_control) {
        text = text.replace(char::is_control, "\u{fffd}");
    }
    let whole = text.len();
    text.truncate(cut(&text, most).len());
    if is_cut || text.len() < whole {
        text.push('…');
    }
    text
}

/// The beginning of a text: whole characters, at most so many bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(field: &str) -> FieldError {
        FieldError {
            field: field.to_owned(),
            message: "is wrong".to_owned(),
        }
    }

    #[test]
    fn the_first_ones_are_told_and_the_rest_is_counted() {
        let mut faults = Faults::default();
        for number in 0..340_000 {
            faults.note(|| fault(&format!("tags[{number}]")));
        }
        assert_eq!(faults.names().last(), Some(&"tags[9]"));
        let body = faults.check().unwrap_err().body("r-1");
        assert_eq!((body.fields.len(), body.more), (10, 339_990));
        assert_eq!(
            body.error,
            "340000 fields are not right. The first 10 are named."
        );
        assert!(Faults::default().check().is_ok());
    }

    #[test]
    fn no_answer_is_long() {
        for letter in ["x", "\u{1}", "ü", "🦀", "\""] {
            let long = letter.repeat(200_000);
            let fields = vec![
                FieldError {
                    field: long.clone(),
                    message: long.clone(),
                };
                400
            ];
            let items = vec![
                ItemError {
                    index: 0,
                    line: None,
                    entity: None,
                    id: None,
                    code: wire::ErrorCode::Invalid,
                    error: long.clone(),
                    fields: vec![fault(&long)],
                    current: None,
                };
                400
            ];
            let size = |error: ApiError| serde_json::to_vec(&error.body("r")).unwrap().len();
            assert!(size(ApiError::invalid(fields)) < 16 * 1024);
            assert!(size(ApiError::items(items, 400, long)) < 16 * 1024);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (text, most, cut) in [
            ("plain", 5, "plain"),
            ("plainer", 5, "plain…"),
            ("aü", 2, "a…"),
            ("🦀🦀", 4, "🦀…"),
            ("a\u{0}\u{1b}[31m", 20, "a\u{fffd}\u{fffd}[31m"),
            ("\u{0}\u{0}", 4, "\u{fffd}…"),
            ("", 0, ""),
        ] {
            assert_eq!(clean(text.to_owned(), most), cut);
        }
    }
}
