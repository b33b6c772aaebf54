//! Compares the OpenAPI document with the routes.

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn the_document_describes_exactly_the_routes() {
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let described: BTreeSet<(String, String)> =
        operations(&document).map(|(path, method, _)| (method.to_owned(), path.to_owned())).collect();
    let routes = api::route_paths::<service::MemoryStorage>().into_iter();
    let routes: BTreeSet<(String, String)> = routes.map(|(method, path)| (method.to_owned(), path)).collect();
    assert_eq!(described, routes);
}

#[test]
fn references_resolve_and_components_are_used() {
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for pointer in &found {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    for kind in ["schemas", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(found.contains(&format!("/components/{kind}/{name}")), "{name} is not used");
        }
    }
}

#[test]
fn operations_are_complete() {
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        assert!(ids.insert(operation["operationId"].to_string()), "{method} {path}");
        let parts: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let named = operation["parameters"].as_array().into_iter().flatten();
        let named: BTreeSet<&str> =
            named.filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(parts, named, "{method} {path}");
        let writes = method != "get";
        assert_eq!(operation.get("security").is_some(), writes, "{method} {path}");
    }
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(parts) => {
            found.extend(parts.get("$ref").and_then(Value::as_str).map(|pointer| pointer[1..].to_owned()));
            parts.values().for_each(|part| references(part, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| references(part, found)),
        _ => {}
    }
}
