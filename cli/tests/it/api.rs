//! The API as strangers see it: other hosts, no token, wrong paths, wrong bodies.

use schemas::car;
use schemas::cid::{Cid, Codec};
use serde_json::json;
use testkit::publisher::{STATISTICS_OFFICE, UNIVERSITY};

use super::node_process::{NodeProcess, TCP};
use super::workspace::Workspace;
use super::{http_client, sample};

const CAR: &str = "Content-Type: application/vnd.ipld.car";

fn published() -> (Workspace, String, NodeProcess, String) {
    let (workspace, release) = sample::published(STATISTICS_OFFICE);
    let node = NodeProcess::start(&workspace, TCP);
    let token = std::fs::read_to_string(workspace.data().join("token")).unwrap();
    (workspace, release, node, format!("Authorization: Bearer {}", token.trim()))
}

#[test]
fn requests_of_foreign_origins_are_refused() {
    let (_workspace, _, node, token) = published();
    let status = "GET /api/v1/status";
    for host in ["Host: example.org", "Host: 127.0.0.1.example.org", "Host: 10.0.0.1:7171", "Host: "] {
        http_client::send_request(&node.api, &[status, host], &[]).problem(403, "host");
        http_client::send_request(&node.api, &["POST /api/v1/peers", host, &token], b"{}")
            .problem(403, "host");
    }
    for origin in ["Origin: https://example.org", "Origin: null", "Origin: http://localhost.example.org"] {
        http_client::send_request(&node.api, &[status, origin], &[]).problem(403, "host");
    }
    for fine in ["Host: localhost:1", "Host: [::1]", "Origin: http://127.0.0.1:5173"] {
        assert_eq!(http_client::send_request(&node.api, &[status, fine], &[]).status, 200, "{fine}");
    }
    assert_eq!(http_client::send_request(&node.api, &[status], &[]).json()["logs"], 1);
}

#[test]
fn cors_opens_public_reads_only() {
    let (_workspace, release, node, token) = published();
    const PAGE: &str = "Origin: https://example.org";
    for open in ["/api/v1/flows", "/data/inflation/TUR.csv", "/sdmx/v2/structure/dataflow", "/openapi.json"] {
        println!("{open}");
        let response = http_client::send_request(&node.api, &[&format!("GET {open}"), PAGE], &[]);
        assert!(response.status < 400, "{}", response.status);
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert_eq!(response.header("access-control-allow-credentials"), None);
        let before = [&format!("OPTIONS {open}"), PAGE, "Access-Control-Request-Method: GET"];
        let response = http_client::send_request(&node.api, &before, &[]);
        assert_eq!(
            (response.status, response.header("access-control-allow-methods")),
            (200, Some("GET,HEAD"))
        );
    }
    // A error is told to such a page too, or it could not say why it shows nothing.
    for error in ["/api/v1/releases/nonsense", "/sdmx/v1/data/nothing", "/data/nothing/all.csv"] {
        let response = http_client::send_request(&node.api, &[&format!("GET {error}"), PAGE], &[]);
        assert!(response.status >= 400, "{error}");
        assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{error}");
    }
    let rerun = format!("GET /api/v1/releases/{release}/rerun");
    for own in ["GET /api/v1/status", "GET /api/v1/peers", &rerun, "POST /api/v1/peers"] {
        for foreign in [PAGE, "Sec-Fetch-Site: cross-site"] {
            let response = http_client::send_request(&node.api, &[own, foreign, &token], b"{}");
            response.problem(403, "host");
            assert_eq!(response.header("access-control-allow-origin"), None, "{own}");
        }
    }
}

