//! Invalid files, addresses and directories: message, exit code, and an unchanged state.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use testkit::publisher::{STATISTICS_OFFICE, UNIVERSITY};

use super::node_process::{NodeProcess, TCP};
use super::sample;
use super::workspace::{CommandResult, Workspace, finish};

/// The sample with one text in the place of another.
fn bent(from: &str, to: &str) -> String {
    let text = sample::worldbank(0);
    assert!(text.contains(from), "no `{from}` to replace");
    text.replacen(from, to, 1)
}

/// Runs a command that must fail, and requires that the state is unchanged.
#[track_caller]
fn refused(workspace: &Workspace, line: &str, code: i32, texts: &[&str]) -> CommandResult {
    let before = workspace.json("assay show");
    let mut run = workspace.run_line(line).exit(code);
    for text in texts {
        run = run.contains(text);
    }
    assert!(run.err.starts_with("error: "), "{run:#?}");
    assert_eq!(workspace.json("assay show"), before, "`{line}` left something behind");
    run
}

/// Files that explain the codes are not kept with the document, and the import texts so.
#[test]
fn the_import_notes_companion_files() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let data = "series_id\tyear\tperiod\tvalue\nCUUR0000SA0\t2017\tM11\t1\nCUUR0000SA0\t2017\tM12\t2\n";
    workspace.write("cu.data.1", data);
    workspace.write("cu.series", "series_id\tseries_title\nCUUR0000SA0\tAll items\n");
    let alone = workspace.run_line("assay import cu.data.1 --dry-run").ok();
    assert!(![&alone.out, &alone.err].into_iter().any(|text| text.contains("are kept")), "{alone:#?}");
    workspace
        .run_line("assay import cu.data.1 cu.series --dry-run")
        .ok()
        .contains("cu.series, published with the data set");
}

#[test]
fn errors_in_files_name_line_column_and_value() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let duplicate = sample::worldbank(0) + &bent("Turkey", "France").replace("TUR", "FRA");
    let again = duplicate.lines().skip(sample::worldbank(0).lines().count() + 5).collect::<Vec<_>>();
    let duplicate = sample::worldbank(0) + again[0] + "\n";
    let mut latin = sample::worldbank(0).into_bytes();
    let offset = latin.windows(6).position(|some| some == b"France").unwrap();
    latin[offset] = 0xe7;
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        ("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), &["PNG"]),
        ("fred", sample::FRED.into(), &["found a FRED file", "import it as `fred`"]),
        ("column", bent("\"Country Code\",", "").into(), &["`Country Code`"]),
        ("text", bent("\"80.000\"", "\"about 80\"").into(), &[".csv:6", "`2005`", "`about 80`"]),
        ("duplicate", duplicate.into(), &[".csv:9", "line 6", "FRA, 2005"]),
        ("country", bent("\"FRA\"", "\"ATL\"").into(), &[".csv:6", "`Country Code`", "`ATL`"]),
        ("year", bent("\"2005\"", "\"1960 [YR1960]\"").into(), &["`1960 [YR1960]`", "DataBank"]),
        ("empty", Vec::new(), &["empty"]),
        ("latin", latin, &[".csv:6", "UTF-8", "0xe7"]),
    ];
    for (name, bytes, texts) in cases {
        workspace.write(&format!("{name}.csv"), bytes);
        refused(&workspace, &format!("assay import worldbank {name}.csv"), 2, texts);
    }
    workspace.write("cpi.csv", sample::worldbank(0));
    refused(&workspace, "assay import fred cpi.csv", 2, &["World Bank"]);
    refused(&workspace, "assay import worldbank absent.csv", 5, &["absent.csv"]);
    refused(&workspace, "assay import worldbank .", 2, &["directory"]);
    workspace.run_line("assay import worldbank cpi.csv").ok();
}

#[test]
#[cfg(target_os = "linux")]
fn an_oversized_file_is_refused_before_it_is_read() {
    let workspace = Workspace::new();
    let file = File::create(workspace.path("huge.csv")).unwrap();
    file.set_len(300 << 20).unwrap();
    let mut command = std::process::Command::new("sh");
    // So many KiB of address space: less than the file.
    command.args(["-c", "ulimit -v 262144; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_assay")]);
    command.args(["import", "worldbank", "huge.csv"]).current_dir(workspace.path(""));
    command.env("ASSAY_DATA_DIR", workspace.data()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = finish(command.spawn().unwrap(), "import in little memory".into());
    run.exit(2).contains("huge.csv").contains("larger than 268435456 bytes");
}

