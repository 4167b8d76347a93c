//! How parties are seated and told: what may be set, and what cannot be.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use wire::TableId;
use wire::floor::settings::FloorSettings;
use wire::rooms::RestaurantSettings;

use super::reserved;
use crate::Result;
use crate::checks::{Checks, few};
use crate::db::Tx;
use crate::schema::tables;
use crate::settings::Section;

/// Turn times, pacing, sections, and what time brings.
pub(crate) struct OfFloor;

#[async_trait]
impl Section for OfFloor {
    fn check(&self, checks: &mut Checks, settings: &RestaurantSettings) {
        let settings = &settings.floor;
        let mut largest = 0;
        for (index, turn) in few(checks, "settings.turnTimes", &settings.turn_times, 20) {
            let field = format!("settings.turnTimes[{index}]");
            let size = turn.max_party_size;
            if size > 100 || size <= largest {
                checks.fault(
                    &format!("{field}.maxPartySize"),
                    "must be at most 100 and greater than the one before",
                );
            }
            largest = size;
            checks.number(&format!("{field}.minutes"), Some(turn.minutes), 15..=1440);
        }
        checks.number(
            "settings.defaultTurnMinutes",
            Some(settings.default_turn_minutes),
            15..=1440,
        );
        let pacing = settings.pacing;
        checks.number("settings.pacing.maxCovers", pacing.max_covers, 1..=10_000);
        checks.number("settings.pacing.maxParties", pacing.max_parties, 1..=10_000);
        let mut names = BTreeSet::new();
        for (index, section) in few(checks, "settings.sections", &settings.sections, 50) {
            let field = format!("settings.sections[{index}].name");
            checks.name(&field, Some(&section.name), 1..=60);
            if !names.insert(&section.name) {
                checks.fault(&field, "is there twice");
            }
        }
        check_groups(checks, settings);
        checks.number(
            "settings.notifiedTimeoutMinutes",
            settings.notified_timeout_minutes,
            1..=240,
        );
        checks.number(
            "settings.reserveTablesMinutesBefore",
            settings.reserve_tables_minutes_before,
            1..=240,
        );
    }

    /// Joinable tables are tables of the restaurant. One that is removed later leaves its group
    /// unused.
    async fn allow(
        &self,
        tx: &mut Tx<'_>,
        before: &RestaurantSettings,
        after: &RestaurantSettings,
        checks: &mut Checks,
    ) -> Result<()> {
        let groups = &after.floor.joinable_groups;
        if *groups == before.floor.joinable_groups {
            return Ok(());
        }
        let asked: BTreeSet<TableId> = groups
            .iter()
            .flat_map(|group| group.table_ids.iter().copied())
            .collect();
        let there: Vec<TableId> = tables::table
            .filter(tables::restaurant_id.eq(tx.restaurant_id()))
            .filter(tables::id.eq_any(&asked))
            .select(tables::id)
            .load(tx.conn)
            .await?;
        for (index, group) in groups.iter().enumerate() {
            if group.table_ids.iter().any(|table| !there.contains(table)) {
                let field = format!("settings.joinableGroups[{index}].tableIds");
                checks.fault(&field, "names a table that is not there");
            }
        }
        Ok(())
    }

    async fn follow(
        &self,
        tx: &mut Tx<'_>,
        before: &RestaurantSettings,
        after: &RestaurantSettings,
    ) -> Result<()> {
        let lead = after.floor.reserve_tables_minutes_before;
        if lead != before.floor.reserve_tables_minutes_before {
            reserved::reschedule(tx, lead).await?;
        }
        Ok(())
    }
}

fn check_groups(checks: &mut Checks, settings: &FloorSettings) {
    let groups = &settings.joinable_groups;
    for (index, group) in few(checks, "settings.joinableGroups", groups, 100) {
        let field = format!("settings.joinableGroups[{index}]");
        let distinct: BTreeSet<_> = group.table_ids.iter().collect();
        if !(2..=10).contains(&distinct.len()) || distinct.len() != group.table_ids.len() {
            checks.fault(
                &format!("{field}.tableIds"),
                "must be 2–10 different tables",
            );
        }
        checks.number(
            &format!("{field}.minPartySize"),
            group.min_party_size,
            1..=100,
        );
        checks.number(
            &format!("{field}.maxPartySize"),
            group.max_party_size,
            1..=100,
        );
        if let (Some(least), Some(most)) = (group.min_party_size, group.max_party_size)
            && least > most
        {
            checks.fault(
                &format!("{field}.maxPartySize"),
                "must be at least minPartySize",
            );
        }
    }
}
