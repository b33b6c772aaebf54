//! Start and orderly stop of a node.

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

/// How a node is started.
#[derive(Debug, Clone)]
pub struct NodeConfig {
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
    DataDirectory(#[from] data_directory::Error),
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
pub fn open_core(home: &DataDirectory, attest: bool) -> Result<(Core<Store>, OpenReport), Error> {
    let (store, opened) = Store::open(&home.store())?;
    let signer = home.key(KeyRole::Operating)?.map(Signer);
    let build = Text::new(concat!("assay/", env!("CARGO_PKG_VERSION"))).unwrap_or_default();
    let core = Core::open(Arc::new(store), CoreSetup { signer, build, attest })?;
    Ok((core, opened))
}

/// A running node.
pub struct RunningNode {
    /// The owner of its state.
    pub service: Service<Store>,
    /// Where its API answers, such as `http://127.0.0.1:7171`.
    pub api: String,
    /// How the store was opened.
    pub open_report: OpenReport,
    /// Peers met and addresses listened on, as it happens.
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
    // What is asked of this machine is looked at before others are met.
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

/// Starts the network. An address that was remembered and is none (of another version, say) is
/// passed over: nobody could take it back while it kept the node from starting.
fn start_network(
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

impl RunningNode {
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
