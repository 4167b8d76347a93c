//! Which moments and dates are taken from clients.
//!
//! Chrono reads years that PostgreSQL has no place for, and with which no time can be added up. So
//! whatever a client may write, a cursor's insides too, is read here: what passes can be stored,
//! compared and reckoned with.

use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Timelike, Utc};
use serde::de::{Deserialize, Deserializer, Error};

/// The first and the last year.
pub const YEARS: (i32, i32) = (1900, 9999);

/// What is said of others.
pub const OUT_OF_RANGE: &str = "must be between the years 1900 and 9999";

/// A moment that is taken: of these years, in microseconds as the database has them. A leap second
/// is none: to the database it is the next minute's first, which the client did not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub DateTime<Utc>);

/// A date that is taken: of these years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// Whether a date is taken.
#[must_use]
pub fn is_date(date: NaiveDate) -> bool {
    (YEARS.0..=YEARS.1).contains(&date.year())
}

/// Whether a moment is taken.
#[must_use]
pub fn is_moment(moment: DateTime<Utc>) -> bool {
    is_date(moment.date_naive()) && moment.nanosecond() < 1_000_000_000
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let moment = DateTime::<Utc>::deserialize(deserializer)?;
        if !is_date(moment.date_naive()) {
            return Err(D::Error::custom(OUT_OF_RANGE));
        }
        if !is_moment(moment) {
            return Err(D::Error::custom("must not be a leap second"));
        }
        Ok(Self(moment.trunc_subsecs(6)))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let date = NaiveDate::deserialize(deserializer)?;
        if is_date(date) {
            Ok(Self(date))
        } else {
            Err(D::Error::custom(OUT_OF_RANGE))
        }
    }
}

/// For `deserialize_with`: a moment that may be absent.
pub(crate) fn some_moment<'de, D>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error>
where
    D: Deserializer<'de>,
{
    let moment = Option::<Moment>::deserialize(deserializer)?;
    Ok(moment.map(|Moment(moment)| moment))
}

/// For `deserialize_with`: a moment that may be absent but not `null`.
pub(crate) fn present_moment<'de, D>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error>
where
    D: Deserializer<'de>,
{
    Moment::deserialize(deserializer).map(|Moment(moment)| Some(moment))
}

/// For `deserialize_with`: a date that may be absent.
pub(crate) fn some_date<'de, D>(deserializer: D) -> Result<Option<NaiveDate>, D::Error>
where
    D: Deserializer<'de>,
{
    let date = Option::<Date>::deserialize(deserializer)?;
    Ok(date.map(|Date(date)| date))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn moments_that_are_taken() {
        for (text, taken) in [
            ("1900-01-01T00:00:00Z", Some("1900-01-01T00:00:00Z")),
            (
                "9999-12-31T23:59:59.999999Z",
                Some("9999-12-31T23:59:59.999999Z"),
            ),
            (
                "2026-12-24T18:00:00.1234567+01:00",
                Some("2026-12-24T17:00:00.123456Z"),
            ),
            ("1899-12-31T23:59:59Z", None),
            ("1900-01-01T00:00:00+01:00", None),
            ("0000-01-01T00:00:00Z", None),
            ("-4713-01-01T00:00:00Z", None),
            ("-262143-01-01T00:00:00Z", None),
            ("+10000-01-01T00:00:00Z", None),
            ("9999-12-31T23:59:59-01:00", None),
            ("+262142-12-31T23:59:59Z", None),
            ("2026-12-31T23:59:60Z", None),
        ] {
            let moment = from_value::<Moment>(json!(text)).ok();
            let taken: Option<DateTime<Utc>> = taken.map(|text| text.parse().unwrap());
            assert_eq!(moment.map(|Moment(moment)| moment), taken, "{text}");
        }
    }

    #[test]
    fn dates_that_are_taken() {
        for (text, is_taken) in [
            ("1900-01-01", true),
            ("9999-12-31", true),
            ("1899-12-31", false),
            ("+10000-01-01", false),
            ("-0044-03-15", false),
        ] {
            assert_eq!(from_value::<Date>(json!(text)).is_ok(), is_taken, "{text}");
        }
    }
}
