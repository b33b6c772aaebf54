//! A node in memory that checks blocks as the service does.

use std::collections::{BTreeMap, BTreeSet};

use replication::{BlockRefusal, LogHead, LogView, SyncRequest};
use schemas::cid::{CID_BYTES, Cid, Codec, EntryId, PublisherId};

const SIGNED: u8 = 1;

/// A simplified entry: publisher, position, previous entry, links to blocks.
#[derive(Clone)]
pub struct TestEntry {
    pub publisher: Option<PublisherId>,
    pub sequence: u64,
    pub last: Option<EntryId>,
    pub links: Vec<Cid>,
    pub signed: bool,
}

fn bytes_of(id: Option<Cid>) -> [u8; CID_BYTES] {
    id.map_or([0; CID_BYTES], Cid::to_bytes)
}

fn links_in(bytes: &[u8]) -> Vec<Cid> {
    bytes.chunks_exact(CID_BYTES).map_while(|link| Cid::from_bytes(link).ok()).collect()
}

impl TestEntry {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![b'e', if self.signed { SIGNED } else { 0 }];
        bytes.extend(bytes_of(self.publisher.map(PublisherId::cid)));
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(bytes_of(self.last.map(EntryId::cid)));
        self.links.iter().for_each(|link| bytes.extend(link.to_bytes()));
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let [b'e', signed, rest @ ..] = bytes else { return None };
        let (publisher, rest) = rest.split_at(CID_BYTES);
        let (sequence, rest) = rest.split_at(8);
        let (last, links) = rest.split_at(CID_BYTES);
        let id = |bytes| Cid::from_bytes(bytes).ok();
        Some(Self {
            publisher: id(publisher).map(|id| PublisherId::try_from(id).unwrap()),
            sequence: u64::from_be_bytes(sequence.try_into().unwrap()),
            last: id(last).map(|id| EntryId::try_from(id).unwrap()),
            links: links_in(links),
            signed: *signed == SIGNED,
        })
    }
}

/// A block with links to others.
pub fn block(links: &[Cid], text: &str) -> (Cid, Vec<u8>) {
    let mut bytes = vec![b'b'];
    links.iter().for_each(|link| bytes.extend(link.to_bytes()));
    bytes.extend(text.bytes());
    (Cid::of(Codec::DagCbor, &bytes), bytes)
}

#[derive(Default)]
pub struct TestNode {
    pub logs: BTreeMap<PublisherId, Vec<EntryId>>,
    pub blocks: BTreeMap<Cid, Vec<u8>>,
    pub followed: BTreeSet<PublisherId>,
    /// One contradicting entry per forked log: one is proof enough.
    pub forks: BTreeMap<PublisherId, LogHead>,
    /// Number of unfollowed logs that are accepted.
    pub quota: usize,
}

impl TestNode {
    /// Appends an entry with a chain of `depth` blocks behind it to the log of `name`.
    pub fn publish(&mut self, publisher: Option<PublisherId>, name: &str, depth: usize) -> PublisherId {
        let log = publisher.and_then(|publisher| self.logs.get(&publisher)).cloned().unwrap_or_default();
        let mut links = Vec::new();
        for level in 0..depth {
            let (id, bytes) = block(&links, &format!("{name} {} {level}", log.len()));
            self.blocks.insert(id, bytes);
            links = vec![id];
        }
        if links.is_empty() {
            links.push(block(&[], name).0);
            self.blocks.insert(links[0], block(&[], name).1);
        }
        let (sequence, last) = (log.len() as u64, log.last().copied());
        let bytes = TestEntry { publisher, sequence, last, links, signed: true }.encode();
        let publisher = publisher.unwrap_or_else(|| PublisherId::of(&bytes));
        self.followed.insert(publisher);
        assert_eq!(self.store_block(EntryId::of(&bytes).cid(), &bytes), Ok(()));
        publisher
    }

    /// Checks a block and stores it.
    pub fn store_block(&mut self, id: Cid, bytes: &[u8]) -> Result<(), BlockRefusal> {
        if !id.matches(bytes) {
            return Err(BlockRefusal::HashMismatch);
        }
        match TestEntry::decode(bytes) {
            Some(entry) => self.append(id, entry, bytes),
            None => {
                self.blocks.insert(id, bytes.to_vec());
                Ok(())
            }
        }
    }

