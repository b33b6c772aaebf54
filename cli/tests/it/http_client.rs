//! HTTP as bytes on a socket, so that nothing between us and the node tidies up a request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::openapi;

/// Time in which an response must come.
const ANSWER: Duration = Duration::from_secs(60);

/// An response.
#[derive(Debug)]
pub struct HttpResponse {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as a document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Demands a problem document (RFC 9457) with a status and a code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()));
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
}

/// Asks `api` (`http://127.0.0.1:7171`), and holds the response against the OpenAPI document; `head` is the request line without the version, and more
/// headers, a line each.
#[track_caller]
pub fn send_request(api: &str, head: &[&str], body: &[u8]) -> HttpResponse {
    let address = api.trim_start_matches("http://");
    let mut request = format!("{} HTTP/1.1\r\n", head[0]);
    if !head.iter().any(|line| line.starts_with("Host:")) {
        request += &format!("Host: {address}\r\n");
    }
    for line in &head[1..] {
        request += &format!("{line}\r\n");
    }
    if !head.iter().any(|line| line.starts_with("Content-Length:")) {
        request += &format!("Content-Length: {}\r\n", body.len());
    }
    request += "Connection: close\r\n\r\n";
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(ANSWER)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // A node that has events enough may have closed its ear; its response is there all the same.
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let response = parse(&bytes);
    openapi::check_response(head[0], &response);
    response
}

#[track_caller]
fn parse(bytes: &[u8]) -> HttpResponse {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no response: {:?}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    HttpResponse { status, headers, body: bytes[end + 4..].to_vec() }
}
