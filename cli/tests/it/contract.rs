//! Every answer that a test gets from a node is held against the OpenAPI document.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::http::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(api::OPENAPI).unwrap());

/// Demands that an answer is one that the document knows; a path that it does not know is no route.
#[track_caller]
pub fn check(request: &str, answer: &Answer) {
    let (method, target) = request.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    if method == "OPTIONS" {
        return;
    }
    let Some(template) = template(path) else { return };
    let Some(operation) = DOCUMENT["paths"][template].get(method.to_lowercase()) else {
        assert_eq!(answer.status, 405, "{request} is not in the document");
        return;
    };
    let responses = &operation["responses"];
    let mut response = &responses[answer.status.to_string()];
    assert!(response.is_object(), "{request}: {} is not in the document", answer.status);
    if let Some(place) = response["$ref"].as_str() {
        response = DOCUMENT.pointer(&place[1..]).unwrap();
    }
    let Some(content) = response["content"].as_object() else { return };
    let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap();
    let media = content.get(kind).or_else(|| content.get("*/*"));
    let media = media.unwrap_or_else(|| panic!("{request}: `{kind}` is not in the document"));
    if !kind.ends_with("json") || answer.header("content-encoding").is_some() {
        return;
    }
    let schema = json!({ "allOf": [media["schema"]], "components": DOCUMENT["components"] });
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let body = answer.json();
    let faults: Vec<String> =
        schema.iter_errors(&body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{request}: {}", faults.join("\n"));
}

/// The path of the document that a path is one of: the one with the fewest parameters.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &&String| {
        let (mut parts, mut asked) = (template.split('/'), path.split('/'));
        loop {
            match (parts.next(), asked.next()) {
                (None, None) => return true,
                (Some(part), Some(asked)) if part.starts_with('{') && !asked.is_empty() || part == asked => {}
                _ => return false,
            }
        }
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.keys().filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
}
