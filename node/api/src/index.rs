//! What the routes read again and again: the flows of all publishers and the tables of their
//! figures, ready for use.
//!
//! Holds nothing that could not be made again. Tables never change, for they are found by the id of
//! their content; the list of flows is made anew when the state of the node has changed.

mod flow;
mod held;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::cid::ContentId;
use schemas::content;
use schemas::object::{Code, Dataset};
use service::query::{DatasetInfo, RecipeInfo};
use service::{Error, Keep, Notice, Service};
use tokio::sync::broadcast;

pub(crate) use flow::{Catalogue, Flow, alike};
pub(crate) use held::{Held, number};

/// Cells of the tables that are kept ready: about 100 MB.
const CELLS_MAX: usize = 4 << 20;

/// The index of a node.
pub(crate) struct Index<K: Keep> {
    service: Service<K>,
    tables: Mutex<Tables>,
    catalogue: Mutex<Latest>,
}

/// The tables used last.
#[derive(Default)]
struct Tables {
    held: BTreeMap<ContentId, Arc<Held>>,
    order: VecDeque<ContentId>,
    cells: usize,
}

/// The list of flows, and of what state of the node it is.
struct Latest {
    notices: broadcast::Receiver<Notice>,
    heads: Vec<(Vec<u8>, Vec<u8>)>,
    /// Counts the states of the node.
    generation: u64,
    catalogue: Option<Arc<Catalogue>>,
    /// What is known of contents that do not change.
    summaries: BTreeMap<ContentId, Arc<flow::Summary>>,
}

impl<K: Keep> Index<K> {
    pub(crate) fn new(service: Service<K>) -> Self {
        let latest = Latest {
            notices: service.notices(),
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
        let changed = latest.changed(&self.service)?;
        if let Some(catalogue) = latest.catalogue.as_ref().filter(|_| !changed) {
            return Ok(Arc::clone(catalogue));
        }
        let made = Arc::new(self.made(&mut latest)?);
        latest.catalogue = Some(Arc::clone(&made));
        Ok(made)
    }

    /// A number that is another one after every change of the node's state.
    pub(crate) fn generation(&self) -> Result<u64, Error> {
        let mut latest = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.changed(&self.service)? {
            latest.catalogue = None;
        }
        Ok(latest.generation)
    }

    fn made(&self, latest: &mut Latest) -> Result<Catalogue, Error> {
        let query = self.service.query();
        let releases = query.releases()?;
        let summaries = &mut latest.summaries;
        let summary = |content: ContentId| {
            if let Some(known) = summaries.get(&content) {
                return Some(Arc::clone(known));
            }
            // A content that is not whole here has no figures to list.
            let held = self.table(content).ok()?;
            let made = Arc::new(flow::Summary::of(&held)?);
            summaries.insert(content, Arc::clone(&made));
            Some(made)
        };
        Catalogue::new(&query, releases, summary)
    }

    /// A table of figures.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not whole here.
    pub(crate) fn table(&self, id: ContentId) -> Result<Arc<Held>, Error> {
        if let Some(held) = self.tables().held.get(&id) {
            return Ok(Arc::clone(held));
        }
        let keep = self.service.keep();
        let unpacked = content::unpack(id, |id| keep.get(id).ok().flatten());
        let (_, table) = unpacked.map_err(|fault| Error::Unknown(format!("content {id}: {fault};")))?;
        let held = Arc::new(Held::new(table));
        self.tables().put(id, &held);
        Ok(held)
    }

    fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every data set that is whole here.
    pub(crate) fn datasets(&self) -> Result<Vec<DatasetInfo>, Error> {
        self.service.query().datasets()
    }

    /// Every recipe that is held here.
    pub(crate) fn recipes(&self) -> Result<Vec<RecipeInfo>, Error> {
        self.service.query().recipes()
    }

    /// The codes of the areas in all data sets here.
    pub(crate) fn areas(&self) -> Result<BTreeMap<String, Code>, Error> {
        let query = self.service.query();
        let mut areas = BTreeMap::new();
        for info in query.datasets()? {
            let dataset: &Dataset = &info.dataset;
            let content: schemas::object::Content = query.object(dataset.content.cid())?;
            let structure: schemas::object::Structure = query.object(content.structure.cid())?;
            let codes = structure.codes.into_iter().filter(|(name, _)| name.as_str() == held::AREA);
            areas.extend(codes.flat_map(|(_, codes)| codes).map(|code| (code.id.to_string(), code)));
        }
        Ok(areas)
    }
}

impl Tables {
    fn put(&mut self, id: ContentId, held: &Arc<Held>) {
        if self.held.insert(id, Arc::clone(held)).is_none() {
            self.order.push_back(id);
            self.cells += held.cells();
        }
        while self.cells > CELLS_MAX && self.order.len() > 1 {
            let oldest = self.order.pop_front().and_then(|oldest| self.held.remove(&oldest));
            self.cells -= oldest.map_or(0, |oldest| oldest.cells());
        }
    }
}

impl Latest {
    /// Whether anything happened since the last time.
    fn changed<K: Keep>(&mut self, service: &Service<K>) -> Result<bool, Error> {
        let mut changed = self.generation == 0;
        while let Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) = self.notices.try_recv() {
            changed = true;
        }
        // An answer to whoever published may be earlier than the notice of it.
        let heads = service.query().heads()?;
        changed |= heads != self.heads;
        self.heads = heads;
        self.generation += u64::from(changed);
        Ok(changed)
    }
}
