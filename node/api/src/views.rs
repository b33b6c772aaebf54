//! What the routes read again and again: the flows of all publishers and the tables of their
//! figures, ready for use.
//!
//! Holds nothing that could not be made again. Tables never change, for they are found by the id of
//! their content; the list of flows is made anew when the state of the node has changed.

mod catalogue;
mod figure_table;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::cid::ContentId;
use schemas::content;
use schemas::object::{Code, Dataset};
use service::query::{DatasetInfo, RecipeInfo};
use service::{Error, NodeEvent, Service, Storage};
use tokio::sync::broadcast;

pub(crate) use catalogue::{Catalogue, Flow, comparable_units};
pub(crate) use figure_table::{FigureTable, plot_value};

/// Cells of the tables that are kept ready: about 100 MB.
const CELLS_MAX: usize = 4 << 20;

/// The index of a node.
pub(crate) struct Views<K: Storage> {
    service: Service<K>,
    tables: Mutex<TableCache>,
    catalogue: Mutex<CatalogueState>,
}

/// The tables used last.
#[derive(Default)]
struct TableCache {
    tables: BTreeMap<ContentId, Arc<FigureTable>>,
    order: VecDeque<ContentId>,
    cells: usize,
}

/// The list of flows, and of what state of the node it is.
struct CatalogueState {
    notices: broadcast::Receiver<NodeEvent>,
    heads: Vec<(Vec<u8>, Vec<u8>)>,
    /// Counts the states of the node.
    generation: u64,
    catalogue: Option<Arc<Catalogue>>,
    /// What is known of contents that do not change.
    summaries: BTreeMap<ContentId, Arc<catalogue::FlowCoverage>>,
}

impl<K: Storage> Views<K> {
    pub(crate) fn new(service: Service<K>) -> Self {
        let latest = CatalogueState {
            notices: service.subscribe(),
            heads: Vec::new(),
            generation: 0,
            catalogue: None,
            summaries: BTreeMap::new(),
        };
        Self { service, tables: Mutex::default(), catalogue: Mutex::new(latest) }
    }

    /// The flows as they are now.
    pub(crate) fn catalogue(&self) -> Result<Arc<Catalogue>, Error> {
        let mut latest = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = latest.refresh(&self.service)?;
        if let Some(catalogue) = latest.catalogue.as_ref().filter(|_| !changed) {
            return Ok(Arc::clone(catalogue));
        }
        let made = Arc::new(self.build_catalogue(&mut latest)?);
        latest.catalogue = Some(Arc::clone(&made));
        Ok(made)
    }

    /// A number that is another one after every change of the node's state.
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
            // A content that is not whole here has no figures to list.
            let held = self.table(content).ok()?;
            let made = Arc::new(catalogue::FlowCoverage::from_table(&held)?);
            summaries.insert(content, Arc::clone(&made));
            Some(made)
        };
        Catalogue::new(&query, releases, summary)
    }

    /// A table of figures.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not whole here.
    pub(crate) fn table(&self, id: ContentId) -> Result<Arc<FigureTable>, Error> {
        if let Some(held) = self.lock_tables().tables.get(&id) {
            return Ok(Arc::clone(held));
        }
        let keep = self.service.storage();
        let unpacked = content::unpack_table(id, |id| keep.get(id).ok().flatten());
        let (_, table) = unpacked.map_err(|fault| Error::NotFound(format!("content {id}: {fault};")))?;
        let held = Arc::new(FigureTable::new(table));
        self.lock_tables().insert(id, &held);
        Ok(held)
    }

    fn lock_tables(&self) -> std::sync::MutexGuard<'_, TableCache> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every data set that is whole here.
    pub(crate) fn datasets(&self) -> Result<Vec<DatasetInfo>, Error> {
        self.service.query().list_datasets()
    }

    /// Every recipe that is held here.
    pub(crate) fn recipes(&self) -> Result<Vec<RecipeInfo>, Error> {
        self.service.query().list_recipes()
    }

    /// The codes of the areas in all data sets here.
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
    fn insert(&mut self, id: ContentId, held: &Arc<FigureTable>) {
        if self.tables.insert(id, Arc::clone(held)).is_none() {
            self.order.push_back(id);
            self.cells += held.cell_count();
        }
        while self.cells > CELLS_MAX && self.order.len() > 1 {
            let oldest = self.order.pop_front().and_then(|oldest| self.tables.remove(&oldest));
            self.cells -= oldest.map_or(0, |oldest| oldest.cell_count());
        }
    }
}

impl CatalogueState {
    /// Whether anything happened since the last time.
    fn refresh<K: Storage>(&mut self, service: &Service<K>) -> Result<bool, Error> {
        let mut changed = self.generation == 0;
        while let Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) = self.notices.try_recv() {
            changed = true;
        }
        // An answer to whoever published may be earlier than the notice of it.
        let heads = service.query().list_head_rows()?;
        changed |= heads != self.heads;
        self.heads = heads;
        self.generation += u64::from(changed);
        Ok(changed)
    }
}
