//! The one place that fetches a foreign source: an agency and a code, or an https address, in;
//! the bytes of all its pages, and what was asked when, out.
//!
//! Owns the list of hosts that may be asked, the guard before every request and connection, the
//! addresses of each agency, keys, paging, patience with sources that are slow or busy, and the
//! folder that a broken-off load resumes from. Refuses all but https, hosts that nobody allowed,
//! addresses that are not public, and more bytes, time, redirects or tries than its bounds say. It
//! reads no format beyond what paging needs, and keeps nothing of a load that is done.

// A fault ends the load: it is made once, and its size costs nothing.
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
