//! An in-memory node with one publisher and two vintages of a dataflow, served on a free port.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use schemas::cid::{EntryId, PublisherId, ReleaseId};
use schemas::content::{encode_block, pack_table};
use schemas::entry::{EntryPosition, sign_entry};
use schemas::object::{
    Attestation, Dataset, Provenance, Recipe, RecipeInput, RecipeOutput, Release, Retraction,
    RetractionScope, RevisionReason, Supersession,
};
use schemas::structure::{ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::verdict::{ComparedTable, Divergence, Verdict};
use service::query::LedgerQuery;
use service::{Core, CoreSetup, MemoryStorage, Service};
use testkit::node_core::core_setup;
use testkit::prices::{claimed_release, csv_snapshot, imported_dataset, inflation_recipe};
use testkit::publisher::{Publisher, encode_retraction, operating_key, retraction_bytes, sign_genesis};
use testkit::sample::{TIME, attestation_object, encode_object, make_components, make_name, make_text};

/// FREQ, REF_AREA, SEX, TIME_PERIOD, OBS_VALUE.
pub type Row = [String; 5];

/// Seed of the publisher's keys.
const SEED: u8 = 1;
/// Name of the publisher, with characters that each format must escape.
const PUBLISHER_NAME: &str = "Office <of> & \"tests\"";
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

fn labour_components() -> ComponentList {
    make_components(&[
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("SEX", Role::Identifier, ValueType::String),
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("RATE", Role::Measure, ValueType::Number),
        ("NOTE", Role::Attribute, ValueType::String),
    ])
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
    Table::new(labour_components(), columns).unwrap()
}

/// A table of two areas in one year with two measures, one of them null.
fn two_measure_table() -> Table {
    let components = make_components(&[
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("MALE", Role::Measure, ValueType::Number),
        ("FEMALE", Role::Measure, ValueType::Number),
    ]);
    let columns = vec![
        Column::Text(TextColumn::from_rows([Some("AUT"), Some("BEL")])),
        Column::Period(vec!["2020".parse().ok(); 2]),
        Column::Number(vec!["1.0".parse().ok(), "2.5".parse().ok()]),
        Column::Number(vec!["-3".parse().ok(), None]),
    ];
    Table::new(components, columns).unwrap()
}

/// A table without dimensions except time.
fn undimensioned_table() -> Table {
    let components = make_components(&[
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("OBS_VALUE", Role::Measure, ValueType::Number),
    ]);
    let columns = vec![
        Column::Period(vec!["2010".parse().ok(), "2011".parse().ok()]),
        Column::Number(vec!["3".parse().ok(), "4".parse().ok()]),
    ];
    Table::new(components, columns).unwrap()
}

/// The core of the node, which signs as the publisher of [`SEED`].
struct TestPublisher(Core<MemoryStorage>);

impl TestPublisher {
    fn create() -> (Self, Arc<MemoryStorage>) {
        let storage = Arc::new(MemoryStorage::default());
        let setup = CoreSetup { attest: false, ..core_setup(SEED) };
        let mut core = Core::open(Arc::clone(&storage), setup).unwrap();
        core.adopt_identity(sign_genesis(SEED, PUBLISHER_NAME)).unwrap();
        (Self(core), storage)
    }

    fn release(&mut self, table: &Table, time: i64, supersedes: Option<Supersession>) -> ReleaseId {
        self.release_of(table, time, supersedes, "labour", |_| ())
    }

    /// Publishes a release of a table, on a data set that `change` may alter.
    fn release_of(
        &mut self,
        table: &Table,
        time: i64,
        supersedes: Option<Supersession>,
        dataflow: &str,
        change: impl FnOnce(&mut Dataset),
    ) -> ReleaseId {
        let (content, mut blocks) = pack_table(table, BTreeMap::new()).unwrap();
        let (snapshot, source) = csv_snapshot("labour.csv", content.to_string().as_bytes());
        blocks.extend(source);
        let mut dataset = imported_dataset(content, snapshot);
        change(&mut dataset);
        let (dataset, block) = encode_block(&dataset).unwrap();
        blocks.push(block);
        let (recipe, block) = encode_block(&labour_recipe()).unwrap();
        blocks.push(block);
        let results = BTreeMap::from([(make_name("OUT"), content)]);
        let release = Release {
            dataflow: make_name(dataflow),
            inputs: BTreeMap::from([(make_name("IN"), dataset)]),
            supersedes,
            ..claimed_release(recipe, dataset, results, 1)
        };
        let object = encode_object(&release);
        self.0.publish(&object, blocks, time).unwrap();
        ReleaseId::of(&object)
    }

    /// Signs a second entry with the sequence number of the first release.
    fn fork(&mut self) {
        let publisher = self.0.own_publisher().unwrap();
        let genesis = EntryId::try_from(publisher.cid()).unwrap();
        let position = EntryPosition::Next { publisher, seq: 1, prev: genesis, authority: 0 };
        let retraction = retraction_bytes("a conflicting entry");
        let entry = sign_entry(position, TIME, &retraction, &operating_key(SEED)).unwrap();
        assert!(self.0.accept_entry(entry).is_err(), "a fork is recorded and refused");
    }

    /// Accepts the log of another publisher, which attests a verdict on a release.
    fn accept_attestation(&mut self, seed: u8, release: ReleaseId, verdict: Verdict) {
        let result: Release = LedgerQuery(self.0.storage().as_ref()).read_object(release.cid()).unwrap();
        let said = Attestation { release, results: result.results, ..attestation_object(verdict) };
        let mut attestor = Publisher::new(seed);
        let entry = attestor.sign_object(&encode_object(&said), Vec::new());
        self.0.accept_entry(attestor.genesis()).unwrap();
        self.0.accept_entry(entry).unwrap();
    }

    fn retract(&mut self, release: ReleaseId, time: i64) {
        let retraction = encode_retraction(release.cid(), "a wrong column");
        self.0.publish(&retraction, Vec::new(), time).unwrap();
    }
}

fn labour_recipe() -> Recipe {
    let input = RecipeInput { title: make_text("Source"), components: labour_components() };
    let output = RecipeOutput { title: make_text("Rates"), unit: make_text("per cent") };
    Recipe {
        title: make_text("Rates & more"),
        indicator: make_name("unemployment"),
        inputs: BTreeMap::from([(make_name("IN"), input)]),
        outputs: BTreeMap::from([(make_name("OUT"), output)]),
        ..inflation_recipe("OUT <- IN;")
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

    /// A node that retracted one data point of its second release: women in Austria in 2020.
    pub fn with_retracted_point() -> Self {
        Self::with_two_releases(|publisher, _, second| {
            let point = ["AUT", "F", "2020"].map(make_text).to_vec();
            let retraction = Retraction {
                subject: second.cid(),
                scope: RetractionScope::Points(vec![point]),
                reason: make_text("a misprint"),
                replacement: None,
            };
            publisher.0.publish(&encode_object(&retraction), Vec::new(), TIME + 2 * 86_400).unwrap();
        })
    }

    /// A node whose last release uses the result of another one, whose data set has no document.
    pub fn with_stated_data() -> Self {
        Self::with_publisher(|publisher| {
            let table = table(&latest_rows());
            let stated = publisher.release_of(&table, TIME, None, "labour-stated", |dataset| {
                dataset.provenance = Provenance::Stated;
            });
            publisher.release_of(&table, TIME + 1, None, "labour", |dataset| {
                dataset.provenance = Provenance::Release { release: stated, output: make_name("OUT") };
            });
        })
    }

    /// A node with the logs of two other publishers: one reproduced the second release, one found another
    /// value for women in Austria in 2020. Neither is followed. Returns their ids.
    pub fn with_attestations() -> (Self, [PublisherId; 2]) {
        let node = Self::with_two_releases(|publisher, _, second| {
            publisher.accept_attestation(2, second, Verdict::Reproduced { cells: 60, read: 60 });
            let text = |text: &str| Cell::Text(text.to_owned());
            let first = Divergence {
                table: ComparedTable::Output(make_name("OUT")),
                position: None,
                key: vec![text("AUT"), text("F"), Cell::Period("2020".parse().unwrap())],
                component: Some(make_name("RATE")),
                published: Some(Cell::Integer(1)),
                computed: Some(Cell::Integer(2)),
            };
            let differences = BTreeMap::new();
            let verdict = Verdict::Differs { first, count: 1, cells: 60, read: 60, differences };
            publisher.accept_attestation(3, second, verdict);
        });
        (node, [Publisher::new(2).id(), Publisher::new(3).id()])
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
        let (mut publisher, storage) = TestPublisher::create();
        publish(&mut publisher);
        let agency =
            LedgerQuery(storage.as_ref()).own_publisher().unwrap().unwrap().to_string().to_uppercase();
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
