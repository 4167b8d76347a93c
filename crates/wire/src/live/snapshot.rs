//! Everything that a device follows, at one position of the log.

use chrono::{DateTime, Utc};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::position::{Epoch, Seq};

/// Everything a device needs to go on from one position, read in one transaction: the state after
/// event `seq` and before event `seq + 1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// What each room shows, as fields beside those below.
    #[serde(flatten, skip_deserializing)]
    #[schema(ignore)]
    pub sections: Sections,
    /// When it was read.
    pub last_updated: DateTime<Utc>,
    /// The life of the log that `seq` counts in.
    pub epoch: Epoch,
    /// The last event that is contained.
    #[schema(value_type = i64)]
    pub seq: Seq,
}

/// What a room shows in a snapshot. Its fields become fields of the snapshot, so rooms must not use
/// each other's names.
pub trait Section: ToSchema {
    /// Writes each of its fields.
    ///
    /// # Errors
    /// When one cannot be written as JSON.
    fn write(&self, to: &mut Sections) -> serde_json::Result<()>;
}

/// Fields of a snapshot in their order, written as JSON.
#[derive(Clone, Debug, Default)]
pub struct Sections(Vec<(&'static str, Box<RawValue>)>);

impl Sections {
    /// Adds a field.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn add(&mut self, name: &'static str, value: &impl Serialize) -> serde_json::Result<()> {
        self.0.push((name, to_raw_value(value)?));
        Ok(())
    }

    /// The names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl PartialEq for Sections {
    fn eq(&self, other: &Self) -> bool {
        let fields = |sections: &Self| -> Vec<_> {
            let fields = sections.0.iter();
            fields
                .map(|(name, value)| (*name, value.get().to_owned()))
                .collect()
        };
        fields(self) == fields(other)
    }
}

impl Serialize for Sections {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            fields.serialize_entry(name, value)?;
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::frames::SessionFrame;

    #[test]
    fn sections_stand_beside_the_position() {
        let mut sections = Sections::default();
        sections.add("tickets", &["soup"]).unwrap();
        sections.add("stations", &2).unwrap();
        let snapshot = Snapshot {
            sections,
            last_updated: DateTime::UNIX_EPOCH,
            epoch: "0191d3a0-0000-7000-8000-000000000001".parse().unwrap(),
            seq: 7,
        };
        let fields = r#""tickets":["soup"],"stations":2,"lastUpdated":"1970-01-01T00:00:00Z","#;
        let position = r#""epoch":"0191d3a0-0000-7000-8000-000000000001","seq":7"#;
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(text, format!("{{{fields}{position}}}"));
        let frame = SessionFrame::FullSync(Box::new(snapshot));
        let text = serde_json::to_string(&frame).unwrap();
        assert_eq!(
            text,
            format!(r#"{{"type":"full_sync",{fields}{position}}}"#)
        );
        // Programs that know none of the rooms read where it stands.
        let read: Snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!((read.seq, read.sections), (7, Sections::default()));
    }
}
