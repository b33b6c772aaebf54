//! The demonstration, and that nothing of it stays behind.

use std::process::Command;
use std::time::Duration;

use super::workspace::Workspace;

#[test]
fn the_demonstration_succeeds_and_cleans_up() {
    let workspace = Workspace::new();
    let document = workspace.json("assay demo");
    assert_eq!(document["reproduced"], 3, "{document:#}");
    assert_eq!(document["exposed"], true, "{document:#}");
    left(&workspace);
}

/// Nothing of a demonstration is left: no file where it had its data, no process that had them.
fn left(workspace: &Workspace) {
    let files: Vec<_> =
        std::fs::read_dir(workspace.path("")).unwrap().flatten().map(|file| file.path()).collect();
    assert!(files.is_empty(), "{files:?}");
    let list = Command::new("ps").args(["-ww", "-eo", "args"]).output().unwrap();
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let folder = workspace.path("").display().to_string();
    let alive: Vec<&str> = list.lines().filter(|line| line.contains(&folder)).collect();
    assert!(alive.is_empty(), "{alive:#?}");
}

#[test]
fn a_killed_demonstration_stops_its_nodes() {
    let workspace = Workspace::new();
    let mut child = workspace.command(&["demo"]).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // The nodes run when the first line is there; they hold the writing end of its errors too.
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert!(line.contains("three nodes"), "{line}");
    let errors = super::workspace::drain(child.stderr.take());
    child.kill().unwrap();
    child.wait().unwrap();
    errors.recv_timeout(Duration::from_secs(30)).expect("a node outlived its parent");
}

#[test]
fn a_kept_demonstration_serves_its_dashboard() {
    let workspace = Workspace::new();
    let mut child = workspace.command(&["demo", "--keep"]).spawn().unwrap();
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    let errors = super::workspace::drain(child.stderr.take());
    let mut lines = std::io::BufRead::lines(out).map_while(Result::ok);
    let address =
        lines.find_map(|line| line.strip_prefix("dashboard").map(|address| address.trim().to_owned()));
    let address = address.expect("a dashboard");
    assert_eq!(lines.next().as_deref(), Some("the nodes run until Ctrl-C"));
    let api = address.trim_end_matches('/');
    let page = super::http_client::send_request(api, &["GET /", "Accept: text/html"], &[]);
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.contains("script-src 'self'"))
    );
    let releases = super::http_client::send_request(api, &["GET /api/v1/releases"], &[]).json();
    assert_eq!(releases.as_array().map(Vec::len), Some(4), "{releases:#}");
    child.kill().unwrap();
    child.wait().unwrap();
    errors.recv_timeout(Duration::from_secs(30)).expect("a node outlived its parent");
}