#[test]
fn health_and_metrics_are_served() {
    let (_workspace, _, node, _) = published();
    let get = |path: &str| http_client::send_request(&node.api, &[&format!("GET {path}")], &[]);
    assert_eq!(get("/healthz").body, b"ok\n");
    assert_eq!(get("/readyz").body, b"ready\n");
    get("/api/v1/releases/nonsense").problem(400, "id");
    let metrics = String::from_utf8(get("/metrics").body).unwrap();
    for line in [
        "assay_logs 1",
        "assay_releases 1",
        "assay_log_entries_complete 4",
        "assay_verdicts{verdict=\"none\"} 1",
        "assay_http_requests_total{method=\"GET\",route=\"/readyz\",status=\"200\"} 1",
        "assay_http_requests_total{method=\"GET\",route=\"/api/v1/releases/{id}\",status=\"400\"} 1",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
}

#[test]
fn a_node_verifies_a_release_on_request() {
    let (_workspace, release, node, token) = published();
    let path = format!("/api/v1/releases/{release}");
    let verify = format!("POST {path}/verify");
    http_client::send_request(&node.api, &[&verify], &[]).problem(401, "token");
    let found = http_client::send_request(&node.api, &[&verify, &token], &[]).json();
    assert_eq!(found["verdict"]["reproduced"]["cells"], 15);
    assert_eq!(found["attested"], false, "nobody is a witness of himself");
    let kept = http_client::send_request(&node.api, &[&format!("GET {path}")], &[]).json();
    assert_eq!(kept["verdict"], found["verdict"]);
    let absent = Cid::of(Codec::DagCbor, b"nothing");
    let absent = format!("POST /api/v1/releases/{absent}/verify");
    http_client::send_request(&node.api, &[&absent, &token], &[]).problem(404, "not-found");
}

#[test]
fn the_catalogue_lists_all_dataflows() {
    let (_workspace, _, node, _) = published();
    let get = |path: &str| http_client::send_request(&node.api, &[&format!("GET {path}")], &[]);
    let catalogue = get("/catalogue.jsonld").json();
    let [flow] = catalogue["dcat:dataset"].as_array().unwrap().as_slice() else { panic!("{catalogue}") };
    assert_eq!(flow["dct:publisher"]["foaf:name"], STATISTICS_OFFICE);
    for file in flow["dcat:distribution"].as_array().unwrap() {
        let url = file["dcat:downloadURL"]["@id"].as_str().unwrap();
        let response = get(url.strip_prefix(&node.api).unwrap());
        let kind = response.header("content-type").unwrap().split(';').next().map(str::to_owned);
        assert_eq!(
            (response.status, kind.as_deref()),
            (200, file["schema:encodingFormat"].as_str()),
            "{url}"
        );
    }
}

#[test]
fn the_api_has_a_page_that_explains_it() {
    let (_workspace, _, node, _) = published();
    let get = |path: &str| http_client::send_request(&node.api, &[&format!("GET {path}")], &[]);
    assert_eq!(get("/docs").header("location"), Some("/docs/"));
    let page = String::from_utf8(get("/docs/").body).unwrap();
    let files = page.split(['"', '\'']).filter(|part| part.ends_with(".js") || part.ends_with(".css"));
    let files: Vec<&str> = files.map(|file| file.trim_start_matches("./")).collect();
    assert!(files.len() >= 4, "{page}");
    for file in files {
        assert_eq!(get(&format!("/docs/{file}")).status, 200, "{file}");
    }
    assert!(String::from_utf8_lossy(&get("/docs/swagger-initializer.js").body).contains("/openapi.json"));
    get("/docs/nothing.js").problem(404, "no-route");
}

#[test]
fn writes_require_the_token() {
    let (workspace, _, node, token) = published();
    let stranger = Workspace::with_publisher(UNIVERSITY).publisher();
    let before = workspace.json("assay show");
    let follow = format!("POST /api/v1/follows/{stranger}");
    let unfollow = format!("DELETE /api/v1/follows/{stranger}");
    let longer = format!("{token}0");
    let wrong = ["X-Nothing: 1", "Authorization: Bearer ", "Authorization: Basic Og==", &longer];
    for request in ["POST /api/v1/publish", "POST /api/v1/peers", &follow, &unfollow] {
        for wrong in wrong {
            http_client::send_request(&node.api, &[request, wrong], b"{}").problem(401, "token");
        }
    }
    assert_eq!(workspace.json("assay show"), before);
    assert_eq!(http_client::send_request(&node.api, &[&follow, &token], &[]).status, 204);
    assert_eq!(http_client::send_request(&node.api, &[&unfollow, &token], &[]).status, 204);
}

#[test]
fn unknown_paths_and_ids_are_problems() {
    let (_workspace, release, node, _) = published();
    let get = |path: &str| http_client::send_request(&node.api, &[&format!("GET {path}")], &[]);
    get("/nowhere").problem(404, "no-route");
    get("/api/v1/nowhere").problem(404, "no-route");
    get("/api/v1/../../etc/passwd").problem(404, "no-route");
    http_client::send_request(&node.api, &["PUT /api/v1/status"], &[]).problem(405, "method");
    for list in ["blocks", "bundles", "releases"] {
        get(&format!("/api/v1/{list}/nonsense")).problem(400, "id");
        let absent = Cid::of(Codec::DagCbor, b"nothing");
        get(&format!("/api/v1/{list}/{absent}")).problem(404, "not-found");
    }
    get("/api/v1/resolve").problem(400, "query");
    get("/api/v1/resolve?q=nonsense").problem(400, "malformed");
    assert_eq!(get(&format!("/api/v1/resolve?q={release}")).json()["id"], release.as_str());
}

#[test]
fn invalid_request_bodies_are_refused() {
    let (workspace, release, node, token) = published();
    let before = workspace.json("assay show");
    let publish =
        |body: &[u8]| http_client::send_request(&node.api, &["POST /api/v1/publish", CAR, &token], body);
    let block = http_client::send_request(&node.api, &[&format!("GET /api/v1/blocks/{release}")], &[]).body;
    let root: Cid = release.parse().unwrap();
    let absent = Cid::of(Codec::DagCbor, b"nothing");
    let whole = [car::encode_header(&[root]), car::encode_record(root, &block)].concat();
    let mut spoilt = whole.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    let bodies: [(&str, Vec<u8>); 7] = [
        ("empty", Vec::new()),
        ("garbage", vec![0xff; 4096]),
        ("no root", car::encode_header(&[])),
        ("two roots", car::encode_header(&[root, absent])),
        ("root absent", car::encode_header(&[absent])),
        ("cut off", whole[..whole.len() - 1].to_vec()),
        ("spoilt", spoilt),
    ];
    for (name, body) in bodies {
        println!("{name}");
        publish(&body).problem(422, "car");
    }
    let note = [car::encode_header(&[absent]), car::encode_record(absent, b"nothing")].concat();
    publish(&note).problem(422, "refused");
    let length = format!("Content-Length: {}", (600_u64 << 20) + 1);
    http_client::send_request(&node.api, &["POST /api/v1/publish", CAR, &token, &length], &[])
        .problem(413, "large");
    assert_eq!(workspace.json("assay show"), before);
    let peers = |body: &str| {
        http_client::send_request(
            &node.api,
            &["POST /api/v1/peers", &token, "Content-Type: application/json"],
            body.as_bytes(),
        )
    };
    peers("{").problem(400, "json");
    peers(&json!({ "address": "x", "more": 1 }).to_string()).problem(400, "json");
    peers(&json!({ "address": "nonsense" }).to_string()).problem(422, "address");
}

#[test]
fn downloads_are_attachments() {
    let (_workspace, release, node, _) = published();
    let cases = [
        ("blocks", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("bundles", "application/vnd.ipld.car", "no-cache"),
    ];
    for (list, kind, cache) in cases {
        let response = http_client::send_request(&node.api, &[&format!("GET /api/v1/{list}/{release}")], &[]);
        assert_eq!(response.status, 200);
        let headers = [
            ("content-type", kind),
            ("cache-control", cache),
            ("content-disposition", "attachment"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("x-content-type-options", "nosniff"),
        ];
        for (name, value) in headers {
            assert_eq!(response.header(name), Some(value), "{list}: {name}");
        }
        assert!(!response.body.is_empty());
    }
}
