//! What a set of objects needs to be whole, and which of it is not at hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemas::cid::Cid;
use schemas::object;

use crate::BlockSource;

/// Blocks that one walk visits: a log of a thousand releases of the largest panels.
pub const VISITED_MAX: usize = 4 << 20;

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DependencyWalk {
    /// Blocks that are not at hand, in the order met; at most as many as asked for.
    pub missing: Vec<Cid>,
    /// Blocks that are at hand but not what they should be.
    pub broken: Vec<(Cid, object::Error)>,
    /// Blocks that are at hand, in the order met.
    pub present: Vec<Cid>,
}

impl DependencyWalk {
    /// Whether everything is at hand and in order.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.broken.is_empty()
    }
}

/// Walks from `roots` through all that they need, breadth first, and stops once `missing_max`
/// absent blocks are known.
pub fn walk_dependencies(
    roots: impl IntoIterator<Item = Cid>,
    fetch: BlockSource<'_>,
    missing_max: usize,
) -> DependencyWalk {
    let mut reach = DependencyWalk::default();
    let mut queue: VecDeque<Cid> = VecDeque::new();
    let mut seen = BTreeSet::new();
    let mut push = |id: Cid, queue: &mut VecDeque<Cid>| {
        if seen.len() < VISITED_MAX && seen.insert(id) {
            queue.push_back(id);
        }
    };
    for root in roots {
        push(root, &mut queue);
    }
    while let Some(id) = queue.pop_front() {
        let Some(bytes) = fetch(id) else {
            reach.missing.push(id);
            if reach.missing.len() >= missing_max {
                break;
            }
            continue;
        };
        match object::block_dependencies(id, &bytes) {
            Ok(needs) => {
                reach.present.push(id);
                for need in needs {
                    push(need, &mut queue);
                }
            }
            Err(fault) => reach.broken.push((id, fault)),
        }
    }
    reach
}

/// The blocks reachable from `roots` with their bytes, for a bundle.
///
/// # Errors
/// The walk, when something is missing or broken.
pub fn collect_blocks(
    roots: impl IntoIterator<Item = Cid>,
    fetch: BlockSource<'_>,
) -> Result<BTreeMap<Cid, Vec<u8>>, DependencyWalk> {
    let reach = walk_dependencies(roots, fetch, schemas::verdict::MISSING_MAX);
    if !reach.is_complete() {
        return Err(reach);
    }
    Ok(reach.present.into_iter().filter_map(|id| fetch(id).map(|bytes| (id, bytes))).collect())
}
