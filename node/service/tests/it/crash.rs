//! A node that stops at any write, and starts again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::verify::verify_release;
use replication::LogView;
use schemas::cid::{Cid, ReleaseId};
use service::query::LedgerQuery;
use service::storage::IndexRow;
use service::{Core, CoreOutput, Error, MemoryStorage, Storage};
use store::{IndexTree, WriteBatch};
use testkit::Publisher;
use testkit::node_core::open_core;
use testkit::publisher::retraction_bytes;

use super::fixtures::publisher_with_release;
use super::peer::{head, serve, tell};

/// Memory that takes so many batches and then no more, like a disk that is full or a process that
/// is killed.
#[derive(Clone)]
struct Frail {
    memory: MemoryStorage,
    left: Arc<AtomicUsize>,
}

impl Storage for Frail {
    fn has(&self, id: Cid) -> Result<bool, store::Error> {
        self.memory.has(id)
    }

    fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, store::Error> {
        self.memory.get(id)
    }

    fn commit(&self, batch: WriteBatch) -> Result<(), store::Error> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(store::Error::MissingSegment { segment: 1 });
        }
        self.left.store(left - 1, Ordering::Relaxed);
        self.memory.commit(batch)
    }

    fn row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        self.memory.row(tree, key)
    }

    fn rows(&self, tree: IndexTree, prefix: &[u8]) -> Result<Vec<IndexRow>, store::Error> {
        self.memory.rows(tree, prefix)
    }
}

/// All that a node may do; begun again after each crash.
fn script(core: &mut Core<Frail>, publisher: &Publisher, rival: &Publisher) -> Result<(), Error> {
    if core.own_publisher().is_none() {
        core.adopt_identity(Publisher::new(50).genesis())?;
    }
    core.publish(&retraction_bytes("mine"), Vec::new(), 0)?;
    core.follow(publisher.id())?;
    tell(core, vec![head(publisher)])?;
    let outputs = serve(core, publisher)?;
    let keep = core.storage();
    for output in outputs {
        if let CoreOutput::Verify(release) = output {
            core.record_verification(&verify_release(release, &|id| keep.get(id).unwrap()), 0)?;
        }
    }
    tell(core, vec![head(rival)])?;
    serve(core, rival).map(|_| ())
}

fn frail(memory: &MemoryStorage, left: usize) -> Frail {
    Frail { memory: memory.clone(), left: Arc::new(AtomicUsize::new(left)) }
}

#[test]
fn a_crash_at_any_write_loses_nothing_and_leaves_nothing_half_done() {
    let mut publisher = publisher_with_release(1);
    let mut rival = publisher.clone();
    publisher.retract("left");
    rival.retract("right");
    let release = ReleaseId::try_from(publisher.entries[3].value().object()).unwrap();
    let mut stops = 0;
    for writes in 0.. {
        let memory = MemoryStorage::default();
        let mut core = open_core(frail(&memory, usize::MAX), 50);
        core = {
            drop(core);
            open_core(frail(&memory, writes), 50)
        };
        let first = script(&mut core, &publisher, &rival);
        let whole = first.is_ok() && core.storage().left.load(Ordering::Relaxed) > 0;
        drop(core);
        let mut core = open_core(frail(&memory, usize::MAX), 50);
        script(&mut core, &publisher, &rival)
            .unwrap_or_else(|error| panic!("after {writes} writes: {error}"));
        let query = LedgerQuery(&memory);
        let own = core.own_publisher().unwrap();
        assert_eq!(
            LogView::log_head(&core, own).unwrap().length,
            3,
            "after {writes} writes: identity, mine, attested"
        );
        assert!(query.local_verdict(release).unwrap().is_some(), "after {writes} writes");
        assert_eq!(query.list_attestations(release).unwrap().len(), 1, "after {writes} writes");
        assert!(LogView::has_fork(&core, publisher.id()), "after {writes} writes");
        assert_eq!(core.entry_ids(publisher.id(), 0, 9).unwrap().len(), 5, "after {writes} writes");
        stops += 1;
        if whole {
            break;
        }
    }
    assert!(stops > 10, "{stops} writes were tried");
}
