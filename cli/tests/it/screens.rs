//! All output of the commands, compared with checked-in files: help, typical runs, typical errors. Parts
//! that differ from run to run (ids, times, ports, paths) are replaced by names. `ASSAY_BLESS=1` writes
//! the files.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use testkit::publisher::{STATISTICS_OFFICE, UNIVERSITY};

use super::node_process::TCP;
use super::sample;
use super::workspace::Workspace;

/// Commands typed in a workspace, with their output.
struct Transcript<'a> {
    workspace: &'a Workspace,
    text: String,
}

impl<'a> Transcript<'a> {
    fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, text: String::new() }
    }

    /// Types a line.
    fn line(&mut self, line: &str) -> &mut Self {
        let run = self.workspace.run_line(line);
        self.add(line, &run.out, &run.err, run.code)
    }

    fn add(&mut self, line: &str, out: &str, err: &str, code: i32) -> &mut Self {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let code = if code == 0 { String::new() } else { format!("[exit {code}]\n") };
        write!(self.text, "{gap}$ {line}\n{out}{err}{code}").unwrap();
        self
    }

    /// Compares with the file of this name.
    #[track_caller]
    fn compare(&self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}.txt"));
        let folder = self.workspace.path("").display().to_string();
        let found = plain(&self.text.replace(folder.trim_end_matches('/'), "<workspace>"));
        if std::env::var_os("ASSAY_BLESS").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "the screen `{name}` changed; ASSAY_BLESS=1 accepts it\n--- expected\n{expected}\n--- found\n{found}"
        );
    }
}

/// Replaces the parts of a text that differ from run to run by names.
fn plain(text: &str) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let (mut plain, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let inside = plain.ends_with(|c: char| c.is_ascii_alphanumeric());
        let (length, name) = match Some(rest).filter(|_| !inside).and_then(|rest| vague(rest, &plain)) {
            Some((length, "id")) => {
                let id = &rest[..length];
                let position = ids.iter().position(|known| *known == id).unwrap_or(ids.len());
                ids.resize(ids.len().max(position + 1), id);
                (length, format!("<{}-{}>", &id[..5], position + 1))
            }
            Some((length, name)) => (length, format!("<{name}>")),
            None => (first.len_utf8(), first.to_string()),
        };
        plain += &name;
        rest = &rest[length..];
    }
    plain
}

/// Length and name of a variable part at the start of a text.
fn vague(text: &str, before: &str) -> Option<(usize, &'static str)> {
    let length = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (word, after) = text.split_at(length);
    let number = word.bytes().all(|b| b.is_ascii_digit());
    match word {
        _ if word.starts_with("baf") && length > 50 => Some((length, "id")),
        _ if word.starts_with("z6Mk") && length > 40 => Some((length, "key")),
        _ if word.starts_with("12D3KooW") && length > 40 => Some((length, "peer")),
        _ if word.starts_with("baf") && length == 6 && after.starts_with('…') => {
            Some((length + '…'.len_utf8() + 8, "short"))
        }
        _ if number && length == 4 && shaped(text, "0000-00-00 00:00 UTC") => Some((20, "time")),
        _ if number && length == 4 && shaped(text, "0000-00-00") => Some((10, "day")),
        _ if number && length <= 2 && shaped(after, ".000 s") => Some((length + 4, "seconds")),
        _ if number && length == 5 && (before.ends_with(':') || before.ends_with("p/")) => Some((5, "port")),
        _ if number && before.ends_with("in use by process ") => Some((length, "pid")),
        _ => None,
    }
}

/// Returns whether a text begins with a pattern in which 0 stands for any digit.
fn shaped(text: &str, pattern: &str) -> bool {
    let same =
        |(found, wanted): (u8, u8)| if wanted == b'0' { found.is_ascii_digit() } else { found == wanted };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}

