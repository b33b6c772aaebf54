//! Request admission: host, origin, token.

use crate::it::test_node::{HttpResponse, TestNode};

fn code(response: &HttpResponse) -> (u16, String) {
    let problem: serde_json::Value = serde_json::from_str(&response.body).unwrap_or_default();
    (response.status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn requests_for_another_host_are_rejected() {
    let node = TestNode::start();
    for (host, status) in
        [("localhost", 200), ("127.0.0.1:1", 200), ("example.org", 403), ("localhost.example.org", 403)]
    {
        let response = node.request("GET", "/healthz", &format!("Host: {host}\r\n"), "");
        assert_eq!(response.status, status, "{host}: {}", response.body);
    }
}

#[test]
fn public_routes_allow_other_origins_and_local_ones_do_not() {
    let node = TestNode::start();
    let foreign = "Origin: https://example.org\r\nSec-Fetch-Site: cross-site\r\n";
    for path in ["/api/v1/flows", "/api/v1/forks", "/api/v1/search?q=a", "/openapi.json"] {
        assert_eq!(node.request("GET", path, foreign, "").status, 200, "{path}");
    }
    for path in ["/api/v1/status", "/api/v1/peers"] {
        assert_eq!(node.request("GET", path, "Origin: http://localhost:1\r\n", "").status, 200, "{path}");
        assert_eq!(code(&node.request("GET", path, foreign, "")), (403, "host".into()), "{path}");
    }
}

#[test]
fn write_routes_require_the_token() {
    let node = TestNode::start();
    let writes =
        api::route_paths::<service::MemoryStorage>().into_iter().filter(|(method, _)| *method != "get");
    for (method, route) in writes {
        let path = route.replace(['{', '}'], "");
        for headers in ["", "Authorization: Bearer x\r\n", "Authorization: t\r\n"] {
            let response = node.request(&method.to_uppercase(), &path, headers, "");
            assert_eq!(code(&response), (401, "token".into()), "{method} {path} {headers}");
        }
    }
}

#[test]
fn unknown_routes_and_methods_get_problem_documents() {
    let node = TestNode::start();
    assert_eq!(code(&node.get("/api/v1/nothing", "*/*")), (404, "no-route".into()));
    assert_eq!(code(&node.request("PUT", "/api/v1/flows", "", "")), (405, "method".into()));
    assert_eq!(code(&node.get("/api/v1/releases/x", "*/*")), (400, "id".into()));
    assert_eq!(code(&node.get("/api/v1/search?q=a&x=1", "*/*")), (400, "query".into()));
    let long = format!("/api/v1/countries/{}", "A".repeat(3000));
    assert_eq!(code(&node.get(&long, "*/*")), (400, "long".into()));
}
