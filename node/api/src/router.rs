//! All routes with their layers.
//!
//! To add a route, add its handler below `routes/`, one line here and its operation in `openapi.json`;
//! `tests/it/document.rs` compares the two lists.

mod route_list;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use service::Storage;

use crate::middleware::{admission, cors, request_metrics, response_cache};
use crate::routes::{
    blocks, countries, data_files, dcat, documentation, events, figures, follows, monitoring, objects,
    panels, peers, publish, publishers, recipes, reruns, resolve, search, status,
};
use crate::state::State;
use crate::{BODY_BYTES_MAX, Setup, pages, problem, sdmx};
use route_list::RouteList;

/// Bytes of the body of all other requests.
const SMALL_BODY_BYTES_MAX: usize = 16 << 10;

/// Returns the router of the node; must be called inside a tokio runtime.
pub fn router<K: Storage>(setup: Setup<K>) -> Router {
    let state = State::new(setup);
    let ours = route_list(Some(&state)).router().nest("/sdmx", with_cors(sdmx::sdmx_routes()));
    ours.fallback(pages::serve_page::<K>)
        .method_not_allowed_fallback(problem::method_not_allowed)
        // Layers run from the last to the first: host check, error format, metrics, limits.
        .layer(from_fn_with_state(state.clone(), admission::request_limits::<K>))
        .layer(from_fn_with_state(state.clone(), request_metrics::count_request::<K>))
        .layer(map_response(problem::as_problem))
        .layer(from_fn(admission::loopback_host))
        .with_state(state)
}

/// Returns the lower-case method and the path of every route except SDMX, which specs/sdmx.md describes.
pub fn route_paths<K: Storage>() -> Vec<(&'static str, String)> {
    route_list::<K>(None).paths()
}

/// Returns all routes. Layers that need the state are added only if there is one; [`route_paths`] has
/// none.
fn route_list<K: Storage>(state: Option<&State<K>>) -> RouteList<State<K>> {
    let kept = |router: Router<State<K>>| match state {
        Some(state) => router.route_layer(from_fn_with_state(state.clone(), response_cache::cached::<K>)),
        None => router,
    };
    let writes = |router: Router<State<K>>| match state {
        Some(state) => router.route_layer(from_fn_with_state(state.clone(), admission::bearer_token::<K>)),
        None => router,
    };
    let own = |router: Router<State<K>>| router.route_layer(from_fn(admission::same_site));
    let api = read_routes().with_layers(kept).merge(stream_routes()).with_layers(with_cors);
    let api = api
        .merge(local_routes().with_layers(own))
        .merge(self::write_routes().with_layers(writes).with_layers(own));
    let data = RouteList::new()
        .get("/data/{publisher}/{dataflow}/{file}", data_files::download_file)
        .get("/data/{dataflow}/{file}", data_files::redirect);
    let documents = RouteList::new()
        .get("/openapi.json", documentation::openapi_document)
        .get("/catalogue.jsonld", dcat::dcat_catalogue)
        .with_layers(with_cors);
    RouteList::new()
        .nest("/api/v1", api)
        .merge(data.with_layers(kept).with_layers(with_cors))
        .merge(documents)
        .get("/docs", documentation::redirect)
        .get("/docs/", documentation::documentation_page)
        .get("/docs/{file}", documentation::asset)
        .get("/metrics", monitoring::show_metrics)
        .get("/healthz", monitoring::check_health)
        .get("/readyz", monitoring::check_readiness)
}

/// Makes routes readable by any origin. The method fallback is set before the layer, so that the layer
/// answers CORS preflight requests.
fn with_cors<K: Storage>(routes: Router<State<K>>) -> Router<State<K>> {
    routes.method_not_allowed_fallback(problem::method_not_allowed).layer(cors::public_cors())
}

/// Routes whose responses depend on the ledger only, and are cached.
fn read_routes<K: Storage>() -> RouteList<State<K>> {
    RouteList::new()
        .get("/logs", objects::list_logs)
        .get("/releases", objects::list_releases)
        .get("/releases/{id}", objects::show_release)
        .get("/datasets", objects::list_datasets)
        .get("/recipes", objects::list_recipes)
        .get("/recipes/{id}", recipes::show_recipe)
        .get("/recipes/{id}/difference", recipes::show_difference)
        .get("/resolve", resolve::resolve_identifier)
        .get("/flows", panels::list_flows)
        .get("/areas", panels::list_areas)
        .get("/panels/{release}/{output}", panels::show_panel)
        .get("/panels/{release}/{output}/marks", panels::list_marks)
        .get("/countries/{area}", countries::show_country)
        .get("/series/{release}/{output}/{key}", panels::show_series)
        .get("/figures/{publisher}/{dataflow}/{key}/{period}", figures::show_figure)
        .get("/publishers", publishers::list_publishers)
        .get("/publishers/{id}", publishers::show_publisher)
        .get("/publishers/{id}/entries", publishers::list_entries)
        .get("/forks", publishers::list_forks)
        .get("/search", search::search_index)
}

/// Routes with unbounded responses and streams, which are not cached.
fn stream_routes<K: Storage>() -> RouteList<State<K>> {
    RouteList::new()
        .get("/blocks/{id}", blocks::download_block)
        .get("/bundles/{id}", blocks::download_bundle)
        .get("/events", events::stream_events)
}

/// Routes that describe the node or make it work, for same-site pages.
fn local_routes<K: Storage>() -> RouteList<State<K>> {
    RouteList::new()
        .get("/status", status::show_status)
        .get("/peers", peers::list_peers)
        .get("/releases/{id}/rerun", reruns::stream_rerun)
}

/// Routes that change the node.
fn write_routes<K: Storage>() -> RouteList<State<K>> {
    let large = DefaultBodyLimit::max(BODY_BYTES_MAX);
    let publish =
        RouteList::new().post("/publish", publish::publish_object).with_layers(|router| router.layer(large));
    let small = RouteList::new()
        .post("/follows/{publisher}", follows::follow_publisher)
        .delete("/follows/{publisher}", follows::unfollow_publisher)
        .post("/peers", peers::add_peer)
        .post("/releases/{id}/verify", reruns::verify_release)
        .with_layers(|router| router.layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX)));
    publish.merge(small)
}
