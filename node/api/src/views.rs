//! Results that several routes and the dashboard share, and the in-memory caches behind them.
//!
//! Everything here can be rebuilt from the store. Tables are identified by content id and never change;
//! the catalogue of flows is rebuilt when the state of the node changes.

pub(crate) mod areas;
mod catalogue;
pub(crate) mod country;
pub(crate) mod figure;
mod figure_table;
mod provenance;
pub(crate) mod publisher;
pub(crate) mod recipe;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::cid::ContentId;
use schemas::content;
use schemas::object::{Code, Dataset};
use service::query::{DatasetInfo, RecipeInfo};
use service::{Error, NodeEvent, Service, Storage};
use tokio::sync::broadcast;

pub(crate) use catalogue::{Catalogue, Flow, comparable_units};
pub(crate) use figure_table::{FigureMark, FigureTable, plot_value};

/// Cells of all cached tables: about 100 MB.
const CELLS_MAX: usize = 4 << 20;

/// Caches of a node.
pub(crate) struct Views<K: Storage> {
    service: Service<K>,
    tables: Mutex<TableCache>,
    catalogue: Mutex<CatalogueState>,
}

/// Recently used tables.
#[derive(Default)]
struct TableCache {
    tables: BTreeMap<ContentId, Arc<FigureTable>>,
    order: VecDeque<ContentId>,
    cells: usize,
}

/// The catalogue of flows, and the state of the node from which it was built.
struct CatalogueState {
    notices: broadcast::Receiver<NodeEvent>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// Incremented with every change of the node's state.
    generation: u64,
    catalogue: Option<Arc<Catalogue>>,
    /// Coverage by content id. Contents never change, so entries stay valid.
    summaries: BTreeMap<ContentId, Arc<catalogue::FlowCoverage>>,
}

impl<K: Storage> Views<K> {
    pub(crate) fn new(service: Service<K>) -> Self {
        let latest = CatalogueState {
            notices: service.subscribe(),
            rows: Vec::new(),
            generation: 0,
            catalogue: None,
            summaries: BTreeMap::new(),
        };
        Self { service, tables: Mutex::default(), catalogue: Mutex::new(latest) }
    }

    /// Returns the current catalogue of flows.
    pub(crate) fn catalogue(&self) -> Result<Arc<Catalogue>, Error> {
        // Locked while building, so that concurrent requests wait for one build instead of repeating
        // it.
        let mut latest = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = latest.refresh(&self.service)?;
        if let Some(catalogue) = latest.catalogue.as_ref().filter(|_| !changed) {
            return Ok(Arc::clone(catalogue));
        }
        let result = Arc::new(self.build_catalogue(&mut latest)?);
        latest.catalogue = Some(Arc::clone(&result));
        Ok(result)
    }

    /// Returns a number that changes whenever the state of the node changes.
    pub(crate) fn generation(&self) -> Result<u64, Error> {
        let mut latest = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.refresh(&self.service)? {
            latest.catalogue = None;
        }
        Ok(latest.generation)
    }

    fn build_catalogue(&self, latest: &mut CatalogueState) -> Result<Catalogue, Error> {
        let query = self.service.query();
        let releases = query.list_releases()?;
        let summaries = &mut latest.summaries;
        let summary = |content: ContentId| {
            if let Some(known) = summaries.get(&content) {
                return Some(Arc::clone(known));
            }
            // An incomplete content cannot be listed.
            let figures = self.table(content).ok()?;
            let result = Arc::new(catalogue::FlowCoverage::from_table(&figures)?);
            summaries.insert(content, Arc::clone(&result));
            Some(result)
        };
        Catalogue::new(&query, releases, summary)
    }

    /// Returns the table of a content.
    ///
    /// # Errors
    /// [`Error::NotFound`] if blocks are missing.
    pub(crate) fn table(&self, id: ContentId) -> Result<Arc<FigureTable>, Error> {
        if let Some(figures) = self.lock_tables().tables.get(&id) {
            return Ok(Arc::clone(figures));
        }
        let storage = self.service.storage();
        let unpacked = content::unpack_table(id, |id| storage.get(id).ok().flatten());
        let (_, table) = unpacked.map_err(|error| Error::NotFound(format!("content {id}: {error};")))?;
        let figures = Arc::new(FigureTable::new(table));
        self.lock_tables().insert(id, &figures);
        Ok(figures)
    }

    fn lock_tables(&self) -> std::sync::MutexGuard<'_, TableCache> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all data sets that are stored completely.
    pub(crate) fn datasets(&self) -> Result<Vec<DatasetInfo>, Error> {
        self.service.query().list_datasets()
    }

    /// Returns all stored recipes.
    pub(crate) fn recipes(&self) -> Result<Vec<RecipeInfo>, Error> {
        self.service.query().list_recipes()
    }

    /// Returns the area codes of all data sets.
    pub(crate) fn areas(&self) -> Result<BTreeMap<String, Code>, Error> {
        let query = self.service.query();
        let mut areas = BTreeMap::new();
        for info in query.list_datasets()? {
            let dataset: &Dataset = &info.dataset;
            let content: schemas::object::Content = query.read_object(dataset.content.cid())?;
            let structure: schemas::object::Structure = query.read_object(content.structure.cid())?;
            let codes = structure.codes.into_iter().filter(|(name, _)| name.as_str() == figure_table::AREA);
            areas.extend(codes.flat_map(|(_, codes)| codes).map(|code| (code.id.to_string(), code)));
        }
        Ok(areas)
    }
}

impl TableCache {
    fn insert(&mut self, id: ContentId, figures: &Arc<FigureTable>) {
        if self.tables.insert(id, Arc::clone(figures)).is_none() {
            self.order.push_back(id);
            self.cells += figures.cell_count();
        }
        // The newest table stays, even if it exceeds the bound alone.
        while self.cells > CELLS_MAX && self.order.len() > 1 {
            let oldest = self.order.pop_front().and_then(|oldest| self.tables.remove(&oldest));
            self.cells -= oldest.map_or(0, |oldest| oldest.cell_count());
        }
    }
}

impl CatalogueState {
    /// Updates the generation; returns whether the state of the node changed since the last call.
    fn refresh<K: Storage>(&mut self, service: &Service<K>) -> Result<bool, Error> {
        // The first call always builds the catalogue.
        let mut changed = self.generation == 0;
        // A lagged receiver lost notices, which is a change as well.
        while let Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) = self.notices.try_recv() {
            changed = true;
        }
        // The response to a publication can precede its notice, so the rows are compared as well.
        let rows = service.query().list_state_rows()?;
        changed |= rows != self.rows;
        self.rows = rows;
        self.generation += u64::from(changed);
        Ok(changed)
    }
}
