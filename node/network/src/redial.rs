//! Redial of configured peers: dials a peer, waits until it disconnects, dials it again.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::handle::{DriverCommand, dial_resolved};
use crate::limits::{REDIAL_PAUSE, REDIAL_PAUSE_MAX};
use crate::report::SwarmReport;

/// Keeps one peer connected until the network stops. Holds the command queue weakly: a strong sender
/// would keep the driver running after the last handle is dropped.
pub(crate) async fn keep_connected(
    commands: mpsc::WeakSender<DriverCommand>,
    events: mpsc::Sender<SwarmReport>,
    address: String,
) {
    let mut pause = REDIAL_PAUSE;
    while let Some(strong) = commands.upgrade() {
        let dialled = dial_resolved(&strong, &address).await;
        let since = Instant::now();
        match dialled {
            Ok(peer) => {
                let (gone, lost) = oneshot::channel();
                if strong.send(DriverCommand::Watch { peer, gone }).await.is_err() {
                    return;
                }
                drop(strong);
                // An error has the same meaning: the driver dropped the watch.
                let _ = lost.await;
            }
            Err(Error::Stopped) => return,
            Err(error) => {
                drop(strong);
                if !report_unreachable(&events, &address, &error).await {
                    return;
                }
            }
        }
        // A peer that stayed connected for a while is dialled again soon; for one that disconnects each
        // time the pause keeps growing.
        pause = if since.elapsed() > REDIAL_PAUSE_MAX { REDIAL_PAUSE } else { pause };
        tokio::time::sleep(pause).await;
        pause = next_pause(pause);
    }
}

fn next_pause(pause: Duration) -> Duration {
    pause.saturating_mul(2).min(REDIAL_PAUSE_MAX)
}

async fn report_unreachable(events: &mpsc::Sender<SwarmReport>, address: &str, error: &Error) -> bool {
    let reason = match error {
        Error::Unreachable { reason, .. } => reason.clone(),
        error => error.to_string(),
    };
    events.send(SwarmReport::Unreachable { address: address.into(), reason }).await.is_ok()
}
