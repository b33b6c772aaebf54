//! Start and orderly stop of a node.

use std::net::SocketAddr;
use std::sync::Arc;

use network::NodeKey;
use schemas::text::Text;
use service::{Core, Service, Setup, Signer};
use store::{OpenReport, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock;
use crate::home::{self, Home, Key, Running};
use crate::wiring::{self, Contacts, Sighting};

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Multiaddresses of peers to dial, besides those remembered.
    pub peers: Vec<String>,
    /// Where the API answers; a loopback address, port 0 for a free one.
    pub api: SocketAddr,
    /// Whether releases of followed publishers are run again and attested.
    pub attest: bool,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The state.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// The network.
    #[error(transparent)]
    Network(#[from] network::Error),
    /// The API's address.
    #[error("the API cannot answer on `{address}`: {source}")]
    Api {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gave no thread.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
}

/// Opens the store and state of a data directory.
///
/// # Errors
/// [`Error::Store`], [`Error::Service`], [`Error::Home`].
pub fn open(home: &Home, attest: bool) -> Result<(Core<Store>, OpenReport), Error> {
    let (store, opened) = Store::open(&home.store())?;
    let signer = home.key(Key::Operating)?.map(Signer);
    let build = Text::new(concat!("assay/", env!("CARGO_PKG_VERSION"))).unwrap_or_default();
    let core = Core::open(Arc::new(store), Setup { signer, build, attest })?;
    Ok((core, opened))
}

/// A running node.
pub struct Node {
    /// The owner of its state.
    pub service: Service<Store>,
    /// Where its API answers, such as `http://127.0.0.1:7171`.
    pub api: String,
    /// How the store was opened.
    pub opened: OpenReport,
    /// Peers met and addresses listened on, as it happens.
    pub sightings: mpsc::Receiver<Sighting>,
    network: network::NetworkHandle,
    home: Home,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a node on a data directory; must be called inside a tokio runtime.
///
/// # Errors
/// [`enum@Error`].
pub async fn start(home: &Home, config: Config) -> Result<Node, Error> {
    let (core, opened) = open(home, config.attest)?;
    // What is asked of this machine is looked at before others are met.
    let listener = api::bind_loopback(config.api).await;
    let listener = listener.map_err(|source| Error::Api { address: config.api, source })?;
    let address = listener.local_addr().map_err(|source| Error::Api { address: config.api, source })?;
    let seed = home.make_key(Key::Node)?.seed();
    let (service, actions) = Service::start(core, clock::system).map_err(Error::Thread)?;
    let mut bootstrap = config.peers.clone();
    bootstrap.extend(service.query().peers()?.into_iter().filter(|peer| !config.peers.contains(peer)));
    let mut setup = network::NetworkConfig::new(NodeKey::from_seed(seed));
    setup.listen = config.listen;
    setup.bootstrap = bootstrap;
    let (network, events) = join(setup, &config.peers)?;
    let contacts = Contacts::default();
    let (seen, sightings) = mpsc::channel(wiring::SIGHTINGS_MAX);
    let (stop, stopped) = watch::channel(false);
    let state = wiring::api_state(&service, home.token()?, &contacts, &network);
    let tasks = vec![
        tokio::spawn(wiring::events(events, service.clone(), contacts, seen)),
        tokio::spawn(wiring::actions(actions, service.clone(), network.clone())),
        tokio::spawn(wiring::ticks(service.clone(), stopped.clone())),
        tokio::spawn(wiring::api(listener, state, stopped)),
    ];
    let api = format!("http://{address}");
    home.set_running(Some(&Running { pid: std::process::id(), api: api.clone() }))?;
    Ok(Node { service, api, opened, sightings, network, home: home.clone(), stop, tasks })
}

/// Starts the network. An address that was remembered and is none (of another version, say) is
/// passed over: nobody could take it back while it kept the node from starting.
fn join(
    mut setup: network::NetworkConfig,
    given: &[String],
) -> Result<(network::NetworkHandle, mpsc::Receiver<network::SwarmReport>), network::Error> {
    loop {
        match network::start(setup.clone()) {
            Err(network::Error::Address(bad)) if !given.contains(&bad) && setup.bootstrap.contains(&bad) => {
                tracing::warn!(address = bad, "a remembered peer has no address that can be dialled");
                setup.bootstrap.retain(|address| *address != bad);
            }
            done => return done,
        }
    }
}

impl Node {
    /// Ends streams and connections, finishes what is pending, and says that no node runs here.
    ///
    /// # Errors
    /// [`Error::Home`].
    pub async fn stop(self) -> Result<(), Error> {
        // Everyone who listens is about to be ended anyway.
        let _ = self.stop.send(true);
        self.network.shutdown().await;
        self.service.stop().await;
        for task in self.tasks {
            task.abort();
        }
        Ok(self.home.set_running(None)?)
    }
}
