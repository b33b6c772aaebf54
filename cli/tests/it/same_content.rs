//! One file read by two publishers is one content.

use testkit::publisher::{RESEARCH_INSTITUTE, STATISTICS_OFFICE};

use super::node_process::{NodeProcess, TCP, is_event};
use super::sample;
use super::workspace::{Workspace, text};

#[test]
fn two_publishers_of_one_file_have_one_content_id() {
    let workspaces = [STATISTICS_OFFICE, RESEARCH_INSTITUTE].map(|name| {
        let workspace = Workspace::with_publisher(name);
        workspace.write("cpi.csv", sample::worldbank(0));
        workspace
    });
    let [here, there] = &workspaces;
    let imports = [
        here.json("assay import worldbank cpi.csv"),
        there.json("assay import worldbank cpi.csv --title Prices --url https://example.org/cpi.csv"),
    ];
    assert_eq!(imports[0]["content"], imports[1]["content"]);
    let [own, other] = [0, 1].map(|place| text(&imports[place]["published"], "object"));
    assert_ne!(own, other, "what each of them says of it differs");
    here.run_line(&format!("assay show {own}")).ok();
    here.run_line(&format!("assay follow {}", there.publisher())).ok();
    let source = NodeProcess::start(there, TCP);
    let mut node = NodeProcess::with(here, TCP, &["--peer", &source.address]);
    node.wait_for("the other data set", |event| {
        is_event(event, "accepted") && event["object"] == other.as_str()
    });
    for (id, twin, name) in [(&own, &other, RESEARCH_INSTITUTE), (&other, &own, STATISTICS_OFFICE)] {
        let run = here.run_line(&format!("assay show {id}")).ok();
        run.contains(&format!("same as     {name} published the same content: {twin}"));
        assert_eq!(here.json(&format!("assay show {id}"))["same_content"][0]["id"], twin.as_str());
    }
    // Whose is meant is now a question.
    let publish = "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation";
    here.run_line(publish).exit(2).contains("several publishers").contains(&own).contains(&other);
    here.run_line(&publish.replace("FP.CPI.TOTL", &other)).ok();
}
