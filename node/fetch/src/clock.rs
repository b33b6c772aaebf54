//! Time as the fetcher needs it. The caller has the clock, so that a test never waits.

use std::fmt;

/// A clock, a bed and a die.
pub trait FetchClock: fmt::Debug + Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn seconds(&self) -> i64;
    /// Milliseconds of a clock that never runs backwards.
    fn millis(&self) -> u64;
    /// Returns after so many milliseconds.
    fn wait(&self, millis: u64);
    /// A number that others cannot know, to spread tries that failed together.
    fn random(&self) -> u64;
}
