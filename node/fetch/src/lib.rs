//! HTTPS client for statistical agencies and other allowed sources.
//!
//! Input is an agency query or an https URL; output is the content of all pages, with a record of
//! each request. Owns the allow-list of hosts, the checks before every request and connection, the
//! URLs of each agency, API keys, paging, retry with backoff, and the cache from which an interrupted
//! load resumes. Rejects other schemes, hosts that are not allowed, addresses that are not public, and
//! anything beyond its limits on bytes, time, redirects and tries. It parses no format beyond what
//! paging needs, and keeps no data of a completed load.

// An error ends the load, so its size does not matter.
#![allow(clippy::result_large_err)]

mod agency;
mod api_key;
mod clock;
mod error;
mod fetcher;
mod history;
mod http;
mod public_address;
mod resume_cache;
mod retry;
mod source;
mod url_policy;

pub use agency::{Agency, AgencyQuery};
pub use api_key::ApiKeys;
pub use clock::FetchClock;
pub use error::{FetchError, FetchErrorCategory};
pub use fetcher::{Fetcher, LoadOutcome, LoadProgress, LoadedSource, LocalServer, RequestRecord};
pub use history::{FetchHistory, SourceCheck};
pub use http::{RequestLimits, Validators};
pub use public_address::is_public;
pub use source::FetchSource;
pub use url_policy::{AGENCY_HOSTS, HostResolver, URL_CHARS_MAX, UrlPolicy};
