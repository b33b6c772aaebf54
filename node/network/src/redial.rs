//! Keeps a configured peer connected: dials it, waits until it is lost, dials it again.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::handle::{DriverCommand, dial_resolved};
use crate::limits::{REDIAL_PAUSE, REDIAL_PAUSE_MAX};
use crate::{Error, SwarmReport};

/// Runs until the network stops. Holds the command queue weakly, or it would never stop.
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
                // An error says the same: the driver dropped the watch.
                let _ = lost.await;
            }
            Err(Error::Stopped) => return,
            Err(fault) => {
                drop(strong);
                if !report_unreachable(&events, &address, &fault).await {
                    return;
                }
            }
        }
        // A peer that stayed a while is dialled at once; one that hangs up each time is not.
        pause = if since.elapsed() > REDIAL_PAUSE_MAX { REDIAL_PAUSE } else { pause };
        tokio::time::sleep(pause).await;
        pause = next_pause(pause);
    }
}

fn next_pause(pause: Duration) -> Duration {
    pause.saturating_mul(2).min(REDIAL_PAUSE_MAX)
}

async fn report_unreachable(events: &mpsc::Sender<SwarmReport>, address: &str, fault: &Error) -> bool {
    let reason = match fault {
        Error::Unreachable { reason, .. } => reason.clone(),
        fault => fault.to_string(),
    };
    events.send(SwarmReport::Unreachable { address: address.into(), reason }).await.is_ok()
}
