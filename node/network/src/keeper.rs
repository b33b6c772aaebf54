//! Keeps a configured peer connected: dials it, waits until it is lost, dials it again.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::handle::{Command, dial};
use crate::limits::{REDIAL, REDIAL_MAX};
use crate::{Error, Event};

/// Runs until the network stops. Holds the command queue weakly, or it would never stop.
pub(crate) async fn keep(commands: mpsc::WeakSender<Command>, events: mpsc::Sender<Event>, address: String) {
    let mut pause = REDIAL;
    while let Some(strong) = commands.upgrade() {
        let dialled = dial(&strong, &address).await;
        let since = Instant::now();
        match dialled {
            Ok(peer) => {
                let (gone, lost) = oneshot::channel();
                if strong.send(Command::Watch { peer, gone }).await.is_err() {
                    return;
                }
                drop(strong);
                // An error says the same: the driver dropped the watch.
                let _ = lost.await;
            }
            Err(Error::Stopped) => return,
            Err(fault) => {
                drop(strong);
                if !report(&events, &address, &fault).await {
                    return;
                }
            }
        }
        // A peer that stayed a while is dialled at once; one that hangs up each time is not.
        pause = if since.elapsed() > REDIAL_MAX { REDIAL } else { pause };
        tokio::time::sleep(pause).await;
        pause = doubled(pause);
    }
}

fn doubled(pause: Duration) -> Duration {
    pause.saturating_mul(2).min(REDIAL_MAX)
}

async fn report(events: &mpsc::Sender<Event>, address: &str, fault: &Error) -> bool {
    let reason = match fault {
        Error::Unreachable { reason, .. } => reason.clone(),
        fault => fault.to_string(),
    };
    events.send(Event::Unreachable { address: address.into(), reason }).await.is_ok()
}