#[test]
fn variable_parts_of_screens_are_replaced() {
    let id = "bafkr4iclr5uwatwxjseqbw2m36grqxnwwg4bfb52px5ds7nfdssajrhglq";
    let text = format!("{id} {id}/x (5 steps, 0.060 s) 2026-11-22 23:15 UTC /tcp/38443 127.0.0.1:7171 2010");
    let wanted = "<bafkr-1> <bafkr-1>/x (5 steps, <seconds> s) <time> /tcp/<port> 127.0.0.1:7171 2010";
    assert_eq!(plain(&text), wanted);
}

#[test]
fn the_program_and_first_steps() {
    let workspace = Workspace::new();
    Transcript::new(&workspace).line("assay --help").line("assay").line("assay imprt").compare("assay");
    let mut screen = Transcript::new(&workspace);
    screen.line("assay init --help").line("assay init").line("assay init --name ''");
    screen.line("assay init --name 'Statistics Office' --contact https://example.org");
    screen.line("assay init --name 'Statistics Office'").compare("init");
}

#[test]
fn files_and_data_sets() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("cpi.csv", sample::worldbank(0));
    workspace.write("fred.csv", sample::FRED);
    workspace.write("prices.csv", "Country Code,Year,Index\nFRA,2009,98.5\nFRA,2010,100\n");
    workspace.write("text.csv", sample::worldbank(0).replacen("80.000", "about 80", 1));
    let mut screen = Transcript::new(&workspace);
    screen.line("assay import --help").line("assay import worldbank cpi.csv");
    screen.line("assay import fred fred.csv --title 'CPI-U, not seasonally adjusted' --dry-run");
    screen.line("assay import csv prices.csv");
    screen.line("assay import csv prices.csv --map 'REF_AREA=Country Code' --map TIME_PERIOD=Year --map OBS_VALUE=Index");
    screen.line("assay import worldbank fred.csv").line("assay import worldbank text.csv");
    screen.line("assay import worldbank absent.csv").line("assay import wordbank cpi.csv");
    screen
        .line("assay import http://api.worldbank.org/v2/country")
        .line("assay import https://www.example.org/x.csv");
    screen.line("assay import https://api.stlouisfed.org/fred/series?series_id=GDP\\&api_key=0123");
    screen.line("assay import bls CUUR0000SA0 --from 2005 --to 2000").line("assay import nobody CPI");
    screen.line("assay import --check-source FP.CPI.TOTL").line("assay import").compare("import");
}

#[test]
fn versions_of_data_sets() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    for (name, factor) in [("cpi.csv", 0), ("newer.csv", 1)] {
        workspace.write(name, sample::worldbank(factor));
    }
    workspace.write("tenfold.csv", sample::worldbank(0).replacen("\"83.777\"", "\"837.77\"", 1));
    let mut screen = Transcript::new(&workspace);
    screen.line("assay dataset --help").line("assay dataset diff --help");
    workspace.run_line("assay import worldbank cpi.csv").ok();
    screen.line("assay dataset diff FP.CPI.TOTL").line("assay import worldbank newer.csv");
    screen.line("assay dataset diff FP.CPI.TOTL --limit 2");
    screen.line("assay dataset diff FP.CPI.TOTL@first cpi.csv");
    screen.line("assay import worldbank tenfold.csv").line("assay import worldbank tenfold.csv --force");
    screen.compare("dataset");
}

#[test]
fn an_indicator_from_a_file() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("CPIAUCNS.csv", sample::FRED);
    let mut screen = Transcript::new(&workspace);
    screen.line("assay publish inflation --from CPIAUCNS.csv --vintage 2022-06");
    workspace.write("CPIAUCNS.csv", sample::FRED.replace("296.311", "296.711"));
    screen.line("assay publish inflation --from CPIAUCNS.csv --vintage 2022-07");
    screen.line("assay publish inflation --from CPIAUCNS.csv --vintage 2022-07 --reason source-revision");
    screen.line("assay publish gdp --from CPIAUCNS").line("assay publish inflation").compare("measure");
}

