//! Lists of words in queries.

use std::str::FromStr;

use crate::{Error, Result};

/// Reads a filter of words that are separated by commas.
pub(crate) fn words<T: FromStr<Err = wire::errors::UnknownWord> + PartialEq>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<Vec<T>>> {
    text.map(|text| {
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .try_fold(Vec::new(), |mut words, word| {
                let word = word
                    .parse()
                    .map_err(|error: T::Err| Error::invalid(field, error.to_string()))?;
                // So it has no more words than there are.
                if !words.contains(&word) {
                    words.push(word);
                }
                Ok(words)
            })
    })
    .transpose()
}
