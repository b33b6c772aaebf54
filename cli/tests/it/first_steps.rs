//! First steps: an empty directory suggests commands, and every suggested command works.

use std::collections::{BTreeSet, VecDeque};

use testkit::publisher::RESEARCH_INSTITUTE;

use super::node_process::{NodeProcess, TCP};
use super::sample;
use super::workspace::Workspace;

/// Commands that an output offers.
fn offered(out: &str) -> Vec<String> {
    out.lines().filter_map(|line| line.strip_prefix("  $ ")).map(str::to_owned).collect()
}

#[test]
fn an_empty_directory_suggests_first_steps() {
    let workspace = Workspace::new();
    let run = workspace.run_line("assay show").ok().contains("nothing is stored here yet");
    let first = ["assay init --name \"Your institute\"", "assay follow <publisher>", "assay demo"];
    assert_eq!(offered(&run.out), first);
    workspace.run_line("assay import worldbank x.csv --quiet").exit(5);
    workspace.write("cpi.csv", sample::worldbank(0));
    for line in ["import worldbank cpi.csv", "publish inflation/cpi-annual --input X --dataflow x"] {
        workspace.run_line(&format!("assay {line}")).exit(2).contains("assay init --name");
    }
    assert!(workspace.run_line("assay").exit(2).err.contains("demo"));
    workspace.run_line("assay --help").ok().contains("First steps:");
}

#[test]
fn every_suggested_command_works() {
    let (other, _) = sample::published(RESEARCH_INSTITUTE);
    let node = NodeProcess::start(&other, TCP);
    let (publisher, workspace) = (other.publisher(), Workspace::new());
    // Values for the placeholders in brackets.
    let fill = |line: &str| {
        let line = line.replace("<publisher>", &publisher).replace("<multiaddr>", &node.address);
        line.replace("<indicator>", "inflation")
            .replace("<recipe>", "inflation/cpi-annual")
            .replace("<name>", "inflation")
            .replace("<file>", "API_FP.CPI.TOTL.csv")
    };
    workspace.write("API_FP.CPI.TOTL.csv", sample::worldbank(0));
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
            assert_eq!(NodeProcess::start(&workspace, TCP).stop(), 0);
            continue;
        }
        queue.extend(offered(&workspace.run_line(&fill(&line)).ok().out));
    }
    println!("{} commands offered, all of them work", typed.len());
    for part in ["init", "import", "publish", "verify", "export", "follow", "peer add", "node", "demo"] {
        assert!(
            typed.iter().any(|line| line.starts_with(&format!("assay {part}"))),
            "`{part}` was not offered"
        );
    }
}
