//! Start and orderly shutdown of a node.

use std::net::SocketAddr;
use std::sync::Arc;

use network::NodeKey;
use schemas::text::Text;
use service::{Core, CoreSetup, Service, Signer};
use store::{OpenReport, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock;
use crate::data_directory::{self, DataDirectory, KeyRole, RunningInfo};
use crate::wiring::{self, ConnectedPeers, NetworkEvent};

/// Configuration of a node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Multiaddresses of peers to dial, in addition to the stored ones.
    pub peers: Vec<String>,
    /// Address of the API: a loopback address; port 0 picks a free port.
    pub api: SocketAddr,
    /// Whether releases of followed publishers are re-run and attested.
    pub attest: bool,
}

/// Failure to start a node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDirectory(#[from] data_directory::Error),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The stored state cannot be read.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// A peer or listening address is not a multiaddress that this node can use.
    #[error(transparent)]
    PeerAddress(network::Error),
    /// The network cannot be started.
    #[error(transparent)]
    Network(network::Error),
    /// The API cannot listen on its address.
    #[error("the API cannot listen on `{address}`: {source}")]
    Api {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl From<network::Error> for Error {
    fn from(error: network::Error) -> Self {
        match error {
            network::Error::Address(_) => Self::PeerAddress(error),
            other => Self::Network(other),
        }
    }
}

/// Opens the store and state of a data directory.
///
/// # Errors
/// [`Error::Store`], [`Error::Service`], [`Error::DataDirectory`].
pub fn open_core(home: &DataDirectory, attest: bool) -> Result<(Core<Store>, OpenReport), Error> {
    let (store, opened) = Store::open(&home.store())?;
    let signer = home.key(KeyRole::Operating)?.map(Signer);
    let build = Text::new(concat!("assay/", env!("CARGO_PKG_VERSION"))).unwrap_or_default();
    let core = Core::open(Arc::new(store), CoreSetup { signer, build, attest })?;
    Ok((core, opened))
}

/// A running node.
pub struct RunningNode {
    /// Handle to the owner of its state.
    pub service: Service<Store>,
    /// Base URL of its API, such as `http://127.0.0.1:7171`.
    pub api: String,
    /// Report of opening the store.
    pub open_report: OpenReport,
    /// Connections and listening addresses, as they change.
    pub network_events: mpsc::Receiver<NetworkEvent>,
    network: network::NetworkHandle,
    home: DataDirectory,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a node on a data directory; must be called inside a tokio runtime.
///
/// # Errors
/// [`enum@Error`].
pub async fn start_node(home: &DataDirectory, config: NodeConfig) -> Result<RunningNode, Error> {
    let (core, opened) = open_core(home, config.attest)?;
    // Binds the API first: an occupied port stops the start before any peer is dialled.
    let listener = api::bind_loopback(config.api).await;
    let listener = listener.map_err(|source| Error::Api { address: config.api, source })?;
    let address = listener.local_addr().map_err(|source| Error::Api { address: config.api, source })?;
    let seed = home.make_key(KeyRole::Node)?.seed();
    let (service, actions) = Service::start(core, clock::unix_seconds).map_err(Error::Thread)?;
    let mut bootstrap = config.peers.clone();
    bootstrap.extend(service.query().list_peers()?.into_iter().filter(|peer| !config.peers.contains(peer)));
    let mut setup = network::NetworkConfig::new(NodeKey::from_seed(seed));
    setup.listen = config.listen;
    setup.bootstrap = bootstrap;
    let (network, events) = start_network(setup, &config.peers)?;
    let contacts = ConnectedPeers::default();
    let (seen, sightings) = mpsc::channel(wiring::NETWORK_EVENTS_MAX);
    let (stop, stopped) = watch::channel(false);
    let state = wiring::api_state(&service, home.token()?, &contacts, &network);
    let tasks = vec![
        tokio::spawn(wiring::forward_events(events, service.clone(), contacts, seen)),
        tokio::spawn(wiring::run_actions(actions, service.clone(), network.clone())),
        tokio::spawn(wiring::run_ticks(service.clone(), stopped.clone())),
        tokio::spawn(wiring::serve_api(listener, state, stopped)),
    ];
    let api = format!("http://{address}");
    // Last, so that the file never names a node that failed to start.
    home.set_running(Some(&RunningInfo { pid: std::process::id(), api: api.clone() }))?;
    Ok(RunningNode {
        service,
        api,
        open_report: opened,
        network_events: sightings,
        network,
        home: home.clone(),
        stop,
        tasks,
    })
}

/// Starts the network. An invalid stored address (of another version, say) is skipped: a node that does
/// not start could not remove it.
fn start_network(
    mut setup: network::NetworkConfig,
    given: &[String],
) -> Result<(network::NetworkHandle, mpsc::Receiver<network::SwarmReport>), network::Error> {
    loop {
        match network::start(setup.clone()) {
            Err(network::Error::Address(bad)) if !given.contains(&bad) && setup.bootstrap.contains(&bad) => {
                tracing::warn!(address = bad, "skipped a stored peer whose address cannot be dialled");
                setup.bootstrap.retain(|address| *address != bad);
            }
            done => return done,
        }
    }
}

impl RunningNode {
    /// Closes streams and connections, commits pending blocks and removes the file of the running node.
    ///
    /// # Errors
    /// [`Error::DataDirectory`].
    pub async fn stop(self) -> Result<(), Error> {
        // A send fails only when every task has ended already.
        let _ = self.stop.send(true);
        // Before the service, so that no block arrives after it commits the pending ones.
        self.network.shutdown().await;
        self.service.stop().await;
        for task in self.tasks {
            task.abort();
        }
        Ok(self.home.set_running(None)?)
    }
}