    fn append(&mut self, id: Cid, entry: TestEntry, bytes: &[u8]) -> Result<(), BlockRefusal> {
        let id = EntryId::try_from(id).map_err(|_| BlockRefusal::Invalid)?;
        let publisher = entry.publisher.unwrap_or(PublisherId::from(id));
        if !entry.signed || (entry.publisher.is_none() != (entry.sequence == 0)) {
            return Err(BlockRefusal::Invalid);
        }
        let log = self.logs.get(&publisher).cloned().unwrap_or_default();
        match log.get(entry.sequence as usize) {
            Some(stored) if *stored == id => return Ok(()),
            Some(_) => {
                let head = LogHead { publisher, length: entry.sequence + 1, last: id };
                self.forks.entry(publisher).or_insert(head);
                self.blocks.insert(id.cid(), bytes.to_vec());
                return Err(BlockRefusal::Forked);
            }
            None if !self.accepts_entries(publisher) => return Err(BlockRefusal::Unwanted),
            None if entry.sequence != log.len() as u64 || entry.last != log.last().copied() => {
                return Err(BlockRefusal::Discontinuous);
            }
            None => {}
        }
        self.blocks.insert(id.cid(), bytes.to_vec());
        self.logs.entry(publisher).or_default().push(id);
        Ok(())
    }

    /// Returns the blocks for a request.
    pub fn response_to(&self, request: &SyncRequest) -> Vec<(Cid, Vec<u8>)> {
        let ids: Vec<Cid> = match request {
            SyncRequest::Blocks { ids } => ids.clone(),
            SyncRequest::Entries { publisher, from, count } => {
                let log = self.logs.get(publisher).map(Vec::as_slice).unwrap_or_default();
                log.iter().skip(*from as usize).take(*count as usize).map(|id| id.cid()).collect()
            }
        };
        ids.iter().filter_map(|id| Some((*id, self.blocks.get(id)?.clone()))).collect()
    }

    /// Returns the blocks that the entries of a log link to.
    pub fn links(&self, publisher: PublisherId) -> Vec<Cid> {
        let entries = self.logs.get(&publisher).into_iter().flatten();
        entries
            .filter_map(|id| TestEntry::decode(self.blocks.get(&id.cid())?))
            .flat_map(|entry| entry.links)
            .collect()
    }

    /// Returns whether a followed log has this length and all its blocks.
    pub fn is_complete(&self, publisher: PublisherId, length: usize) -> bool {
        self.logs.get(&publisher).is_some_and(|log| log.len() == length)
            && self.missing_blocks(publisher, 1).is_empty()
    }
}

impl LogView for TestNode {
    fn all_heads(&self) -> Vec<LogHead> {
        let all_heads = self.logs.keys().filter_map(|publisher| self.log_head(*publisher));
        all_heads.chain(self.forks.values().copied()).collect()
    }

    fn log_head(&self, publisher: PublisherId) -> Option<LogHead> {
        let log = self.logs.get(&publisher)?;
        Some(LogHead { publisher, length: log.len() as u64, last: *log.last()? })
    }

    fn entry_id(&self, publisher: PublisherId, sequence: u64) -> Option<EntryId> {
        self.logs.get(&publisher)?.get(sequence as usize).copied()
    }

    fn has_fork(&self, publisher: PublisherId) -> bool {
        self.forks.contains_key(&publisher)
    }

    fn is_followed(&self, publisher: PublisherId) -> bool {
        self.followed.contains(&publisher)
    }

    fn accepts_entries(&self, publisher: PublisherId) -> bool {
        let strangers = self.logs.keys().filter(|stored| !self.is_followed(**stored)).count();
        self.is_followed(publisher) || self.logs.contains_key(&publisher) || strangers < self.quota
    }

    fn missing_blocks(&self, publisher: PublisherId, max: usize) -> Vec<Cid> {
        let mut missing_blocks = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next: Vec<Cid> =
            self.logs.get(&publisher).into_iter().flatten().map(|id| id.cid()).rev().collect();
        while let Some(id) = next.pop() {
            if missing_blocks.len() >= max || !seen.insert(id) {
                continue;
            }
            match self.blocks.get(&id) {
                None => missing_blocks.push(id),
                Some(bytes) => match TestEntry::decode(bytes) {
                    Some(entry) => next.extend(entry.links),
                    None => next.extend(links_in(&bytes[1..])),
                },
            }
        }
        missing_blocks
    }
}
