//! The first hour: an empty directory teaches, and every command that is offered next works.

use std::collections::{BTreeSet, VecDeque};

use super::daemon::{Daemon, TCP};
use super::desk::Desk;
use super::sample;

/// Commands that an output offers.
fn offered(out: &str) -> Vec<String> {
    out.lines().filter_map(|line| line.strip_prefix("  $ ")).map(str::to_owned).collect()
}

#[test]
fn an_empty_directory_says_what_to_do_first() {
    let desk = Desk::new();
    let run = desk.type_line("assay show").ok().says("nothing is held here yet");
    let first = ["assay init --name \"Your office\"", "assay follow <publisher>", "assay demo"];
    assert_eq!(offered(&run.out), first);
    desk.type_line("assay import worldbank x.csv --quiet").exit(5);
    desk.write("cpi.csv", sample::worldbank(0));
    for line in ["import worldbank cpi.csv", "publish inflation/cpi-annual --input X --dataflow x"] {
        desk.type_line(&format!("assay {line}")).exit(2).says("assay init --name");
    }
    assert!(desk.type_line("assay").exit(2).err.contains("demo"));
    desk.type_line("assay --help").ok().says("First steps:");
}

#[test]
fn every_command_that_is_offered_works() {
    let (other, _) = sample::published("Other office");
    let node = Daemon::start(&other, TCP);
    let (publisher, desk) = (other.publisher(), Desk::new());
    // What a reader puts in the place of what stands in brackets.
    let fill = |line: &str| {
        let line = line.replace("<publisher>", &publisher).replace("<multiaddr>", &node.address);
        line.replace("<measure>", "inflation")
            .replace("<recipe>", "inflation/cpi-annual")
            .replace("<name>", "inflation")
            .replace("<file>", "API_FP.CPI.TOTL.csv")
    };
    desk.write("API_FP.CPI.TOTL.csv", sample::worldbank(0));
    let mut queue = VecDeque::from(["assay show".to_owned(), "assay peer list".to_owned()]);
    let mut typed = BTreeSet::new();
    while let Some(line) = queue.pop_front() {
        // It lingers until it is interrupted; its shorter form is offered as well.
        let line = line.replace(" --keep", "");
        if !typed.insert(line.clone()) {
            continue;
        }
        assert!(!fill(&line).contains('<'), "what is to be put into `{line}`?");
        if line == "assay node" {
            assert_eq!(Daemon::start(&desk, TCP).stop(), 0);
            continue;
        }
        queue.extend(offered(&desk.type_line(&fill(&line)).ok().out));
    }
    println!("{} commands offered, all of them work", typed.len());
    for part in ["init", "import", "publish", "verify", "export", "follow", "peer add", "node", "demo"] {
        assert!(
            typed.iter().any(|line| line.starts_with(&format!("assay {part}"))),
            "`{part}` was not offered"
        );
    }
}
