//! Heads told to one peer: a stream with one announcement, and nothing back.

use std::time::Duration;

use futures::io::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use replication::Announcement;
use replication::limits::ANNOUNCEMENT_BYTES_MAX;
use tokio::sync::mpsc;

use crate::behaviour::HEADS;
use crate::frame::{Fault, read_frame, timed, write_frame};
use crate::{Event, address};

/// Says an announcement to a peer. A loss is harmless: heads are told again.
pub(crate) async fn tell(mut control: Control, peer: PeerId, bytes: Vec<u8>, idle: Duration) {
    let told = async {
        let mut stream = control.open_stream(peer, HEADS).await.map_err(|_| Fault::Lost)?;
        write_frame(&mut stream, &bytes).await?;
        stream.close().await.map_err(Fault::from)
    };
    if let Err(fault) = timed(idle, told).await {
        tracing::debug!(%peer, ?fault, "heads were not told");
    }
}

/// Reads what a peer tells.
pub(crate) async fn hear(mut stream: Stream, peer: PeerId, events: mpsc::Sender<Event>, idle: Duration) {
    let from = address::name(peer);
    let event = match timed(idle, read_frame(&mut stream, ANNOUNCEMENT_BYTES_MAX)).await {
        Ok(bytes) => match Announcement::decode(&bytes) {
            Ok(announcement) => Event::Heads { from, heads: announcement.heads },
            Err(fault) => Event::Misbehaved { peer: from, reason: fault.to_string() },
        },
        Err(Fault::Malformed) => Event::Misbehaved { peer: from, reason: "heads beyond their bound".into() },
        Err(_) => return,
    };
    // An error says that the owner is gone.
    let _ = events.send(event).await;
}
