//! Dependencies of objects: the blocks that must be stored for them to be complete.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemas::cid::Cid;
use schemas::object;

use crate::BlockSource;

/// Blocks visited by one walk: a log of a thousand releases of the largest panels.
pub const VISITED_MAX: usize = 4 << 20;

/// Result of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DependencyWalk {
    /// Missing blocks, in the order visited, up to the limit of the walk.
    pub missing: Vec<Cid>,
    /// Stored blocks that do not decode.
    pub broken: Vec<(Cid, object::Error)>,
    /// Stored blocks, in the order visited.
    pub present: Vec<Cid>,
}

impl DependencyWalk {
    /// Whether no block is missing or undecodable.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.broken.is_empty()
    }
}

/// Walks from `roots` through all dependencies, breadth first, and stops after `missing_max` missing
/// blocks.
pub fn walk_dependencies(
    roots: impl IntoIterator<Item = Cid>,
    fetch: BlockSource<'_>,
    missing_max: usize,
) -> DependencyWalk {
    let mut reach = DependencyWalk::default();
    let mut queue: VecDeque<Cid> = VecDeque::new();
    let mut seen = BTreeSet::new();
    let mut push = |id: Cid, queue: &mut VecDeque<Cid>| {
        // Foreign objects choose the links, so the graph is bounded, and each block is read once.
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
            Err(error) => reach.broken.push((id, error)),
        }
    }
    reach
}

/// The blocks reachable from `roots` with their bytes, for a bundle.
///
/// # Errors
/// The walk, when a block is missing or undecodable.
pub fn collect_blocks(
    roots: impl IntoIterator<Item = Cid>,
    fetch: BlockSource<'_>,
) -> Result<BTreeMap<Cid, Vec<u8>>, DependencyWalk> {
    let reach = walk_dependencies(roots, fetch, schemas::verdict::MISSING_MAX);
    if !reach.is_complete() {
        return Err(reach);
    }
    // The walk keeps ids only; blocks are read again once it is known that all are stored.
    Ok(reach.present.into_iter().filter_map(|id| fetch(id).map(|bytes| (id, bytes))).collect())
}
