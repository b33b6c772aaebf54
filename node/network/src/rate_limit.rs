//! Rate limits per peer, as token buckets: a burst, and a rate per second.

use std::time::Instant;

use crate::limits::{
    GOSSIP_BURST, GOSSIP_PER_SECOND, HEADS_BURST, HEADS_PER_SECOND, REQUESTS_BURST, REQUESTS_PER_SECOND,
};

/// The rate limits of one connected peer.
#[derive(Debug)]
pub(crate) struct PeerRates {
    /// Gossiped announcements that it forwards.
    pub(crate) gossip: TokenBucket,
    /// Announcements that it sends on streams.
    pub(crate) heads: TokenBucket,
    /// Requests that it sends.
    pub(crate) requests: TokenBucket,
}

impl PeerRates {
    /// Creates full buckets.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            gossip: TokenBucket::new(GOSSIP_BURST, GOSSIP_PER_SECOND, now),
            heads: TokenBucket::new(HEADS_BURST, HEADS_PER_SECOND, now),
            requests: TokenBucket::new(REQUESTS_BURST, REQUESTS_PER_SECOND, now),
        }
    }
}

/// A token bucket.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    at: Instant,
}

impl TokenBucket {
    /// Creates a full bucket of `burst` tokens.
    pub(crate) fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { tokens: burst, burst, per_second: f64::from(per_second), at: now }
    }

    /// Takes a token; returns false if there is none.
    pub(crate) fn try_take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_burst_is_granted_first_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(3, 2, start);
        assert_eq!((0..5).filter(|_| bucket.try_take(start)).count(), 3);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..5).filter(|_| bucket.try_take(later)).count(), 2);
    }
}
