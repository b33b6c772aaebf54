//! Data catalogue of the node: DCAT 3 as JSON-LD, with schema.org terms for search engines.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use schemas::address::Address;
use serde_json::{Value, json};
use service::Storage;

use super::run_blocking;
use crate::sdmx::date_time;
use crate::state::State;
use crate::views::Flow;

const JSON_LD: &str = "application/ld+json";

pub(crate) async fn dcat_catalogue<K: Storage>(
    Shared(state): Shared<State<K>>,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = format!("http://{host}");
    let result = run_blocking(state, move |state| {
        let catalogue = state.views.catalogue()?;
        let datasets: Vec<Value> = catalogue.flows.iter().map(|flow| dcat_dataset(&origin, flow)).collect();
        Ok(json!({
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#",
                "dct": "http://purl.org/dc/terms/",
                "foaf": "http://xmlns.com/foaf/0.1/",
                "schema": "https://schema.org/",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
            },
            "@type": ["dcat:Catalog", "schema:DataCatalog"],
            "@id": format!("{origin}/catalogue.jsonld"),
            "dct:title": "Economic statistics that can be recomputed",
            "schema:name": "Economic statistics that can be recomputed",
            "dct:description": "Latest release of each dataflow stored on this node.",
            "foaf:homepage": { "@id": format!("{origin}/") },
            "dcat:service": [
                data_service(&origin, "HTTP API", "/api/v1", "/openapi.json"),
                data_service(&origin, "SDMX REST 1.5", "/sdmx/v1", ""),
                data_service(&origin, "SDMX REST 2", "/sdmx/v2", ""),
            ],
            "dcat:dataset": datasets,
        })
        .to_string())
    });
    match result.await {
        Ok(body) => ([(header::CONTENT_TYPE, JSON_LD)], body).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn data_service(origin: &str, title: &str, path: &str, described: &str) -> Value {
    let mut service = json!({
        "@type": "dcat:DataService", "dct:title": title,
        "dcat:endpointURL": { "@id": format!("{origin}{path}") },
    });
    if let Some(service) = service.as_object_mut().filter(|_| !described.is_empty()) {
        service.insert("dcat:endpointDescription".into(), json!({ "@id": format!("{origin}{described}") }));
    }
    service
}

/// Describes an output of the latest release of a dataflow.
fn dcat_dataset(origin: &str, flow: &Flow) -> Value {
    let Flow { publisher, dataflow, release, output, .. } = flow;
    let several = flow.outputs > 1;
    let which = |mark: char| if several { format!("{mark}output={output}") } else { String::new() };
    let page = format!("{origin}/world/{}?method={publisher}/{dataflow}{}", flow.indicator, which('&'));
    let title = if several { format!("{}: {}", flow.title, flow.output_title) } else { flow.title.clone() };
    let published = json!({ "@type": "xsd:dateTime", "@value": date_time(flow.published) });
    let file = |kind: &str, media: &str, title: &str| {
        let url = format!("{origin}/data/{publisher}/{dataflow}/all.{kind}{}", which('?'));
        json!({
            "@type": ["dcat:Distribution", "schema:DataDownload"], "dct:title": title,
            "dcat:downloadURL": { "@id": url }, "schema:contentUrl": url,
            "dcat:mediaType": { "@id": format!("https://www.iana.org/assignments/media-types/{media}") },
            "schema:encodingFormat": media,
        })
    };
    json!({
        "@type": ["dcat:Dataset", "schema:Dataset"],
        "@id": format!("{origin}/api/v1/panels/{release}/{output}"),
        "dct:identifier": Address::new(*publisher, dataflow.clone()),
        "dct:title": title, "schema:name": title,
        "dct:description": flow.description, "schema:description": flow.description,
        "dcat:keyword": [flow.indicator, output], "schema:variableMeasured": flow.unit,
        "dct:issued": published, "schema:datePublished": date_time(flow.published),
        "dcat:version": flow.vintage,
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "schema:name": format!("{}/{}", flow.summary.first_period, flow.summary.last_period),
        },
        "dct:publisher": {
            "@type": ["foaf:Organization", "schema:Organization"],
            "@id": format!("{origin}/publisher/{publisher}"),
            "foaf:name": flow.publisher_name, "schema:name": flow.publisher_name,
        },
        "dcat:landingPage": { "@id": page },
        "dcat:distribution": [
            file("csv", "text/csv", "CSV, all series"),
            file("json", "application/json", "JSON-stat 2.0, all series"),
        ],
    })
}