#[test]
fn an_endless_line_is_refused_early() {
    let workspace = Workspace::new();
    let mut file = File::create(workspace.path("line.csv")).unwrap();
    file.write_all(b"REF_AREA,TIME_PERIOD,OBS_VALUE\n").unwrap();
    file.set_len(40 << 20).unwrap();
    for format in ["worldbank", "fred", "csv"] {
        workspace.run_line(&format!("assay import {format} line.csv")).exit(2).contains("line.csv");
    }
    assert!(!workspace.data().exists(), "a file that is no data makes no data directory");
}

#[test]
fn a_repeated_date_is_refused() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("fred.csv", sample::FRED.to_owned() + "2022-06-01,296.311\n");
    refused(&workspace, "assay import fred fred.csv", 2, &["fred.csv:16", "line 15", "2022-M06"]);
    workspace.write("fred.csv", sample::FRED.replace("296.311", "n.a."));
    refused(&workspace, "assay import fred fred.csv", 2, &["fred.csv:15", "`CPIAUCNS`", "`n.a.`"]);
}

#[test]
fn unknown_names_and_addresses_are_refused() {
    let (workspace, release) = sample::published(STATISTICS_OFFICE);
    let own = workspace.publisher();
    let stranger = Workspace::with_publisher(UNIVERSITY).publisher();
    let dataset = workspace.json("assay show")["datasets"][0]["id"].as_str().unwrap().to_owned();
    let cases: [(String, i32, &str); 15] = [
        ("show nonsense".into(), 2, "`nonsense` is neither"),
        ("export nonsense -o x.car".into(), 2, "`nonsense` is neither"),
        ("verify nonsense.car".into(), 5, "neither a file, an address nor an id"),
        (format!("show assay://{own}"), 2, "the dataflow is missing"),
        (format!("show assay://{own}/inflation@yesterday"), 2, "`@yesterday` is not a vintage"),
        (format!("show assay://{own}/nothing"), 5, "assay://"),
        (format!("show assay://{stranger}/inflation"), 5, "assay://"),
        (format!("verify assay://{own}/inflation/FRA/1900"), 5, "no figure at"),
        (format!("show assay://{own}/inflation/FRA/1900"), 5, "no figure at"),
        (format!("show {stranger}"), 5, "not stored here"),
        (format!("follow {dataset}"), 2, "unsupported content id"),
        ("follow nobody".into(), 2, "`nobody` is not a content id"),
        (format!("publish {dataset} --input FP.CPI.TOTL --dataflow x"), 2, "`recipe`, found `dataset`"),
        (
            format!("publish inflation/cpi-annual --input {release} --dataflow x"),
            2,
            "`dataset`, found `release`",
        ),
        ("publish inflation/cpi-annual --input GDP --dataflow x".into(), 5, "data sets here: FP.CPI.TOTL"),
    ];
    for (line, code, texts) in &cases {
        refused(&workspace, &format!("assay {line}"), *code, &[texts]);
    }
    refused(&workspace, &format!("assay export {release} -o absent/x.car"), 1, &["cannot write"]);
    // A node that runs on the directory must respond in the same way.
    let _node = NodeProcess::start(&workspace, TCP);
    for (line, code, texts) in &cases {
        refused(&workspace, &format!("assay {line}"), *code, &[texts]);
    }
}

#[test]
fn an_identity_is_created_once_and_has_a_name() {
    let workspace = Workspace::new();
    workspace.run_line("assay init --name ''").exit(2).contains("the name of an identity is empty");
    workspace.run_line("assay import worldbank x.csv").exit(5);
    workspace.write("cpi.csv", sample::worldbank(0));
    workspace.run_line("assay import worldbank cpi.csv").exit(2).contains("assay init");
    let init = format!("assay init --name '{STATISTICS_OFFICE}'");
    workspace.run_line(&init).ok();
    refused(&workspace, &init, 2, &["has a publisher identity already", "--data"]);
}

