//! Countries and other areas.

use std::collections::BTreeSet;

use serde::Serialize;
use service::Storage;

use crate::Problem;
use crate::state::State;

/// A country or other area.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Area {
    code: String,
    name: String,
    alpha2: Option<&'static str>,
    m49: Option<String>,
    /// Whether the area is a group of other areas.
    aggregate: bool,
}

impl Area {
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Describes an area: by its name in the data sets if there is one, else by its ISO 3166-1 name.
    pub(crate) fn describe(code: &str, codes_by_area: Option<&schemas::object::Code>) -> Self {
        let country = rust_iso3166::from_alpha3(code);
        let named =
            codes_by_area.map(|codes_by_area| codes_by_area.name.to_string()).filter(|name| name != code);
        Self {
            code: code.to_owned(),
            name: named.or_else(|| country.map(|one| one.name.to_owned())).unwrap_or_else(|| code.to_owned()),
            alpha2: country.map(|one| one.alpha2),
            m49: country.map(|one| format!("{:03}", one.numeric)),
            aggregate: codes_by_area.is_some_and(|codes_by_area| codes_by_area.aggregate),
        }
    }
}

/// Returns all areas that have figures.
pub(crate) fn all_areas<K: Storage>(state: &State<K>) -> Result<Vec<Area>, Problem> {
    let codes_by_area = state.views.areas()?;
    let catalogue = state.views.catalogue()?;
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for flow in &catalogue.flows {
        let figures = state.views.table(flow.content)?;
        let Some(at) = figures.area_position() else { continue };
        codes.extend(figures.series.keys().filter_map(|key| key.values().get(at).cloned()));
    }
    Ok(codes.iter().map(|code| Area::describe(code, codes_by_area.get(code))).collect())
}
