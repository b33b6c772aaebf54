//! Request pacing for each host, and retry with exponential backoff.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::clock::FetchClock;
use crate::error::{FetchError, FetchErrorCategory};

/// Limit on tries of one request.
pub(crate) const TRIES_MAX: u32 = 5;
/// Wait before the second try, in milliseconds; doubled with each further try.
const BACKOFF_FIRST_MS: u64 = 1_000;
/// Limit on the backoff, in milliseconds.
const BACKOFF_MS_MAX: u64 = 60_000;
/// Longest accepted `Retry-After`, in seconds.
const RETRY_AFTER_SECONDS_MAX: u64 = 120;

/// Default of milliseconds between the starts of two requests to a host.
const REQUEST_GAP_MS: u64 = 500;
/// Hosts with a published rate limit, and milliseconds between two requests.
const HOST_GAPS_MS: &[(&str, u64)] = &[
    // Limit: 120 a minute.
    ("api.stlouisfed.org", 500),
    // Limit: 50 in ten seconds, and a daily quota.
    ("api.bls.gov", 500),
    // Limit: 60 an hour for each address. This gap permits a burst, not sustained requests.
    ("sdmx.oecd.org", 2_000),
    // Limit: 30 a minute.
    ("api.insee.fr", 2_000),
    ("bdm.insee.fr", 2_000),
    // Limit: 10 in five seconds.
    ("api.imf.org", 600),
];

/// Earliest time of the next request to each host.
#[derive(Debug, Default)]
pub(crate) struct RequestPacing(Mutex<BTreeMap<String, u64>>);

impl RequestPacing {
    /// Reserves the next slot for a request to `host` and waits for it.
    pub(crate) fn wait_turn(&self, host: &str, clock: &dyn FetchClock) {
        let gap =
            HOST_GAPS_MS.iter().find(|(known, _)| *known == host).map_or(REQUEST_GAP_MS, |(_, gap)| *gap);
        let now = clock.millis();
        // Reserve the slot under the lock; sleep after releasing it.
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

/// Returns the milliseconds to wait after the failed try `tries` (from 1): `Retry-After`, or
/// exponential backoff with the upper half as random jitter.
///
/// # Errors
/// The error itself when a retry is pointless, would come too late or exceeds [`TRIES_MAX`].
pub(crate) fn backoff_wait(error: FetchError, tries: u32, clock: &dyn FetchClock) -> Result<u64, FetchError> {
    if !error.retryable {
        return Err(error);
    }
    if let Some(seconds) = error.retry_after_seconds.filter(|seconds| *seconds > RETRY_AFTER_SECONDS_MAX) {
        return Err(
            error.with_hint(format!("try again in {seconds} seconds: the pages loaded so far are kept"))
        );
    }
    if tries >= TRIES_MAX {
        let message = format!("{} ({tries} tries)", error.message);
        return Err(
            FetchError { message, ..error }.with_hint("try again later: the pages loaded so far are kept")
        );
    }
    if let Some(seconds) = error.retry_after_seconds {
        return Ok(seconds.saturating_mul(1_000));
    }
    // Equal jitter: half of the wait is fixed, half random.
    let whole = BACKOFF_FIRST_MS.saturating_mul(1 << (tries - 1).min(16)).min(BACKOFF_MS_MAX);
    Ok(whole / 2 + clock.random() % (whole / 2 + 1))
}

/// Parses `Retry-After`, a number of seconds or a date, to seconds from now (RFC 9110, 10.2.3).
pub(crate) fn parse_retry_after(text: &str, clock: &dyn FetchClock) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let now = UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(clock.seconds()).ok()?))?;
    Some(date.duration_since(now).map_or(0, |left| left.as_secs()))
}

/// Error of a source that is temporarily unavailable.
pub(crate) fn unavailable_error(message: String, after: Option<u64>) -> FetchError {
    FetchError::new(FetchErrorCategory::Unavailable, "source-busy", message).retryable().after_seconds(after)
}
