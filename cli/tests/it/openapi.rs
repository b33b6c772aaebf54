//! Every response that a test gets from a node is checked against the OpenAPI document.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::http_client::HttpResponse;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(api::OPENAPI).unwrap());

/// Demands that an response is one that the document knows; a path that it does not know is no route.
#[track_caller]
pub fn check_response(request: &str, response: &HttpResponse) {
    let (method, target) = request.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    if method == "OPTIONS" {
        return;
    }
    let Some(template) = template(path) else { return };
    let Some(operation) = DOCUMENT["paths"][template].get(method.to_lowercase()) else {
        assert_eq!(response.status, 405, "{request} is not in the document");
        return;
    };
    let responses = &operation["responses"];
    let mut described = &responses[response.status.to_string()];
    assert!(described.is_object(), "{request}: {} is not in the document", response.status);
    if let Some(pointer) = described["$ref"].as_str() {
        described = DOCUMENT.pointer(&pointer[1..]).unwrap();
    }
    let Some(content) = described["content"].as_object() else { return };
    let kind = response.header("content-type").unwrap_or_default().split(';').next().unwrap();
    let media = content.get(kind).or_else(|| content.get("*/*"));
    let media = media.unwrap_or_else(|| panic!("{request}: `{kind}` is not in the document"));
    if !kind.ends_with("json") || response.header("content-encoding").is_some() {
        return;
    }
    let schema = json!({ "allOf": [media["schema"]], "components": DOCUMENT["components"] });
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let body = response.json();
    let errors: Vec<String> =
        schema.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{request}: {}", errors.join("\n"));
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
