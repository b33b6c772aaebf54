//! A peer of a core that answers at once.

use replication::{LogHead, Millis, Peer, RequestId, StreamOutcome, SyncAction, SyncEvent, SyncRequest};
use schemas::cid::Cid;
use schemas::content::Block;
use service::{Core, CoreOutput, Error, Storage};
use testkit::Publisher;

/// Rounds of asking and answering after which a core should have come to rest.
const ROUNDS_MAX: usize = 1000;

pub(crate) fn peer() -> Peer {
    Peer("peer".into())
}

/// The head of an publisher's log.
pub(crate) fn head(publisher: &Publisher) -> LogHead {
    LogHead { publisher: publisher.id(), length: publisher.log.length(), last: publisher.log.last() }
}

/// What a core wants to know, of what it gave out.
pub(crate) fn asks(outputs: Vec<CoreOutput>) -> Vec<(RequestId, SyncRequest)> {
    let ask = |output| match output {
        CoreOutput::Network(SyncAction::SendRequest { request_id, request, .. }) => {
            Some((request_id, request))
        }
        _ => None,
    };
    outputs.into_iter().filter_map(ask).collect()
}

/// What an publisher that is its own node would answer.
pub(crate) fn answer(publisher: &Publisher, request: &SyncRequest) -> Vec<Block> {
    let ids: Vec<Cid> = match request {
        SyncRequest::Blocks { ids } => ids.clone(),
        SyncRequest::Entries { from, count, .. } => {
            let entries = publisher.entries.iter().skip(*from as usize).take(*count as usize);
            entries.map(|entry| entry.id().cid()).collect()
        }
    };
    ids.into_iter().filter_map(|id| Some((id, publisher.blocks.get(&id)?.clone()))).collect()
}

/// Connects the peer and lets it tell heads.
pub(crate) fn tell<K: Storage>(core: &mut Core<K>, heads: Vec<LogHead>) -> Result<(), Error> {
    core.handle_event(Millis(0), SyncEvent::Connected(peer()))?;
    core.handle_event(Millis(0), SyncEvent::HeadsReceived { from: peer(), heads })
}

/// Answers what the core asks until it asks nothing more; gives its other outputs.
pub(crate) fn serve<K: Storage>(core: &mut Core<K>, publisher: &Publisher) -> Result<Vec<CoreOutput>, Error> {
    let mut rest = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let outputs = core.take_outputs();
        if outputs.is_empty() {
            return Ok(rest);
        }
        for output in outputs {
            let CoreOutput::Network(SyncAction::SendRequest { request_id, request, .. }) = output else {
                rest.push(output);
                continue;
            };
            for (id, bytes) in answer(publisher, &request) {
                core.accept_block(Millis(0), request_id, id, bytes)?;
            }
            core.handle_event(
                Millis(0),
                SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete },
            )?;
        }
    }
    panic!("the core asks without end");
}

/// Tells the core of the publisher's log and serves it.
pub(crate) fn sync<K: Storage>(core: &mut Core<K>, publisher: &Publisher) -> Result<Vec<CoreOutput>, Error> {
    tell(core, vec![head(publisher)])?;
    serve(core, publisher)
}
