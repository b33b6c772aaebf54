//! Clock, sleep and randomness of the fetcher, supplied by the caller so that tests never wait.

use std::fmt;

/// Clock, sleep and random source.
pub trait FetchClock: fmt::Debug + Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn seconds(&self) -> i64;
    /// Milliseconds of a monotonic clock.
    fn millis(&self) -> u64;
    /// Sleeps for `millis` milliseconds.
    fn wait(&self, millis: u64);
    /// Returns a random number for retry jitter, so that clients that failed together do not retry
    /// together.
    fn random(&self) -> u64;
}
