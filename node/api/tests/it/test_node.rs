//! An in-memory node with one publisher and two vintages of a dataflow, served on a free port.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use schemas::cid::{Cid, Codec, EntryId, PieceId, ReleaseId};
use schemas::content::{Block, encode_block, pack_table};
use schemas::entry::{self, EntryPosition};
use schemas::key::SecretKey;
use schemas::object::{
    Dataset, Identity, KeyUse, OperatingKey, Provenance, Recipe, RecipeInput, RecipeOutput, Release,
    Retraction, RetractionScope, RevisionReason, RunLimits, Snapshot, Supersession, encode_object,
};
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::{Name, Text, TextForm};
use service::{Core, CoreSetup, MemoryStorage, Service, Signer};

/// FREQ, REF_AREA, SEX, TIME_PERIOD, OBS_VALUE.
pub type Row = [String; 5];

/// 2026-11-02T08:00:00Z.
const TIME: i64 = 1_793_606_400;
const NOTE: &str = "a <b> & \"c\"";

/// Observations of the second release.
pub fn latest_rows() -> Vec<Row> {
    sample_rows("")
}

/// Observations of the first release: fewer years, one other value, and one observation that is removed
/// later.
pub fn earlier_rows() -> Vec<Row> {
    let mut rows = sample_rows("2022");
    rows[0][4] = "0.10".into();
    rows.push(removed_row());
    rows
}

/// The observation that only the first release has.
pub fn removed_row() -> Row {
    ["Q", "AUT", "M", "2019-Q1", "1.50"].map(str::to_owned)
}

/// Most combinations of the dimensions, without the year `without`; some values are null.
fn sample_rows(without: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for area in ["AUT", "BEL", "FRA"] {
        for sex in ["F", "M"] {
            for year in 2019..=2022 {
                let times =
                    [("A", year.to_string()), ("Q", format!("{year}-Q1")), ("Q", format!("{year}-Q2"))];
                let kept =
                    times.into_iter().filter(|(_, time)| without.is_empty() || !time.starts_with(without));
                rows.extend(kept.map(|(freq, time)| {
                    let value = value(&[freq, area, sex, &time]);
                    [freq.into(), area.into(), sex.into(), time, value]
                }));
            }
        }
    }
    rows.retain(|row| row[..3] != ["Q", "AUT", "M"]);
    rows
}