#[test]
fn recipes_and_releases() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("cpi.csv", sample::worldbank(0));
    workspace.run_line("assay import worldbank cpi.csv").ok();
    let mut screen = Transcript::new(&workspace);
    screen.line("assay recipe --help").line("assay recipe list --help").line("assay recipe list");
    screen.line("assay recipe list prices").line("assay recipe show --help");
    screen.line("assay recipe show inflation/housing-alternative").line("assay recipe show inflation/rent");
    screen.line("assay recipe check --help").line("assay recipe check inflation/cpi-annual");
    screen.line("assay recipe check inflation-anual");
    screen.line("assay recipe run --help").line("assay recipe run inflation/cpi-annual --input CPI=cpi.csv");
    screen.line("assay recipe run inflation/cpi-annual --input cpi.csv");
    screen.line("assay recipe publish --help").line("assay recipe publish unemployment/u3").compare("recipe");
    authors(&workspace);
    let publish = "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation";
    let mut screen = Transcript::new(&workspace);
    screen.line("assay publish --help").line(&format!("{publish} --dry-run")).line(publish).line(publish);
    screen.line("assay publish inflation/cpi-annual --input GDP --dataflow inflation");
    screen.line("assay publish unemployment/u3 --input FP.CPI.TOTL --dataflow unemployment");
    screen.line(&format!("{publish} --reason method")).compare("publish");
}

/// Screens for authors of recipes: plan, format, comparison, and messages for common mistakes.
fn authors(workspace: &Workspace) {
    let steps = "BASE:=timeshift(CPI,2);  // two years\nINFLATION<-round((CPI/BASE-1)*100,6);";
    super::recipe::recipe(workspace, steps, "");
    let mut screen = Transcript::new(workspace);
    screen.line("assay recipe explain my.toml");
    screen
        .line("assay recipe fmt my.toml --check")
        .line("assay recipe fmt my.toml")
        .line("assay recipe fmt my.vtl");
    screen.line("assay recipe diff --help").line("assay recipe diff inflation/cpi-annual my.toml");
    screen.line("assay recipe diff inflation/cpi-annual my.toml --on CPI=cpi.csv --figure USA/2010");
    screen.line("assay recipe diff inflation/cpi-annual inflation/cpi-annual");
    screen.line("assay recipe diff inflation/cpi-12-month inflation/housing-alternative");
    workspace.write("draft.vtl", "R <- max(CPI group by REF_AREA);");
    screen.line("assay recipe run draft.vtl --input CPI=cpi.csv").line("assay recipe check draft.vtl");
    screen.line("assay recipe explain draft.vtl --input CPI=cpi.csv").compare("authors");
    let mut screen = Transcript::new(workspace);
    for script in [
        "INFLATION <- round((CPI / timeshift(CPY, 1) - 1) * 100, 1);",
        "INFLATION <- round((CPI / timeshift(CPI, 1) - 1 * 100, 1);",
        "INFLATION <- CPI[calc RATE := OBS_VALU / REF_AREA][keep RATE];",
        "INFLATION <- inner_join(CPI as a, CPI as b keep OBS_VALUE);",
        "A := B + 1;\nB := rond(CPI, 1);\nINFLATION <- A[filter OBS_VALUE = \"high\"];",
        "INFLATION <- 100 / (CPI - CPI);",
    ] {
        super::recipe::recipe(workspace, script, "");
        screen.line("assay recipe run my.toml --input CPI=cpi.csv");
    }
    super::recipe::recipe(workspace, "A := CPY + ;\nINFLATION <- rond(CPI, 1);", "");
    screen.line("assay recipe check my.toml --json").compare("mistakes");
}

