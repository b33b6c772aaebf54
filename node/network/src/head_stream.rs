//! Announcements to one peer: a stream with one message and no response.

use std::time::Duration;

use futures::io::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::Control;
use replication::Announcement;
use replication::limits::ANNOUNCEMENT_BYTES_MAX;
use tokio::sync::mpsc;

use crate::address;
use crate::behaviour::HEADS_PROTOCOL;
use crate::frame::{FrameError, read_frame, with_timeout, write_frame};
use crate::report::SwarmReport;

/// Sends an announcement to a peer. A loss is harmless, because heads are announced periodically.
pub(crate) async fn send_heads(mut control: Control, peer: PeerId, bytes: Vec<u8>, timeout: Duration) {
    let sent = async {
        let mut stream = control.open_stream(peer, HEADS_PROTOCOL).await.map_err(|_| FrameError::Broken)?;
        write_frame(&mut stream, &bytes).await?;
        stream.close().await.map_err(FrameError::from)
    };
    if let Err(error) = with_timeout(timeout, sent).await {
        tracing::debug!(%peer, ?error, "announcement not sent");
    }
}

/// Receives an announcement and reports its heads.
pub(crate) async fn receive_heads(
    mut stream: Stream,
    peer: PeerId,
    reports: mpsc::Sender<SwarmReport>,
    timeout: Duration,
) {
    let from = address::from_peer_id(peer);
    let report = match with_timeout(timeout, read_frame(&mut stream, ANNOUNCEMENT_BYTES_MAX)).await {
        Ok(bytes) => match Announcement::decode(&bytes) {
            Ok(announcement) => SwarmReport::HeadsReceived { from, heads: announcement.heads },
            Err(error) => SwarmReport::Misbehaved { peer: from, reason: error.to_string() },
        },
        Err(FrameError::Malformed) => {
            SwarmReport::Misbehaved { peer: from, reason: "announcement above the size limit".into() }
        }
        Err(_) => return,
    };
    // Fails if the owner stopped.
    let _ = reports.send(report).await;
}
