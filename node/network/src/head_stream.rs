//! Heads told to one peer: a stream with one announcement, and nothing back.

use std::time::Duration;

use futures::io::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use replication::Announcement;
use replication::limits::ANNOUNCEMENT_BYTES_MAX;
use tokio::sync::mpsc;

use crate::behaviour::HEADS_PROTOCOL;
use crate::frame::{FrameError, read_frame, with_timeout, write_frame};
use crate::{SwarmReport, address};

/// Says an announcement to a peer. A loss is harmless: heads are told again.
pub(crate) async fn send_heads(mut control: Control, peer: PeerId, bytes: Vec<u8>, idle: Duration) {
    let told = async {
        let mut stream = control.open_stream(peer, HEADS_PROTOCOL).await.map_err(|_| FrameError::Broken)?;
        write_frame(&mut stream, &bytes).await?;
        stream.close().await.map_err(FrameError::from)
    };
    if let Err(fault) = with_timeout(idle, told).await {
        tracing::debug!(%peer, ?fault, "heads were not told");
    }
}

/// Reads what a peer tells.
pub(crate) async fn receive_heads(
    mut stream: Stream,
    peer: PeerId,
    events: mpsc::Sender<SwarmReport>,
    idle: Duration,
) {
    let from = address::from_peer_id(peer);
    let event = match with_timeout(idle, read_frame(&mut stream, ANNOUNCEMENT_BYTES_MAX)).await {
        Ok(bytes) => match Announcement::decode(&bytes) {
            Ok(announcement) => SwarmReport::HeadsReceived { from, heads: announcement.heads },
            Err(fault) => SwarmReport::Misbehaved { peer: from, reason: fault.to_string() },
        },
        Err(FrameError::Malformed) => {
            SwarmReport::Misbehaved { peer: from, reason: "heads beyond their bound".into() }
        }
        Err(_) => return,
    };
    // An error says that the owner is gone.
    let _ = events.send(event).await;
}
