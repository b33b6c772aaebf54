//! Local TLS server that sends scripted responses and records its requests.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fetch::{
    ApiKeys, FetchClock, FetchError, FetchSource, Fetcher, HostResolver, LoadOutcome, LoadedSource,
    LocalServer, RequestLimits, UrlPolicy,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Scripted response to one request.
pub enum Reply {
    /// Sends the bytes and closes.
    Bytes(Vec<u8>),
    /// Sends the bytes, then nothing more until the client gives up.
    Stall(Vec<u8>),
    /// Sends the bytes, then zeros until the client gives up.
    Endless(Vec<u8>),
    /// Sends the bytes, then one byte at a time while the client waits.
    Drip(Vec<u8>),
}

/// Test server.
pub struct TestServer {
    pub address: SocketAddr,
    pub root: Vec<u8>,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Response with status line, headers and body.
pub fn response(status: &str, headers: &str, body: &[u8]) -> Reply {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

/// Response with status 200.
pub fn ok(body: &str) -> Reply {
    response("200 OK", "content-type: text/csv\r\n", body.as_bytes())
}

/// Response headers without body.
pub fn response_head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n").into_bytes()
}

impl TestServer {
    /// Starts a server with a certificate for all agency hosts and `data.example.org`.
    pub fn start(replies: Vec<Reply>) -> Self {
        let mut hosts: Vec<String> = fetch::AGENCY_HOSTS.iter().map(|host| (*host).to_owned()).collect();
        hosts.extend(["data.example.org".to_owned()]);
        Self::named(hosts, replies)
    }

    /// Starts a server with a certificate for these host names.
    pub fn named(hosts: Vec<String>, replies: Vec<Reply>) -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let cert = rcgen::CertificateParams::new(hosts).expect("names").self_signed(&key).expect("signed");
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], secret)
            .expect("a certificate");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (config, log) = (Arc::new(config), asked.clone());
        std::thread::spawn(move || {
            for reply in replies {
                let Ok((stream, _)) = listener.accept() else { return };
                // A client that goes away early is part of many cases.
                let _ = serve_request(stream, config.clone(), &log, reply);
            }
        });
        Self { address, root: cert.der().to_vec(), asked }
    }

    /// Returns the requests so far, headers and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.asked.lock().expect("the log").clone()
    }

    /// Returns the request lines so far, without the protocol.
    pub fn request_lines(&self) -> Vec<String> {
        let line = |text: &String| text.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        self.requests().iter().map(line).collect()
    }
}

fn serve_request(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    log: &Mutex<Vec<String>>,
    reply: Reply,
) -> std::io::Result<()> {
    let socket = stream.try_clone()?;
    let mut tls = StreamOwned::new(ServerConnection::new(config).map_err(std::io::Error::other)?, stream);
    let request = read_request(&mut tls)?;
    log.lock().expect("the log").push(request);
    match reply {
        Reply::Bytes(bytes) => {
            tls.write_all(&bytes)?;
            tls.conn.send_close_notify();
            tls.flush()
        }
        Reply::Stall(bytes) => {
            tls.write_all(&bytes)?;
            tls.flush()?;
            tls.read(&mut [0]).map(|_| ())
        }
        Reply::Endless(bytes) => {
            tls.write_all(&bytes)?;
            loop {
                tls.write_all(&[0; 4096])?;
            }
        }
        Reply::Drip(bytes) => {
            tls.write_all(&bytes)?;
            socket.set_read_timeout(Some(Duration::from_millis(5)))?;
            loop {
                tls.write_all(b"1")?;
                tls.flush()?;
                if matches!(tls.read(&mut [0]), Ok(0)) {
                    return Ok(());
                }
            }
        }
    }
}

fn read_request(tls: &mut impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        tls.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    tls.read_exact(&mut body)?;
    bytes.extend(body);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Clock that records waits instead of sleeping.
#[derive(Debug, Default)]
pub struct FakeClock {
    waits: Mutex<Vec<u64>>,
}

/// Initial time of the clock.
pub const START: i64 = 1_795_000_000;

impl FakeClock {
    pub fn waits(&self) -> Vec<u64> {
        self.waits.lock().expect("waits").clone()
    }
}

impl FetchClock for FakeClock {
    fn seconds(&self) -> i64 {
        START + (self.millis() / 1_000) as i64
    }

    fn millis(&self) -> u64 {
        self.waits().iter().sum()
    }

    fn wait(&self, millis: u64) {
        self.waits.lock().expect("waits").push(millis);
    }

    fn random(&self) -> u64 {
        0
    }
}

/// Resolver that leads all hosts except `others` to one address.
#[derive(Debug, Clone)]
pub struct FakeResolver {
    pub all: SocketAddr,
    pub others: BTreeMap<String, Vec<IpAddr>>,
}

impl HostResolver for FakeResolver {
    fn lookup(&self, host: &str, port: u16) -> Vec<SocketAddr> {
        match self.others.get(host) {
            Some(found) => found.iter().map(|address| SocketAddr::new(*address, port)).collect(),
            None => vec![self.all],
        }
    }
}

/// Limits that a test reaches quickly.
pub const TIGHT: RequestLimits =
    RequestLimits { bytes_max: 100_000, connect_ms: 5_000, response_ms: 5_000, call_ms: 10_000 };

/// Server, clock and fetcher.
pub struct FetchFixture {
    pub server: TestServer,
    pub clock: Arc<FakeClock>,
    pub fetcher: Fetcher,
}

impl FetchFixture {
    pub fn new(replies: Vec<Reply>) -> Self {
        Self::with(TestServer::start(replies), ApiKeys::default(), TIGHT, BTreeMap::new())
    }

    pub fn with(
        server: TestServer,
        keys: ApiKeys,
        bounds: RequestLimits,
        others: BTreeMap<String, Vec<IpAddr>>,
    ) -> Self {
        let clock = Arc::new(FakeClock::default());
        let names = Arc::new(FakeResolver { all: server.address, others });
        let local = LocalServer { resolver: names, root: server.root.clone(), limits: bounds };
        let policy = UrlPolicy::new(&["data.example.org".into(), "evil.example.org".into()]).expect("hosts");
        let fetcher = Fetcher::with_local_server(policy, keys, clock.clone(), local);
        Self { server, clock, fetcher }
    }

    pub fn source(&self, url: &str) -> FetchSource {
        FetchSource::from_url(self.fetcher.url_policy(), url).expect("a source")
    }

    /// Loads a source without resume cache.
    pub fn load_source(&self, source: &FetchSource) -> Result<LoadedSource, FetchError> {
        match self.fetcher.load(source, None, None, &mut |_| {})? {
            LoadOutcome::Loaded(loaded) => Ok(loaded),
            LoadOutcome::NotModified => panic!("nothing was known"),
        }
    }

    /// Loads a URL.
    pub fn load_url(&self, url: &str) -> Result<LoadedSource, FetchError> {
        self.load_source(&self.source(url))
    }
}