/// Derives a value from the key.
fn value(key: &[&str]) -> String {
    let sum = key.concat().bytes().fold(7, |sum, byte| (sum * 31 + u32::from(byte)) % 9000);
    if sum % 7 == 3 { String::new() } else { format!("{}.{:03}0", sum / 1000, sum % 1000) }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn text<const MAX: usize, F: TextForm>(words: &str) -> Text<MAX, F> {
    Text::new(words).unwrap()
}

fn shape() -> ComponentList {
    let part = |id, role, kind| Component::new(name(id), role, kind);
    ComponentList::new(vec![
        part("REF_AREA", Role::Identifier, ValueType::String),
        part("SEX", Role::Identifier, ValueType::String),
        part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        part("RATE", Role::Measure, ValueType::Number),
        part("NOTE", Role::Attribute, ValueType::String),
    ])
    .unwrap()
}

fn table(rows: &[Row]) -> Table {
    let column = |at: usize| rows.iter().map(move |row| row[at].as_str());
    let columns = vec![
        Column::Text(TextColumn::from_rows(column(1).map(Some))),
        Column::Text(TextColumn::from_rows(column(2).map(Some))),
        Column::Period(column(3).map(|time| time.parse().ok()).collect()),
        Column::Number(column(4).map(|value| value.parse().ok()).collect()),
        Column::Text(TextColumn::from_rows(rows.iter().map(|_| Some(NOTE)))),
    ];
    Table::new(shape(), columns).unwrap()
}

/// A table of two areas in one year with two measures, one of them null.
fn two_measure_table() -> Table {
    let part = |id, role, kind| Component::new(name(id), role, kind);
    let shape = ComponentList::new(vec![
        part("REF_AREA", Role::Identifier, ValueType::String),
        part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        part("MALE", Role::Measure, ValueType::Number),
        part("FEMALE", Role::Measure, ValueType::Number),
    ]);
    let columns = vec![
        Column::Text(TextColumn::from_rows([Some("AUT"), Some("BEL")])),
        Column::Period(vec!["2020".parse().ok(); 2]),
        Column::Number(vec!["1.0".parse().ok(), "2.5".parse().ok()]),
        Column::Number(vec!["-3".parse().ok(), None]),
    ];
    Table::new(shape.unwrap(), columns).unwrap()
}

/// A table without dimensions except time.
fn undimensioned_table() -> Table {
    let part = |id, role, kind| Component::new(name(id), role, kind);
    let components = ComponentList::new(vec![
        part("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        part("OBS_VALUE", Role::Measure, ValueType::Number),
    ]);
    let columns = vec![
        Column::Period(vec!["2010".parse().ok(), "2011".parse().ok()]),
        Column::Number(vec!["3".parse().ok(), "4".parse().ok()]),
    ];
    Table::new(components.unwrap(), columns).unwrap()
}

/// The core of the node, with the keys of its publisher.
struct TestPublisher(Core<MemoryStorage>);

impl TestPublisher {
    fn create() -> (Self, Arc<MemoryStorage>) {
        let (root, key) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let identity = Identity {
            name: text("Office <of> & \"tests\""),
            contact: None,
            roots: vec![root.public()],
            next_root: [7; 32],
            keys: vec![OperatingKey { key: key.public(), uses: vec![KeyUse::Publish] }],
        };
        let keep = Arc::new(MemoryStorage::default());
        let setup = CoreSetup { signer: Some(Signer(key)), build: text("test"), attest: false };
        let mut core = Core::open(Arc::clone(&keep), setup).unwrap();
        core.adopt_identity(
            entry::sign_entry(EntryPosition::Genesis, TIME, &encode_object(&identity).unwrap(), &root)
                .unwrap(),
        )
        .unwrap();
        (Self(core), keep)
    }

    fn release(&mut self, table: &Table, time: i64, supersedes: Option<Supersession>) -> ReleaseId {
        let mut blocks: Vec<Block> = Vec::new();
        let (content, content_blocks) = pack_table(table, BTreeMap::new()).unwrap();
        blocks.extend(content_blocks);
        let document = content.to_string().into_bytes();
        let piece = PieceId::of(&document);
        let snapshot = Snapshot {
            name: text("labour.csv"),
            media_type: text("text/csv"),
            size: document.len() as u64,
            blake3: *Cid::of(Codec::Raw, &document).digest(),
            pieces: vec![piece],
            url: None,
            fetched: None,
            agency: None,
            licence: None,
        };
        blocks.push((piece.cid(), document));
        let (snapshot, made) = encode_block(&snapshot).unwrap();
        blocks.push(made);
        let dataset = Dataset {
            dataflow: name("source"),
            title: text("Source"),
            unit: None,
            content,
            provenance: Provenance::Import { snapshot, importer: text("csv/1") },
            plausibility_warnings: Vec::new(),
        };
        let (dataset, made) = encode_block(&dataset).unwrap();
        blocks.push(made);
        let (recipe, made) = encode_block(&recipe()).unwrap();
        blocks.push(made);
        let release = Release {
            dataflow: name("labour"),
            vintage: text("v"),
            recipe,
            inputs: BTreeMap::from([(name("IN"), dataset)]),
            results: BTreeMap::from([(name("OUT"), content)]),
            steps: 1,
            supersedes,
        };
        let bytes = encode_object(&release).unwrap();
        self.0.publish(&bytes, blocks, time).unwrap();
        ReleaseId::of(&bytes)
    }

    /// Signs a second entry with the sequence number of the first release.
    fn fork(&mut self) {
        let publisher = self.0.own_publisher().unwrap();
        let subject = Cid::of(Codec::DagCbor, b"none");
        let reason = text("a conflicting entry");
        let retraction = Retraction { subject, scope: RetractionScope::Whole, reason, replacement: None };
        let genesis = EntryId::try_from(publisher.cid()).unwrap();
        let position = EntryPosition::Next { publisher, seq: 1, prev: genesis, authority: 0 };
        let key = SecretKey::from_seed(&[2; 32]);
        let entry = entry::sign_entry(position, TIME, &encode_object(&retraction).unwrap(), &key).unwrap();
        assert!(self.0.accept_entry(entry).is_err(), "a fork is recorded and refused");
    }

    fn retract(&mut self, release: ReleaseId, time: i64) {
        let (subject, reason) = (release.cid(), text("a wrong column"));
        let retraction = Retraction { subject, scope: RetractionScope::Whole, reason, replacement: None };
        self.0.publish(&encode_object(&retraction).unwrap(), Vec::new(), time).unwrap();
    }
}

fn recipe() -> Recipe {
    let output = RecipeOutput { title: text("Rates"), unit: text("per cent") };
    Recipe {
        title: text("Rates & more"),
        indicator: name("unemployment"),
        script: text("OUT <- IN;"),
        inputs: BTreeMap::from([(name("IN"), RecipeInput { title: text("Source"), components: shape() })]),
        outputs: BTreeMap::from([(name("OUT"), output)]),
        semantics: 1,
        limits: RunLimits { steps: 1_000_000, cells: 1_000_000 },
        description: text("As they are."),
        references: vec![text("https://example.org/method")],
        licence: text("CC0-1.0"),
        deviates_from: None,
    }
}

/// A response.
pub struct HttpResponse {
    pub status: u16,
    pub content_type: String,
    pub vary: String,
    pub etag: String,
    /// `Content-Encoding`.
    pub encoding: String,
    pub body: String,
}

/// A node that runs until the value is dropped.
pub struct TestNode {
    address: SocketAddr,
    agency: String,
    _runtime: tokio::runtime::Runtime,
}

impl TestNode {
    pub fn start() -> Self {
        Self::with_two_releases(|_, _, _| ())
    }

    /// A node whose second release was retracted a day after it.
    pub fn with_retraction() -> Self {
        Self::with_two_releases(|publisher, _, second| publisher.retract(second, TIME + 2 * 86_400))
    }

    /// A node whose two releases were retracted, one day after the other.
    pub fn with_all_retracted() -> Self {
        Self::with_two_releases(|publisher, first, second| {
            publisher.retract(second, TIME + 2 * 86_400);
            publisher.retract(first, TIME + 3 * 86_400);
        })
    }

    fn with_two_releases(more: impl FnOnce(&mut TestPublisher, ReleaseId, ReleaseId)) -> Self {
        Self::with_publisher(|publisher| {
            let first = publisher.release(&table(&earlier_rows()), TIME, None);
            let supersedes = Supersession { release: first, reason: RevisionReason::SourceRevision };
            let second = publisher.release(&table(&latest_rows()), TIME + 86_400, Some(supersedes));
            more(publisher, first, second);
        })
    }

    /// A node whose one release has two measures.
    pub fn with_two_measures() -> Self {
        Self::with_publisher(|publisher| {
            publisher.release(&two_measure_table(), TIME, None);
        })
    }

    /// A node whose publisher signed two conflicting histories.
    pub fn with_fork() -> Self {
        Self::with_two_releases(|publisher, _, _| publisher.fork())
    }

    /// A node whose one release has no dimension except time: the values 3 and 4 of 2010 and 2011.
    pub fn without_dimensions() -> Self {
        Self::with_publisher(|publisher| {
            publisher.release(&undimensioned_table(), TIME, None);
        })
    }

    /// A node whose one release has `series` series of 40 years.
    pub fn with_many_series(series: usize) -> Self {
        let row = |at: usize| {
            let year = 1980 + at % 40;
            ["A".into(), format!("X{}", at / 40), "F".into(), year.to_string(), format!("{at}.5")]
        };
        let rows: Vec<Row> = (0..series * 40).map(row).collect();
        Self::with_publisher(|publisher| {
            publisher.release(&table(&rows), TIME, None);
        })
    }

    fn with_publisher(publish: impl FnOnce(&mut TestPublisher)) -> Self {
        let (mut publisher, keep) = TestPublisher::create();
        publish(&mut publisher);
        let agency = service::query::LedgerQuery(keep.as_ref())
            .own_publisher()
            .unwrap()
            .unwrap()
            .to_string()
            .to_uppercase();
        let (service, _) = Service::start(publisher.0, || TIME + 400_000).unwrap();
        let state = api::Setup {
            service,
            token: "t".into(),
            peers: Arc::new(Vec::new),
            dial: Arc::new(|_| Box::pin(async { Err("no".into()) })),
            listening: Arc::new(Vec::new),
            clock: || TIME + 400_000,
            pages: Arc::new(|_, _| api::PageResponse { status: 404, headers: Vec::new(), body: b"".into() }),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(api::bind_loopback("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(api::serve(listener, state, std::future::pending()));
        Self { address, agency, _runtime: runtime }
    }

    pub fn agency(&self) -> &str {
        &self.agency
    }

    #[track_caller]
    pub fn get(&self, path: &str, accept: &str) -> HttpResponse {
        self.get_with_headers(path, accept, "")
    }

    /// Sends a GET request and returns the connection.
    pub fn open_stream(&self, path: &str, accept: &str) -> TcpStream {
        self.send_request(path, accept, "")
    }

    fn send_request(&self, path: &str, accept: &str, more: &str) -> TcpStream {
        self.send("GET", path, &format!("Accept: {accept}\r\n{more}"), "")
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let host =
            if headers.contains("Host: ") { String::new() } else { format!("Host: {}\r\n", self.address) };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n");
        stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        stream
    }

    /// Returns the response to a GET request with additional headers.
    #[track_caller]
    pub fn get_with_headers(&self, path: &str, accept: &str, more: &str) -> HttpResponse {
        read_response(self.send_request(path, accept, more))
    }

    /// Returns the response to any request. `headers` ends with a line break unless it is empty.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> HttpResponse {
        read_response(self.send(method, path, headers, body))
    }
}

/// Reads a response to its end.
#[track_caller]
fn read_response(mut stream: TcpStream) -> HttpResponse {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = bytes[end + 4..].to_vec();
    if header("transfer-encoding") == "chunked" {
        body = join_chunks(&body);
    }
    if header("content-encoding") == "gzip" {
        body = gunzip(&body);
    }
    HttpResponse {
        status,
        content_type: header("content-type"),
        vary: header("vary"),
        etag: header("etag"),
        encoding: header("content-encoding"),
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// Joins the chunks of a body. The last chunk must be empty: an incomplete body has none.
fn join_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + length + 4..];
    }
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}
