//! Pages of lists that have no other filter.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Which page. The next one is in the answer's `Link`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
    /// From the `Link` of the page before.
    pub cursor: Option<String>,
}
