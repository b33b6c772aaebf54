//! `kill -9` at any moment: acknowledged data survives, and the next start continues.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::Child;
use std::time::{Duration, Instant};

use ingest::{ImportOptions, SourceFile};
use schemas::car;
use schemas::cid::{Cid, Codec};
use schemas::content::pack_table;
use schemas::object::{Dataset, Import, Provenance};
use serde_json::Value;
use testkit::prices::{csv_import, csv_snapshot, imported_dataset};
use testkit::publisher::{RESEARCH_INSTITUTE, STATISTICS_OFFICE};
use testkit::random::SeededRandom;
use testkit::sample::encode_object;

use super::node_process::{NodeProcess, TCP, is_event};
use super::workspace::{Workspace, drain, text};
use super::{http_client, sample};

const ROUNDS: u32 = 25;
/// Data sets that a round adds to the log that is copied.
const BATCH: u64 = 16;

/// Kills a command after a delay, and returns its output until then.
fn kill(mut child: Child, after: Duration) -> String {
    let start = Instant::now();
    let out = drain(child.stdout.take());
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    out.recv().unwrap()
}

/// Kills a command as soon as it has answered with a document.
fn cut_off(mut child: Child) -> String {
    let mut out = child.stdout.take().unwrap();
    let (mut bytes, mut some) = (Vec::new(), [0; 4096]);
    while serde_json::from_slice::<Value>(&bytes).is_err() {
        let read = out.read(&mut some).unwrap();
        assert!(read > 0, "no response: {}", String::from_utf8_lossy(&bytes));
        bytes.extend(&some[..read]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Ids of the data sets that a workspace holds.
fn stored(workspace: &Workspace) -> BTreeSet<String> {
    let state = workspace.json("assay show");
    state["datasets"].as_array().unwrap().iter().map(|info| text(info, "id")).collect()
}

#[test]
fn an_acknowledged_import_survives_kill_9() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("cpi.csv", sample::worldbank(0));
    let start = Instant::now();
    let first = workspace.json("assay import worldbank cpi.csv");
    let whole = start.elapsed();
    let mut acknowledged = BTreeSet::from([text(&first["published"], "object")]);
    for round in 1..=ROUNDS {
        workspace.write("cpi.csv", sample::worldbank(round));
        let child = workspace.command(&["import", "worldbank", "cpi.csv", "--json"]).spawn().unwrap();
        // In every fifth round right after the response, else from the first instruction to well after
        // the usual end.
        let out = if round % 5 == 0 { cut_off(child) } else { kill(child, whole * round * 2 / ROUNDS) };
        if let Ok(document) = serde_json::from_str::<Value>(&out) {
            acknowledged.insert(text(&document["published"], "object"));
        }
        assert!(stored(&workspace).is_superset(&acknowledged), "round {round}");
    }
    let cut = ROUNDS as usize + 1 - acknowledged.len();
    let kept = stored(&workspace).len() - acknowledged.len();
    println!("{ROUNDS} imports killed: {cut} before they had answered, {kept} of them when it was kept");
    assert!(cut > 0, "no import was killed at work");
    workspace.run_line("assay fsck").ok().contains("clean");
    workspace.write("cpi.csv", sample::worldbank(ROUNDS + 1));
    workspace.run_line("assay import worldbank cpi.csv").ok();
}

/// A data set and the blocks that it needs, all in one file.
fn publication(number: u64) -> Vec<u8> {
    let text = sample::worldbank(0);
    let source = SourceFile { name: "cpi.csv", bytes: text.as_bytes() };
    let imported = ingest::import(source, &ImportOptions::default(), &mut |_| {}).unwrap();
    let (snapshot, mut blocks) = csv_snapshot(&format!("cpi-{number}.csv"), text.as_bytes());
    let (content, content_blocks) = pack_table(&imported.table, imported.code_lists().unwrap()).unwrap();
    blocks.extend(content_blocks);
    let import = Import { reader: imported.format.reader().unwrap(), ..csv_import(snapshot) };
    let provenance = Provenance::Import(import);
    let object = encode_object(&Dataset { provenance, ..imported_dataset(content, snapshot) });
    let root = Cid::of(Codec::DagCbor, &object);
    let mut file = car::encode_header(&[root]);
    file.extend(car::encode_record(root, &object));
    blocks.iter().for_each(|(id, bytes)| file.extend(car::encode_record(*id, bytes)));
    file
}

/// Has a node publish data sets; their ids.
fn publish(node: &NodeProcess, workspace: &Workspace, numbers: std::ops::Range<u64>) -> Vec<String> {
    let token = std::fs::read_to_string(workspace.data().join("token")).unwrap();
    let token = format!("Authorization: Bearer {}", token.trim());
    let one = |number| {
        let head = ["POST /api/v1/publish", "Content-Type: application/vnd.ipld.car", &token];
        text(&http_client::send_request(&node.api, &head, &publication(number)).json(), "object")
    };
    numbers.map(one).collect()
}

#[test]
fn a_node_killed_while_replicating_loses_nothing() {
    let publisher = Workspace::with_publisher(STATISTICS_OFFICE);
    let reader = Workspace::with_publisher(RESEARCH_INSTITUTE);
    let source = NodeProcess::start(&publisher, TCP);
    reader.run_line(&format!("assay follow {}", publisher.publisher())).ok();
    reader.run_line(&format!("assay peer add {}", source.address)).ok();
    let mut random = SeededRandom::new(0x00a5_5a11_2026);
    let (mut signed, mut acknowledged, mut cut) = (BTreeSet::new(), BTreeSet::new(), 0);
    for round in 0..u64::from(ROUNDS) {
        signed.extend(publish(&source, &publisher, round * BATCH..(round + 1) * BATCH));
        let mut node = NodeProcess::spawn(&reader, TCP, &[]);
        // In every fifth round at some event of its start, else somewhere in the batch.
        let wanted = if round % 5 == 4 { 0 } else { 1 + random.below(BATCH) };
        let events = if wanted == 0 { random.below(4) } else { u64::MAX };
        while node.events.len() < events as usize && copied(&node.events).len() < wanted.max(1) as usize {
            assert!(node.next().is_some(), "the node ended by itself");
        }
        acknowledged.extend(copied(&node.kill()));
        let stored = stored(&reader);
        assert!(stored.is_superset(&acknowledged), "round {round}: {} acknowledged", acknowledged.len());
        cut += usize::from(stored.len() < signed.len());
    }
    println!("{ROUNDS} nodes killed, {cut} at their copying; {} data sets acknowledged", acknowledged.len());
    assert!(cut > 0, "no node was killed at work");
    let mut node = NodeProcess::start(&reader, TCP);
    let missing: Vec<String> = signed.difference(&stored_by(&node)).cloned().collect();
    for id in missing {
        node.wait_for("a data set", |event| is_event(event, "accepted") && event["object"] == id.as_str());
    }
    assert_eq!(stored(&reader), signed);
    assert_eq!(node.stop(), 0);
    reader.run_line("assay fsck").ok().contains("clean");
}

/// Ids of the data sets that a running node holds.
fn stored_by(node: &NodeProcess) -> BTreeSet<String> {
    let datasets = http_client::send_request(&node.api, &["GET /api/v1/datasets"], &[]).json();
    datasets.as_array().unwrap().iter().map(|info| text(info, "id")).collect()
}

/// Data sets that a node has told to be accepted.
fn copied(events: &[Value]) -> BTreeSet<String> {
    let events = events.iter().filter(|event| is_event(event, "accepted") && event["kind"] == "dataset");
    events.map(|event| text(event, "object")).collect()
}
