//! What a set of objects needs to be whole, and which of it is not at hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemas::cid::Cid;
use schemas::object;

use crate::Fetch;

/// Blocks that one walk visits: a log of a thousand releases of the largest panels.
pub const VISITED_MAX: usize = 4 << 20;

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Blocks that are not at hand, in the order met; at most as many as asked for.
    pub missing: Vec<Cid>,
    /// Blocks that are at hand but not what they should be.
    pub broken: Vec<(Cid, object::Error)>,
    /// Blocks that are at hand, in the order met.
    pub held: Vec<Cid>,
}

impl Reach {
    /// Whether everything is at hand and in order.
    pub fn whole(&self) -> bool {
        self.missing.is_empty() && self.broken.is_empty()
    }
}

/// Walks from `roots` through all that they need, breadth first, and stops once `missing_max`
/// absent blocks are known.
pub fn walk(roots: impl IntoIterator<Item = Cid>, fetch: Fetch<'_>, missing_max: usize) -> Reach {
    let mut reach = Reach::default();
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
        match object::needs(id, &bytes) {
            Ok(needs) => {
                reach.held.push(id);
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
pub fn collect(
    roots: impl IntoIterator<Item = Cid>,
    fetch: Fetch<'_>,
) -> Result<BTreeMap<Cid, Vec<u8>>, Reach> {
    let reach = walk(roots, fetch, schemas::verdict::MISSING_MAX);
    if !reach.whole() {
        return Err(reach);
    }
    Ok(reach.held.into_iter().filter_map(|id| fetch(id).map(|bytes| (id, bytes))).collect())
}
