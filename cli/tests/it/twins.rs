//! One file read by two publishers is one content.

use super::daemon::{Daemon, TCP, is};
use super::desk::{Desk, text};
use super::sample;

#[test]
fn two_publishers_who_read_the_same_file_agree_by_id() {
    let desks = ["Here", "There"].map(|name| {
        let desk = Desk::founded(name);
        desk.write("cpi.csv", sample::worldbank(0));
        desk
    });
    let [here, there] = &desks;
    let imports = [
        here.json("assay import worldbank cpi.csv"),
        there.json("assay import worldbank cpi.csv --title Prices --url https://example.org/cpi.csv"),
    ];
    assert_eq!(imports[0]["content"], imports[1]["content"]);
    let [own, other] = [0, 1].map(|place| text(&imports[place]["published"], "object"));
    assert_ne!(own, other, "what each of them says of it differs");
    here.type_line(&format!("assay show {own}")).ok();
    here.type_line(&format!("assay follow {}", there.publisher())).ok();
    let source = Daemon::start(there, TCP);
    let mut node = Daemon::with(here, TCP, &["--peer", &source.address]);
    node.wait("the other data set", |event| is(event, "accepted") && event["object"] == other.as_str());
    for (id, twin, name) in [(&own, &other, "There"), (&other, &own, "Here")] {
        let run = here.type_line(&format!("assay show {id}")).ok();
        run.says(&format!("same as     {name} published the same content: {twin}"));
        assert_eq!(here.json(&format!("assay show {id}"))["same_content"][0]["id"], twin.as_str());
    }
    // Whose is meant is now a question.
    let publish = "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation";
    here.type_line(publish).exit(2).says("several publishers").says(&own).says(&other);
    here.type_line(&publish.replace("FP.CPI.TOTL", &other)).ok();
}
