//! Pseudo-random numbers from a seed: a run that fails can be repeated.

/// Numbers of the generator xorshift64* (Vigna 2016), the same on every machine.
#[derive(Debug)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Next number, from 0 to `limit` - 1; `limit` is at most 2^31.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    /// Whether an event of this chance, in per cent, happens.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}
