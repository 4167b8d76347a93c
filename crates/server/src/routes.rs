//! Every route: the sum of the rooms' tables. A test below lists them with what is true of each.
//!
//! Canonical paths begin with `/api/v1`, which a middleware has taken off when these are matched,
//! as it does with `/api`.

use crate::platform::routing::Routes;
use crate::{audit, describe, floor, live, menu, pages, people, privacy, seen, together, venue};

/// All routes.
#[must_use]
pub fn routes() -> Routes {
    let rooms = [
        people::routes(),
        venue::routes(),
        floor::routes(),
        together::routes(),
        menu::routes(),
        audit::routes(),
        privacy::routes(),
        live::routes(),
        pages::routes(),
        seen::routes(),
        describe::routes(),
    ];
    rooms.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::platform::extract::BODY_LIMIT;
    use crate::platform::routing::{Kind, Row};

    fn line(row: &Row) -> String {
        let tier = row.tier.map_or("-", |tier| tier.as_str());
        let marks = [
            (row.takes_keys, "key"),
            (row.body_limit != BODY_LIMIT, "file"),
            (row.kind == Kind::Open, "open"),
            (row.is_page(), "page"),
            (row.has_secret(), "secret"),
            (row.asks_who_comes, "asks-who-comes"),
            (row.is_quiet, "quiet"),
        ];
        let marks = marks.iter().filter(|(is_so, _)| *is_so);
        let marks: Vec<_> = marks.map(|(_, mark)| *mark).collect();
        let need = format!("{:?}", row.need);
        let (method, path) = (row.method.as_str(), row.canonical);
        let line = format!(
            "{method:6} {path:56} {need:21} {tier:13} {}",
            marks.join(" ")
        );
        line.trim_end().to_owned()
    }

    /// The whole table, so that a change of what follows from method, path and need is seen.
    #[test]
    fn every_row() {
        let routes = routes();
        let lines: Vec<_> = routes.list().chain(routes.pages()).map(line).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        POST   /api/v1/auth/register                                    Public                registrations
        POST   /api/v1/auth/login                                       Public                logins        asks-who-comes
        POST   /api/v1/auth/refresh                                     Public                refreshes     asks-who-comes
        POST   /api/v1/auth/logout                                      Account               writes
        GET    /api/v1/auth/me                                          Account               reads
        PUT    /api/v1/auth/me                                          Account               writes
        PUT    /api/v1/auth/password                                    Account               writes
        POST   /api/v1/auth/password/reset                              Public                logins
        GET    /api/v1/auth/sessions                                    Account               reads
        DELETE /api/v1/auth/sessions/{sid}                              Account               writes
        GET    /api/v1/restaurants/{rid}/users                          Member(Manager)       reads
        PUT    /api/v1/restaurants/{rid}/users/{uid}                    Member(Manager)       writes
        DELETE /api/v1/restaurants/{rid}/users/{uid}                    MemberOrSelf(Manager) writes
        POST   /api/v1/restaurants/{rid}/users/{uid}/reset-link         Member(Manager)       writes        key
        POST   /api/v1/restaurants/{rid}/users                          Member(Manager)       writes        key
        GET    /api/v1/restaurants/{rid}/invitations                    Member(Manager)       reads
        GET    /api/v1/restaurants/{rid}/invitations/{iid}              Member(Manager)       reads
        DELETE /api/v1/restaurants/{rid}/invitations/{iid}              Member(Manager)       writes
        POST   /api/v1/restaurants/{rid}/invitations/{iid}/confirm      Member(Manager)       writes        key
        POST   /api/v1/invitations/lookup                               Public                writes
        POST   /api/v1/invitations/accept                               Public                registrations
        GET    /api/v1/restaurants/{rid}                                Member(Staff)         reads
        PUT    /api/v1/restaurants/{rid}                                Member(Manager)       writes
        GET    /api/v1/restaurants/{rid}/guests                         Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/guests                         Member(Staff)         writes        key
        GET    /api/v1/restaurants/{rid}/guests/{gid}                   Member(Staff)         reads
        PUT    /api/v1/restaurants/{rid}/guests/{gid}                   Member(Staff)         writes
        PATCH  /api/v1/restaurants/{rid}/guests/{gid}                   Member(Staff)         writes        key
        DELETE /api/v1/restaurants/{rid}/guests/{gid}                   Member(Staff)         writes
        GET    /api/v1/restaurants/{rid}/tables                         Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/tables                         Member(Manager)       writes        key
        GET    /api/v1/restaurants/{rid}/tables/{tid}                   Member(Staff)         reads
        PUT    /api/v1/restaurants/{rid}/tables/{tid}                   Member(Staff)         writes
        PATCH  /api/v1/restaurants/{rid}/tables/{tid}                   Member(Staff)         writes        key
        DELETE /api/v1/restaurants/{rid}/tables/{tid}                   Member(Manager)       writes
        PUT    /api/v1/restaurants/{rid}/tables/{tid}/clear             Member(Staff)         writes
        GET    /api/v1/restaurants/{rid}/reservations                   Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/reservations                   Member(Staff)         writes        key
        GET    /api/v1/restaurants/{rid}/reservations/{id}              Member(Staff)         reads
        PUT    /api/v1/restaurants/{rid}/reservations/{id}              Member(Staff)         writes
        PATCH  /api/v1/restaurants/{rid}/reservations/{id}              Member(Staff)         writes        key
        DELETE /api/v1/restaurants/{rid}/reservations/{id}              Member(Staff)         writes
        POST   /api/v1/restaurants/{rid}/reservations/{id}/check-in     Member(Staff)         writes        key
        POST   /api/v1/restaurants/{rid}/reservations/{id}/seat         Member(Staff)         writes        key
        GET    /api/v1/restaurants/{rid}/availability                   Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/holds                          Member(Staff)         writes        key
        DELETE /api/v1/restaurants/{rid}/holds/{id}                     Member(Staff)         writes
        GET    /api/v1/restaurants/{rid}/wait-quote                     Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/guests/{gid}/link              Member(Staff)         writes        key
        GET    /api/v1/restaurants/{rid}/guests/{gid}/own               Holder                reads
        DELETE /api/v1/restaurants/{rid}/guests/{gid}/own               Holder                writes
        POST   /api/v1/restaurants/{rid}/reservations/{id}/link         Member(Staff)         writes        key
        GET    /api/v1/restaurants/{rid}/reservations/{id}/own          Holder                reads
        DELETE /api/v1/restaurants/{rid}/reservations/{id}/own          Holder                writes
        GET    /api/v1/dashboard/{rid}                                  Member(Staff)         reads
        GET    /api/v1/restaurants/{rid}/dashboard-data                 Member(Staff)         reads
        GET    /api/v1/restaurants/{rid}/sync/full                      Member(Staff)         reads
        GET    /api/v1/restaurants/{rid}/sync/delta                     Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/sync/batch                     Member(Staff)         writes        key
        POST   /api/v1/restaurants/{rid}/batch-update                   Member(Staff)         writes        key
        POST   /api/v1/restaurants/{rid}/atomic                         Member(Staff)         writes        key
        POST   /api/v1/atomic/batch                                     Named(Staff)          writes        key
        GET    /api/v1/restaurants/{rid}/menu                           Public                reads
        POST   /api/v1/restaurants/{rid}/menu/import                    Member(Manager)       writes        key file
        GET    /api/v1/restaurants/{rid}/menu/export                    Member(Staff)         reads
        GET    /api/v1/restaurants/{rid}/menu/categories                Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/menu/categories                Member(Manager)       writes        key
        GET    /api/v1/restaurants/{rid}/menu/categories/{cid}          Member(Staff)         reads
        PUT    /api/v1/restaurants/{rid}/menu/categories/{cid}          Member(Manager)       writes
        PATCH  /api/v1/restaurants/{rid}/menu/categories/{cid}          Member(Manager)       writes        key
        DELETE /api/v1/restaurants/{rid}/menu/categories/{cid}          Member(Manager)       writes
        GET    /api/v1/restaurants/{rid}/dishes                         Member(Staff)         reads
        POST   /api/v1/restaurants/{rid}/dishes                         Member(Manager)       writes        key
        GET    /api/v1/restaurants/{rid}/dishes/{dishId}                Member(Staff)         reads
        PUT    /api/v1/restaurants/{rid}/dishes/{dishId}                Member(Staff)         writes
        PATCH  /api/v1/restaurants/{rid}/dishes/{dishId}                Member(Staff)         writes        key
        DELETE /api/v1/restaurants/{rid}/dishes/{dishId}                Member(Manager)       writes
        GET    /api/v1/dishes                                           Public                reads
        PATCH  /api/v1/dishes/{dishId}/toggle                           Named(Staff)          writes        key
        POST   /api/v1/menus/categories                                 Named(Manager)        writes        key
        POST   /api/v1/menus/items                                      Named(Manager)        writes        key
        GET    /api/v1/ws                                               Public                sockets       open
        GET    /api/v1/restaurants/{rid}/audit                          Member(Manager)       reads
        POST   /api/v1/restaurants/{rid}/privacy/export                 Member(Manager)       writes
        POST   /api/v1/restaurants/{rid}/privacy/erase                  Member(Manager)       writes        key
        GET    /api/v1/restaurants/{rid}/presence                       Member(Staff)         reads
        GET    /api/v1/realtime                                         Follow                sockets       open
        GET    /api/v1/realtime/events                                  Follow                sockets       open
        POST   /api/v1/realtime/tickets                                 Account               writes
        GET    /api/v1/realtime/subjects                                Holder                reads
        GET    /health                                                  Public                -             quiet
        GET    /health/live                                             Public                -             quiet
        GET    /health/ready                                            Public                -             quiet
        GET    /metrics                                                 Public                -             quiet
        GET    /openapi.json                                            Public                -
        GET    /asyncapi.json                                           Public                -
        GET    /w/{secret}                                              Public                reads         page secret
        POST   /w/{secret}                                              Public                writes        page secret
        GET    /i/{secret}                                              Public                reads         page secret
        POST   /i/{secret}                                              Public                registrations page secret
        GET    /r/{secret}                                              Public                reads         page secret
        POST   /r/{secret}                                              Public                logins        page secret
        GET    /r/done                                                  Public                -             page
        ");
    }

    #[test]
    fn no_two_rows_answer_the_same() {
        let routes = routes();
        let mut known = HashSet::new();
        for row in routes.list().chain(routes.pages()) {
            assert!(
                known.insert((row.method.clone(), row.path)),
                "{}",
                line(row)
            );
        }
    }
}
