//! What may be set in a restaurant: each room has a section of the settings, says what cannot be set
//! in it, and does what follows when it is set otherwise. They are listed in `rooms.rs`.

use async_trait::async_trait;
use wire::rooms::RestaurantSettings;

use crate::Result;
use crate::checks::Checks;
use crate::db::Tx;
use crate::rooms::SETTINGS;

/// What one room has to set.
#[async_trait]
pub(crate) trait Section: Sync {
    /// Notes what cannot be, whatever else there is in the restaurant.
    fn check(&self, checks: &mut Checks, settings: &RestaurantSettings);

    /// Notes what cannot be because of what there is. The restaurant's row is locked.
    ///
    /// # Errors
    /// When the database is away.
    async fn allow(
        &self,
        _tx: &mut Tx<'_>,
        _before: &RestaurantSettings,
        _after: &RestaurantSettings,
        _checks: &mut Checks,
    ) -> Result<()> {
        Ok(())
    }

    /// Does what follows from the change, which is written and told.
    ///
    /// # Errors
    /// When the database is away.
    async fn follow(
        &self,
        _tx: &mut Tx<'_>,
        _before: &RestaurantSettings,
        _after: &RestaurantSettings,
    ) -> Result<()> {
        Ok(())
    }
}

/// Notes what cannot be in any section.
pub(crate) fn check(checks: &mut Checks, settings: &RestaurantSettings) {
    for section in SETTINGS {
        section.check(checks, settings);
    }
}

/// Refuses a change that what there is does not allow.
///
/// # Errors
/// [`crate::Error::Invalid`].
pub(crate) async fn allow(
    tx: &mut Tx<'_>,
    before: &RestaurantSettings,
    after: &RestaurantSettings,
) -> Result<()> {
    let mut checks = Checks::new();
    for section in SETTINGS {
        section.allow(tx, before, after, &mut checks).await?;
    }
    checks.finish()
}

/// Does what follows from a change.
///
/// # Errors
/// When the database is away.
pub(crate) async fn follow(
    tx: &mut Tx<'_>,
    before: &RestaurantSettings,
    after: &RestaurantSettings,
) -> Result<()> {
    for section in SETTINGS {
        section.follow(tx, before, after).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wire::rooms::UpdateSettings;
    use wire::settings::Change;

    use super::*;

    fn faults(json: serde_json::Value) -> Vec<String> {
        let change: UpdateSettings = serde_json::from_value(json).unwrap();
        let mut settings = RestaurantSettings::default();
        change.make(&mut settings);
        let mut checks = Checks::new();
        check(&mut checks, &settings);
        match checks.finish() {
            Err(crate::Error::Invalid(faults)) => {
                faults.into_iter().map(|fault| fault.field).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_can_be_set() {
        let table = |n: u128| uuid::Uuid::from_u128(n);
        let good = serde_json::json!({
            "opening_hours": [
                {"weekday": "friday", "opensMinute": 690, "closesMinute": 870},
                {"weekday": "friday", "opens_minute": 1080, "closes_minute": 1560},
            ],
            "hoursExceptions": [{"date": "2026-12-24", "reason": "Christmas Eve"}],
            "pauses": [{"from": "2026-11-21T19:00:00Z", "until": "2026-11-22T04:00:00Z"}],
            "turnTimes": [{"maxPartySize": 2, "minutes": 75}, {"maxPartySize": 4, "minutes": 90}],
            "defaultTurnMinutes": 120,
            "pacing": {"maxCovers": 20},
            "sections": [{"name": "Main"}, {"name": "Bar", "walkInOnly": true}],
            "joinableGroups": [{"tableIds": [table(1), table(2)], "maxPartySize": 8}],
            "notifiedTimeoutMinutes": null,
            "notifiedTimeoutStatus": "no_show",
            "reserve_tables_minutes_before": 240,
        });
        assert_eq!(faults(good), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be() {
        let hours = |opens: i32, closes: i32| serde_json::json!({"weekday": "monday", "opensMinute": opens, "closesMinute": closes});
        let nil = uuid::Uuid::nil();
        for (json, expected) in [
            (
                serde_json::json!({"openingHours": [hours(600, 600)]}),
                "settings.openingHours[0].closesMinute",
            ),
            (
                serde_json::json!({"openingHours": [hours(600, 2041)]}),
                "settings.openingHours[0].closesMinute",
            ),
            (
                serde_json::json!({"openingHours": [hours(-1, 60)]}),
                "settings.openingHours[0].opensMinute",
            ),
            (
                serde_json::json!({"openingHours": [hours(600, 900), hours(899, 960)]}),
                "settings.openingHours[1]",
            ),
            (
                serde_json::json!({"hoursExceptions": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]}),
                "settings.hoursExceptions[1].date",
            ),
            (
                serde_json::json!({"pauses": [{"from": "-5000-01-01T00:00:00Z", "until": "2026-11-21T19:00:00Z"}]}),
                "settings.pauses[0].from",
            ),
            (
                serde_json::json!({"hoursExceptions": [{"date": "+262142-12-31"}]}),
                "settings.hoursExceptions[0].date",
            ),
            (
                serde_json::json!({"pauses": [{"from": "2026-11-21T19:00:00Z", "until": "2026-11-21T19:00:00Z"}]}),
                "settings.pauses[0].until",
            ),
            (
                serde_json::json!({"turnTimes": [{"maxPartySize": 4, "minutes": 90}, {"maxPartySize": 4, "minutes": 90}]}),
                "settings.turnTimes[1].maxPartySize",
            ),
            (
                serde_json::json!({"defaultTurnMinutes": 0}),
                "settings.defaultTurnMinutes",
            ),
            (
                serde_json::json!({"pacing": {"maxParties": 0}}),
                "settings.pacing.maxParties",
            ),
            (
                serde_json::json!({"sections": [{"name": "A"}, {"name": "A"}]}),
                "settings.sections[1].name",
            ),
            (
                serde_json::json!({"joinableGroups": [{"tableIds": [nil, nil]}]}),
                "settings.joinableGroups[0].tableIds",
            ),
            (
                serde_json::json!({"notifiedTimeoutMinutes": 0}),
                "settings.notifiedTimeoutMinutes",
            ),
            (
                serde_json::json!({"reserveTablesMinutesBefore": 241}),
                "settings.reserveTablesMinutesBefore",
            ),
        ] {
            assert_eq!(faults(json.clone()), [expected], "{json}");
        }
    }
}
