//! The handle by which the owner commands the network.

use libp2p::{Multiaddr, PeerId};
use replication::{Announcement, LogHead, Peer, RequestId, SyncRequest};
use tokio::sync::{mpsc, oneshot};

use crate::driver::SwarmDriver;
use crate::limits::COMMANDS_MAX;
use crate::{Error, NetworkConfig, SwarmReport, address};

/// A running network. Clones command the same one; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    commands: mpsc::Sender<DriverCommand>,
    local: Peer,
}

/// What the driver is told. Wire bytes are made before, by the caller.
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
    /// Answers when the last connection to the peer is gone.
    Watch {
        peer: PeerId,
        gone: oneshot::Sender<()>,
    },
    Ban(PeerId),
    Peers(oneshot::Sender<Vec<Peer>>),
    Shutdown(oneshot::Sender<()>),
}

/// Starts listening and dialling; must be called inside a tokio runtime.
///
/// # Errors
/// [`Error::Address`], [`Error::Listen`], [`Error::Setup`], [`Error::Busy`].
pub fn start(config: NetworkConfig) -> Result<(NetworkHandle, mpsc::Receiver<SwarmReport>), Error> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let network = NetworkHandle { commands, local: config.key.peer() };
    let (driver, events) = SwarmDriver::new(&config, inbox, &network)?;
    tokio::spawn(driver.run());
    Ok((network, events))
}

impl NetworkHandle {
    /// Gossips heads to everybody. Nobody listening is no error.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Stopped`].
    pub async fn gossip_heads(&self, heads: Vec<LogHead>) -> Result<(), Error> {
        let bytes = Announcement { heads }.encode()?;
        self.send_command(DriverCommand::Announce(bytes)).await
    }

    /// Says heads to one peer. That they do not arrive is no error: they are told again.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Peer`], [`Error::Stopped`].
    pub async fn send_heads(&self, peer: &Peer, heads: Vec<LogHead>) -> Result<(), Error> {
        let bytes = Announcement { heads }.encode()?;
        self.send_command(DriverCommand::SendHeads { peer: address::to_peer_id(peer)?, bytes }).await
    }

    /// Asks a peer; [`Event::Block`]s and one [`Event::Finished`] follow under `request_id`.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Peer`], [`Error::Absent`], [`Error::Busy`],
    /// [`Error::Stopped`]; then no event follows.
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

    /// Ends a request; blocks already waiting and its [`Event::Finished`] still come.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn cancel_request(&self, request_id: RequestId) -> Result<(), Error> {
        self.send_command(DriverCommand::CancelRequest(request_id)).await
    }

    /// Connects to an address and says who is there.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Unreachable`], [`Error::Stopped`].
    pub async fn dial_address(&self, address: &str) -> Result<Peer, Error> {
        let peer = dial_resolved(&self.commands, address).await?;
        Ok(Peer(peer.to_string()))
    }

    /// Disconnects a peer and refuses it from now on, until this node restarts.
    ///
    /// # Errors
    /// [`Error::Peer`], [`Error::Stopped`].
    pub async fn ban_peer(&self, peer: &Peer) -> Result<(), Error> {
        self.send_command(DriverCommand::Ban(address::to_peer_id(peer)?)).await
    }

    /// The peers that are connected, in order of their names.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn connected_peers(&self) -> Result<Vec<Peer>, Error> {
        let (reply, answer) = oneshot::channel();
        self.send_command(DriverCommand::Peers(reply)).await?;
        answer.await.map_err(|_| Error::Stopped)
    }

    /// The name of this node.
    pub fn local_peer(&self) -> &Peer {
        &self.local
    }

    /// Ends all streams and connections in order. Done twice it does nothing.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.send_command(DriverCommand::Shutdown(reply)).await.is_ok() {
            // An error says that the driver is gone, which is what was wanted.
            let _ = done.await;
        }
    }

    pub(crate) fn command_sender(&self) -> &mpsc::Sender<DriverCommand> {
        &self.commands
    }

    async fn send_command(&self, command: DriverCommand) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Stopped)
    }
}

/// Tries each address behind `text` in turn, until one answers.
pub(crate) async fn dial_resolved(
    commands: &mpsc::Sender<DriverCommand>,
    text: &str,
) -> Result<PeerId, Error> {
    let unreachable = |reason| Error::Unreachable { address: text.into(), reason };
    let mut last = String::from("the name has no address");
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
