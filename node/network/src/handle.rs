//! The handle by which the owner commands the network.

use libp2p::{Multiaddr, PeerId};
use replication::{Announcement, Head, Peer, Request, Ticket};
use tokio::sync::{mpsc, oneshot};

use crate::driver::Driver;
use crate::limits::COMMANDS_MAX;
use crate::{Config, Error, Event, address};

/// A running network. Clones command the same one; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct Network {
    commands: mpsc::Sender<Command>,
    local: Peer,
}

/// What the driver is told. Wire bytes are made before, by the caller.
#[derive(Debug)]
pub(crate) enum Command {
    Announce(Vec<u8>),
    Tell {
        peer: PeerId,
        bytes: Vec<u8>,
    },
    Ask {
        peer: PeerId,
        ticket: Ticket,
        request: Request,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    Cancel(Ticket),
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
pub fn start(config: Config) -> Result<(Network, mpsc::Receiver<Event>), Error> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let network = Network { commands, local: config.key.peer() };
    let (driver, events) = Driver::new(&config, inbox, &network)?;
    tokio::spawn(driver.run());
    Ok((network, events))
}

impl Network {
    /// Gossips heads to everybody. Nobody listening is no error.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Stopped`].
    pub async fn announce(&self, heads: Vec<Head>) -> Result<(), Error> {
        let bytes = Announcement { heads }.encode()?;
        self.send(Command::Announce(bytes)).await
    }

    /// Says heads to one peer. That they do not arrive is no error: they are told again.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Peer`], [`Error::Stopped`].
    pub async fn tell(&self, peer: &Peer, heads: Vec<Head>) -> Result<(), Error> {
        let bytes = Announcement { heads }.encode()?;
        self.send(Command::Tell { peer: address::peer(peer)?, bytes }).await
    }

    /// Asks a peer; [`Event::Block`]s and one [`Event::Finished`] follow under `ticket`.
    ///
    /// # Errors
    /// [`Error::Message`], [`Error::Peer`], [`Error::Absent`], [`Error::Busy`],
    /// [`Error::Stopped`]; then no event follows.
    pub async fn ask(&self, peer: &Peer, ticket: Ticket, request: Request) -> Result<(), Error> {
        request.encode()?;
        let (reply, answer) = oneshot::channel();
        self.send(Command::Ask { peer: address::peer(peer)?, ticket, request, reply }).await?;
        answer.await.map_err(|_| Error::Stopped)?
    }

    /// Ends a request; blocks already waiting and its [`Event::Finished`] still come.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn cancel(&self, ticket: Ticket) -> Result<(), Error> {
        self.send(Command::Cancel(ticket)).await
    }

    /// Connects to an address and says who is there.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Unreachable`], [`Error::Stopped`].
    pub async fn dial(&self, address: &str) -> Result<Peer, Error> {
        let peer = dial(&self.commands, address).await?;
        Ok(Peer(peer.to_string()))
    }

    /// Disconnects a peer and refuses it from now on, until this node restarts.
    ///
    /// # Errors
    /// [`Error::Peer`], [`Error::Stopped`].
    pub async fn ban(&self, peer: &Peer) -> Result<(), Error> {
        self.send(Command::Ban(address::peer(peer)?)).await
    }

    /// The peers that are connected, in order of their names.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn peers(&self) -> Result<Vec<Peer>, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Peers(reply)).await?;
        answer.await.map_err(|_| Error::Stopped)
    }

    /// The name of this node.
    pub fn local_peer(&self) -> &Peer {
        &self.local
    }

    /// Ends all streams and connections in order. Done twice it does nothing.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.send(Command::Shutdown(reply)).await.is_ok() {
            // An error says that the driver is gone, which is what was wanted.
            let _ = done.await;
        }
    }

    pub(crate) fn commands(&self) -> &mpsc::Sender<Command> {
        &self.commands
    }

    async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Stopped)
    }
}

/// Tries each address behind `text` in turn, until one answers.
pub(crate) async fn dial(commands: &mpsc::Sender<Command>, text: &str) -> Result<PeerId, Error> {
    let unreachable = |reason| Error::Unreachable { address: text.into(), reason };
    let mut last = String::from("the name has no address");
    for address in address::resolve(&address::parse(text)?).await.map_err(unreachable)? {
        let (reply, answer) = oneshot::channel();
        commands.send(Command::Dial { address, reply }).await.map_err(|_| Error::Stopped)?;
        match answer.await.map_err(|_| Error::Stopped)? {
            Ok(peer) => return Ok(peer),
            Err(reason) => last = reason,
        }
    }
    Err(unreachable(last))
}