#[test]
fn invalid_peer_addresses_are_refused() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let list = || workspace.json("assay peer list");
    let wrong =
        ["nonsense", "localhost:4001", "/ip4/127.0.0.1", "/ip4/300.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/x"];
    for wrong in wrong {
        refused(&workspace, &format!("assay peer add {wrong}"), 2, &[wrong, "is not a multiaddress"]);
        refused(
            &workspace,
            &format!("assay node --api 127.0.0.1:0 --peer {wrong}"),
            2,
            &["is not a multiaddress"],
        );
    }
    refused(&workspace, "assay node --api 127.0.0.1:0 --listen nonsense", 2, &["is not an address"]);
    assert_eq!(list().as_array().map(Vec::len), Some(0));
    let node = NodeProcess::start(&workspace, TCP);
    refused(&workspace, "assay peer add nonsense", 2, &["is not a multiaddress"]);
    refused(&workspace, "assay peer add /ip4/127.0.0.1/tcp/1", 6, &["cannot reach `/ip4/127.0.0.1/tcp/1`"]);
    assert_eq!(list().as_array().map(Vec::len), Some(0));
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_node_starts_despite_an_invalid_stored_peer() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    {
        let (mut core, _) =
            node::open_core(&node::DataDirectory::open(workspace.data()).unwrap(), false).unwrap();
        core.add_peer("from an older program").unwrap();
    }
    let node = NodeProcess::start(&workspace, TCP);
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_data_directory_has_one_process() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let node = NodeProcess::start(&workspace, TCP);
    let running = workspace.data().join("running.json");
    let text = std::fs::read(&running).unwrap();
    // As if its API did not response: the lock alone must keep others out.
    std::fs::remove_file(&running).unwrap();
    workspace.write("cpi.csv", sample::worldbank(0));
    let lines = ["show", "fsck", "init --name X", "import worldbank cpi.csv", "node --api 127.0.0.1:0"];
    for line in lines {
        workspace
            .run_line(&format!("assay {line}"))
            .exit(1)
            .contains("is in use by process")
            .contains("--data");
    }
    std::fs::write(&running, text).unwrap();
    workspace.run_line("assay import worldbank cpi.csv").ok();
    // Killed, it leaves a file that texts it runs, and a lock that nobody holds.
    node.kill();
    assert!(running.exists());
    workspace.run_line("assay show").ok().contains("FP.CPI.TOTL");
}

#[test]
fn an_impossible_data_directory_is_refused() {
    let workspace = Workspace::new();
    workspace.write("file", "not a directory");
    workspace.run_line("assay show --data file").exit(1).contains("cannot make `file/keys`");
    workspace.run_line("assay init --name X --data file/deeper").exit(1).contains("file/deeper");
}

#[test]
fn typing_errors_get_suggestions() {
    let workspace = Workspace::new();
    workspace.run_line("assay imprt worldbank x.csv").exit(2).contains("'import'");
    workspace.run_line("assay import wordbank x.csv").exit(2).contains("worldbank");
    workspace.run_line("assay verify").exit(2).contains("<TARGET>");
    workspace.run_line("assay recipe chek x").exit(2).contains("'check'");
    workspace.run_line("assay recipe check inflation-anual").exit(5).contains("inflation/cpi-annual");
}

#[test]
fn errors_are_json_with_the_json_flag() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let cases = [
        ("import worldbank absent.csv", 5),
        ("show nonsense", 2),
        ("imprt", 2),
        ("import wordbank x.csv", 2),
        ("verify", 2),
        ("recipe check inflation-anual", 5),
        ("init --name X", 2),
    ];
    for (line, code) in cases {
        let run = workspace.run_line(&format!("assay --json {line}")).exit(code);
        assert!(run.out.is_empty(), "{run:#?}");
        let error = serde_json::from_str::<serde_json::Value>(&run.err);
        let error = error.unwrap_or_else(|error| panic!("{error}: {run:#?}"))["error"].clone();
        assert_eq!(error["exit"], code, "{run:#?}");
        for name in ["code", "message"] {
            assert!(error[name].as_str().is_some_and(|text| !text.is_empty()), "{run:#?}");
        }
        assert!(error["hints"].is_array(), "{run:#?}");
    }
}

#[test]
fn forbidden_sources_are_refused_before_any_request() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    for (line, code, texts) in [
        ("https://127.0.0.1/x.csv", 2, "the address `127.0.0.1`"),
        ("https://[::ffff:127.0.0.1]/x.csv", 2, "found the address"),
        ("https://localhost/x.csv", 2, "`localhost` is not an allowed host"),
        ("https://169.254.169.254/latest/meta-data", 2, "found the address"),
        ("file:///etc/hostname", 2, "expected https"),
        ("https://me:word@api.worldbank.org/v2", 2, "user or password"),
        ("https://api.worldbank.org:8080/v2", 2, "port 8080"),
        ("https://x.example.org/x.csv --allow-host 10.0.0.1", 2, "is not a host name"),
        ("https://x.example.org/x.csv --allow-host localhost", 2, "is not a host name"),
        ("ecb EXR ../x", 2, "is not valid in a URL"),
        ("worldbank FP.CPI.TOTL --from 2000", 2, "`--from` and `--to` together"),
    ] {
        refused(&workspace, &format!("assay import {line}"), code, &[texts]);
    }
    let key = "secret word";
    let mut command = workspace.command(&["import", "fred", "GDP"]);
    let run = finish(command.env("FRED_API_KEY", key).spawn().unwrap(), "a key".into())
        .exit(2)
        .contains("FRED_API_KEY");
    assert!(!run.err.contains(key) && !run.out.contains(key), "{run:?}");
}