#[test]
fn stored_objects_and_their_verification() {
    let (workspace, release) = sample::published(STATISTICS_OFFICE);
    let own = workspace.publisher();
    let dataset = workspace.json("assay show")["datasets"][0]["id"].as_str().unwrap().to_owned();
    let figure = format!("assay://{own}/inflation/USA/2010");
    let mut screen = Transcript::new(&workspace);
    screen.line("assay show --help").line("assay show").line(&format!("assay show {own}"));
    screen.line(&format!("assay show {dataset}")).line(&format!("assay show {release}"));
    screen.line(&format!("assay show {figure}")).line(&format!("assay show {figure} --csv"));
    screen.line(&format!("assay show assay://{own}/inflation/USA/1900")).line("assay show nonsense");
    screen.compare("show");
    let mut screen = Transcript::new(&workspace);
    screen.line("assay export --help").line(&format!("assay export {release} -o inflation.car"));
    screen.line(&format!("assay export {release} -o absent/inflation.car")).compare("export");
    let mut spoilt = std::fs::read(workspace.path("inflation.car")).unwrap();
    *spoilt.last_mut().unwrap() ^= 1;
    workspace.write("spoilt.car", &spoilt);
    let falsified = super::bundle::falsify(&workspace, &release);
    let mut screen = Transcript::new(&workspace);
    screen.line("assay verify --help").line(&format!("assay verify {figure}@first"));
    screen.line(&format!("assay verify {dataset}")).line("assay verify inflation.car");
    screen.line("assay verify spoilt.car").line(&format!("assay verify {falsified}"));
    screen.line("assay verify nonsense").compare("verify");
    let mut screen = Transcript::new(&workspace);
    screen.line("assay retract --help").line(&format!("assay retract {dataset} --reason mistake"));
    screen.line(&format!("assay retract {falsified} --reason 'a row was read twice'"));
    screen.line(&format!("assay show {falsified}")).compare("retract");
}

#[test]
fn peers_and_publishers() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let stranger = Workspace::with_publisher(UNIVERSITY).publisher();
    let mut screen = Transcript::new(&workspace);
    screen.line("assay follow --help").line("assay unfollow --help");
    screen.line(&format!("assay follow {stranger}")).line("assay show");
    screen.line(&format!("assay unfollow {stranger}")).line("assay follow nobody").compare("follow");
    let mut screen = Transcript::new(&workspace);
    screen.line("assay peer --help").line("assay peer list").line("assay peer add --help");
    screen.line("assay peer add /ip4/192.0.2.1/tcp/7170").line("assay peer list");
    screen.line("assay peer add nonsense").compare("peer");
    Transcript::new(&workspace).line("assay fsck --help").line("assay fsck").compare("fsck");
}

#[test]
fn a_node_from_its_start_to_its_end() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let line = format!("assay node --api 127.0.0.1:0 --listen {TCP}");
    let args = super::workspace::words(&format!("{line} --with-parent"));
    let mut child = workspace.command(&args[1..]).stdin(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut out = String::new();
    while !out.contains("listening") {
        assert!(reader.read_line(&mut out).unwrap() > 0, "the node ended by itself: {out}");
    }
    // While it has the directory, nobody else may.
    std::fs::remove_file(workspace.data().join("running.json")).unwrap();
    let busy = workspace.run_line("assay show");
    drop(child.stdin.take());
    reader.read_to_string(&mut out).unwrap();
    let code = child.wait().unwrap().code().unwrap_or(-1);
    let mut screen = Transcript::new(&workspace);
    screen.line("assay node --help").add(&line, &out, "", code);
    screen.add("assay show", &busy.out, &busy.err, busy.code);
    screen.line("assay node --listen nonsense --api 127.0.0.1:0");
    screen.line("assay node --api 0.0.0.0:7171").compare("node");
}

#[test]
fn the_demonstration() {
    let workspace = Workspace::new();
    Transcript::new(&workspace).line("assay demo --help").line("assay demo").compare("demo");
}
