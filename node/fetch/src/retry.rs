//! How long to wait: between two requests to a host, and before another try.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::clock::FetchClock;
use crate::error::{FetchError, FetchErrorCategory};

/// Tries of one request.
pub(crate) const TRIES_MAX: u32 = 5;
/// The wait before the second try; doubled for each that follows.
const BACKOFF_FIRST_MS: u64 = 1_000;
/// The longest wait that is chosen here.
const BACKOFF_MS_MAX: u64 = 60_000;
/// The longest wait that a source may ask for.
const RETRY_AFTER_SECONDS_MAX: u64 = 120;

/// Milliseconds between the starts of two requests to a host that has no line of its own.
const REQUEST_GAP_MS: u64 = 500;
/// Hosts that say how often they may be asked, with milliseconds between two requests.
const HOST_GAPS_MS: &[(&str, u64)] = &[
    // 120 a minute.
    ("api.stlouisfed.org", 500),
    // 50 in ten seconds, and a daily number.
    ("api.bls.gov", 500),
    // 60 an hour for each address: a burst is possible, a loop is not.
    ("sdmx.oecd.org", 2_000),
    // 30 a minute.
    ("api.insee.fr", 2_000),
    ("bdm.insee.fr", 2_000),
    // 10 in five seconds.
    ("api.imf.org", 600),
];

/// When each host may be asked again.
#[derive(Debug, Default)]
pub(crate) struct RequestPacing(Mutex<BTreeMap<String, u64>>);

impl RequestPacing {
    /// Waits until `host` may be asked, and takes that turn.
    pub(crate) fn wait_turn(&self, host: &str, clock: &dyn FetchClock) {
        let gap =
            HOST_GAPS_MS.iter().find(|(known, _)| *known == host).map_or(REQUEST_GAP_MS, |(_, gap)| *gap);
        let now = clock.millis();
        let start = {
            let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let start = next.get(host).copied().unwrap_or(now).max(now);
            next.insert(host.to_owned(), start.saturating_add(gap));
            start
        };
        if start > now {
            clock.wait(start - now);
        }
    }
}

/// Milliseconds to wait after the failed try `tries` (from 1): the wish of the source, or a number
/// that doubles with each try, the upper half of it by chance.
///
/// # Errors
/// The fault itself when another try is of no use, comes too late or is one too many.
pub(crate) fn backoff_wait(fault: FetchError, tries: u32, clock: &dyn FetchClock) -> Result<u64, FetchError> {
    if !fault.retryable {
        return Err(fault);
    }
    if let Some(seconds) = fault.retry_after_seconds.filter(|seconds| *seconds > RETRY_AFTER_SECONDS_MAX) {
        return Err(fault.with_hint(format!("try again in {seconds} seconds: pages that came are kept")));
    }
    if tries >= TRIES_MAX {
        let message = format!("{} ({tries} tries)", fault.message);
        return Err(FetchError { message, ..fault }.with_hint("try again later: pages that came are kept"));
    }
    if let Some(seconds) = fault.retry_after_seconds {
        return Ok(seconds.saturating_mul(1_000));
    }
    let whole = BACKOFF_FIRST_MS.saturating_mul(1 << (tries - 1).min(16)).min(BACKOFF_MS_MAX);
    Ok(whole / 2 + clock.random() % (whole / 2 + 1))
}

/// The seconds that a `Retry-After` asks for: a number, or a date (RFC 9110, 10.2.3).
pub(crate) fn parse_retry_after(text: &str, clock: &dyn FetchClock) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let now = UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(clock.seconds()).ok()?))?;
    Some(date.duration_since(now).map_or(0, |left| left.as_secs()))
}

/// The fault of a source that cannot answer now.
pub(crate) fn unavailable_error(message: String, after: Option<u64>) -> FetchError {
    FetchError::new(FetchErrorCategory::Unavailable, "source-busy", message).retryable().after_seconds(after)
}
