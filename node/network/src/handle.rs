//! The handle through which the owner controls the network.

use libp2p::{Multiaddr, PeerId};
use replication::{Announcement, LogHead, Peer, RequestId, SyncRequest};
use tokio::sync::{mpsc, oneshot};

use crate::address;
use crate::error::Error;

/// Handle to a running network. Clones control the same network, which stops when the last one is
/// dropped.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    commands: mpsc::Sender<DriverCommand>,
    local: Peer,
}

/// A command for the driver. Messages are encoded by the caller, which reports their errors.
#[derive(Debug)]
pub(crate) enum DriverCommand {
    Announce(Vec<u8>),
    SendHeads {
        peer: PeerId,
        bytes: Vec<u8>,
    },
    SendRequest {
        peer: PeerId,
        request_id: RequestId,
        request: SyncRequest,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    CancelRequest(RequestId),
    Dial {
        address: Multiaddr,
        reply: oneshot::Sender<Result<PeerId, String>>,
    },
    /// Completes `gone` when the last connection to the peer is closed.
    Watch {
        peer: PeerId,
        gone: oneshot::Sender<()>,
    },
    Ban(PeerId),
    Peers(oneshot::Sender<Vec<Peer>>),
    Shutdown(oneshot::Sender<()>),
}

impl NetworkHandle {
    pub(crate) fn new(commands: mpsc::Sender<DriverCommand>, local: Peer) -> Self {
        Self { commands, local }
    }

    /// Publishes heads on the gossip topic. Not an error if no peer is subscribed.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Stopped`].
    pub async fn gossip_heads(&self, heads: Vec<LogHead>) -> Result<(), Error> {
        let bytes = Announcement { heads }.encode()?;
        self.send_command(DriverCommand::Announce(bytes)).await
    }

    /// Sends heads to one peer. A loss is not reported, because heads are announced periodically.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Peer`], [`Error::Stopped`].
    pub async fn send_heads(&self, peer: &Peer, heads: Vec<LogHead>) -> Result<(), Error> {
        let bytes = Announcement { heads }.encode()?;
        self.send_command(DriverCommand::SendHeads { peer: address::to_peer_id(peer)?, bytes }).await
    }

    /// Sends a request to a peer. [`crate::SwarmReport::BlockReceived`]s and one
    /// [`crate::SwarmReport::RequestFinished`] follow under `request_id`.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Peer`], [`Error::NotConnected`], [`Error::Busy`],
    /// [`Error::Stopped`]; in these cases no report follows.
    pub async fn send_request(
        &self,
        peer: &Peer,
        request_id: RequestId,
        request: SyncRequest,
    ) -> Result<(), Error> {
        request.encode()?;
        let (reply, answer) = oneshot::channel();
        self.send_command(DriverCommand::SendRequest {
            peer: address::to_peer_id(peer)?,
            request_id,
            request,
            reply,
        })
        .await?;
        answer.await.map_err(|_| Error::Stopped)?
    }

    /// Cancels a request. Blocks already queued and its [`crate::SwarmReport::RequestFinished`] still
    /// follow.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn cancel_request(&self, request_id: RequestId) -> Result<(), Error> {
        self.send_command(DriverCommand::CancelRequest(request_id)).await
    }

    /// Connects to an address and returns the peer found there.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Unreachable`], [`Error::Stopped`].
    pub async fn dial_address(&self, address: &str) -> Result<Peer, Error> {
        let peer = dial_resolved(&self.commands, address).await?;
        Ok(Peer(peer.to_string()))
    }

    /// Disconnects a peer and refuses its connections until this node restarts.
    ///
    /// # Errors
    /// [`Error::Peer`], [`Error::Stopped`].
    pub async fn ban_peer(&self, peer: &Peer) -> Result<(), Error> {
        self.send_command(DriverCommand::Ban(address::to_peer_id(peer)?)).await
    }

    /// Returns the connected peers, in ascending order.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn connected_peers(&self) -> Result<Vec<Peer>, Error> {
        let (reply, answer) = oneshot::channel();
        self.send_command(DriverCommand::Peers(reply)).await?;
        answer.await.map_err(|_| Error::Stopped)
    }

    /// Returns the peer id of this node.
    pub fn local_peer(&self) -> &Peer {
        &self.local
    }

    /// Closes all streams and connections. Calling it again has no effect.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.send_command(DriverCommand::Shutdown(reply)).await.is_ok() {
            // Fails if the driver has stopped already.
            let _ = done.await;
        }
    }

    async fn send_command(&self, command: DriverCommand) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Stopped)
    }
}

/// Resolves the address `text` and dials each result in turn until one connects.
pub(crate) async fn dial_resolved(
    commands: &mpsc::Sender<DriverCommand>,
    text: &str,
) -> Result<PeerId, Error> {
    let unreachable = |reason| Error::Unreachable { address: text.into(), reason };
    let mut last = String::from("the host name has no address");
    for address in address::resolve_host(&address::parse_multiaddr(text)?).await.map_err(unreachable)? {
        let (reply, answer) = oneshot::channel();
        commands.send(DriverCommand::Dial { address, reply }).await.map_err(|_| Error::Stopped)?;
        match answer.await.map_err(|_| Error::Stopped)? {
            Ok(peer) => return Ok(peer),
            Err(reason) => last = reason,
        }
    }
    Err(unreachable(last))
}
