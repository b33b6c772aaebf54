//! Unsigned fixed-point numbers of a few machine words: the working precision of `ln`, `exp`, `log`
//! and `power`.
//!
//! Callers keep every value below 2^64. Results are truncated, never rounded up: each operation
//! states its error bound, in units of the last place (ulp) by which the result may be too small.

/// `N` words, least significant first; the last word is the integer part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FixedPoint<const N: usize>([u64; N]);

/// Words of the largest working precision.
pub(super) const WORDS_MAX: usize = 24;

impl<const N: usize> FixedPoint<N> {
    /// Bits of the fraction.
    pub(super) const BITS: u32 = 64 * (N as u32 - 1);
    /// Zero.
    pub(super) const ZERO: Self = Self([0; N]);

    /// Converts an integer.
    pub(super) fn from_integer(value: u64) -> Self {
        let mut words = [0; N];
        if let Some(top) = words.last_mut() {
            *top = value;
        }
        Self(words)
    }

    /// Returns 2^`bit` ulp.
    pub(super) fn from_bit(bit: u32) -> Self {
        let mut words = [0; N];
        if let Some(word) = words.get_mut((bit / 64) as usize) {
            *word = 1 << (bit % 64);
        }
        Self(words)
    }

    /// Returns the leading `N` words of a constant.
    pub(super) fn from_constant(words: &[u64; WORDS_MAX]) -> Self {
        let mut own = [0; N];
        for (own, word) in own.iter_mut().rev().zip(words.iter().rev()) {
            *own = *word;
        }
        Self(own)
    }

    /// Returns `value / 2^shift`, exact; `shift` is at most 128 and the quotient below 2^64.
    pub(super) fn from_ratio(value: u128, shift: u32) -> Self {
        let mut words = [0; N];
        for (word, part) in words.iter_mut().rev().zip([(value >> 64) as u64, value as u64]) {
            *word = part;
        }
        let value = Self(words);
        if shift < 64 { value.shift_left(64 - shift) } else { value.shift_right(shift - 64) }
    }

    /// Splits `magnitude / 10^places` into integer part and fraction; the fraction is too small by
    /// less than 2 ulp.
    pub(super) fn from_decimal(magnitude: u128, places: u32) -> (u128, Self) {
        let (mut whole, mut rest, mut left) = (magnitude, Self::ZERO, places);
        while left > 0 {
            let step = left.min(DIVISOR_DIGITS);
            let divisor = 10_u32.pow(step);
            let over = (whole % u128::from(divisor)) as u64;
            whole /= u128::from(divisor);
            // INVARIANT: the remainder is below the divisor, so the quotient stays below one.
            rest = Self::with_integer_part(rest, over).divide_small(divisor);
            left -= step;
        }
        (whole, rest)
    }

    fn with_integer_part(mut self, top: u64) -> Self {
        if let Some(word) = self.0.last_mut() {
            *word = top;
        }
        self
    }

    /// Returns the integer part.
    pub(super) fn integer_part(self) -> u64 {
        self.0.last().copied().unwrap_or(0)
    }

    /// Returns the integer part and the first 64 bits of the fraction.
    pub(super) fn leading_words(self) -> u128 {
        let mut words = self.0.iter().rev();
        let mut next = || words.next().copied().map_or(0, u128::from);
        (next() << 64) | next()
    }

    pub(super) fn is_zero(self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Returns the position of the highest set bit, so that `2^(length - 1) <= value < 2^length`: 1
    /// for one, 0 for one half.
    pub(super) fn bit_length(self) -> i32 {
        let mut length = 64 * N as i32;
        for word in self.0.iter().rev() {
            if *word != 0 {
                length -= word.leading_zeros() as i32;
                break;
            }
            length -= 64;
        }
        length - Self::BITS as i32
    }

    pub(super) fn plus(mut self, other: Self) -> Self {
        let mut carry = false;
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            let (sum, first) = word.overflowing_add(*more);
            let (sum, second) = sum.overflowing_add(carry.into());
            (*word, carry) = (sum, first || second);
        }
        self
    }

    /// Returns the absolute difference, and whether `self` is the smaller value.
    pub(super) fn abs_difference(self, other: Self) -> (bool, Self) {
        let smaller = self.0.iter().rev().lt(other.0.iter().rev());
        (smaller, if smaller { other.minus(self) } else { self.minus(other) })
    }

    /// Returns the difference; `other` must not be larger.
    pub(super) fn minus(mut self, other: Self) -> Self {
        let mut borrow = false;
        for (word, less) in self.0.iter_mut().zip(&other.0) {
            let (rest, first) = word.overflowing_sub(*less);
            let (rest, second) = rest.overflowing_sub(borrow.into());
            (*word, borrow) = (rest, first || second);
        }
        self
    }

    /// Multiplies by 2^`shift`.
    pub(super) fn shift_left(self, shift: u32) -> Self {
        let (skip, bits) = ((shift / 64) as usize, shift % 64);
        let mut words = [0; N];
        let mut below = 0;
        for (slot, word) in words.iter_mut().skip(skip).zip(&self.0) {
            *slot = (((u128::from(*word) << 64) | u128::from(below)) << bits >> 64) as u64;
            below = *word;
        }
        Self(words)
    }

    /// Divides by 2^`shift`; too small by less than 1 ulp.
    pub(super) fn shift_right(self, shift: u32) -> Self {
        let (skip, bits) = ((shift / 64) as usize, shift % 64);
        let mut words = [0; N];
        let mut above = 0;
        for (slot, word) in words.iter_mut().rev().skip(skip).zip(self.0.iter().rev()) {
            *slot = (((u128::from(above) << 64) | u128::from(*word)) >> bits) as u64;
            above = *word;
        }
        Self(words)
    }

    /// Returns the exact product with a word: the low `N` words and the carry out of the top word.
    pub(super) fn multiply_word(mut self, factor: u64) -> (Self, u64) {
        let mut carry = 0;
        for word in &mut self.0 {
            let product = u128::from(*word) * u128::from(factor) + u128::from(carry);
            (*word, carry) = (product as u64, (product >> 64) as u64);
        }
        (self, carry)
    }

    /// Returns the quotient by a 32-bit divisor; too small by less than 1 ulp.
    pub(super) fn divide_small(mut self, divisor: u32) -> Self {
        // Half words at a time: a 64-bit division is much faster than one of 128 bits.
        let (divisor, mut rest) = (u64::from(divisor), 0);
        for word in self.0.iter_mut().rev() {
            let high = (rest << 32) | (*word >> 32);
            let low = ((high % divisor) << 32) | (*word & u64::from(u32::MAX));
            rest = low % divisor;
            *word = ((high / divisor) << 32) | (low / divisor);
        }
        self
    }

    /// Returns the product; too small by less than `N` ulp.
    pub(super) fn multiply(self, other: Self) -> Self {
        let mut words = [0; N];
        let (mut sum, mut over) = (0_u128, 0_u128);
        // Columns below N - 2 are skipped; together they weigh less than N ulp.
        for column in N - 2..2 * N - 1 {
            let first = column.saturating_sub(N - 1);
            let second = (N - 1) - (column - first);
            for (a, b) in self.0.iter().skip(first).zip(other.0.iter().rev().skip(second)) {
                let (more, carry) = sum.overflowing_add(u128::from(*a) * u128::from(*b));
                sum = more;
                over += u128::from(carry);
            }
            if let Some(word) = column.checked_sub(N - 1).and_then(|at| words.get_mut(at)) {
                *word = sum as u64;
            }
            (sum, over) = ((sum >> 64) | (over << 64), 0);
        }
        Self(words)
    }

    /// Returns the reciprocal of a number in `1..4` with an error below 8 `N` ulp, by Newton's
    /// iteration, which doubles the correct bits in each step.
    pub(super) fn reciprocal(self) -> Self {
        let lead = (self.leading_words() >> 2).max(1);
        let guess = u64::try_from((1_u128 << 126) / lead).unwrap_or(u64::MAX);
        let mut result = Self::from_ratio(guess.into(), 64);
        let mut bits = GUESS_BITS;
        while bits < Self::BITS {
            let (_, rest) = Self::from_integer(2).abs_difference(self.multiply(result));
            result = result.multiply(rest);
            // Four bits are set aside for truncation in the two products.
            bits = 2 * bits - 4;
        }
        result
    }

    /// Returns integer part and fraction of `self × 10^tens × 2^twos`; the integer part must be
    /// below 2^128.
    pub(super) fn scaled_integer(self, tens: u32, twos: u32) -> (u128, Self) {
        let (mut rest, mut whole) = (self.with_integer_part(0), u128::from(self.integer_part()));
        let mut scale = |factor: u64| {
            let (more, carry) = rest.multiply_word(factor);
            whole = whole * u128::from(factor) + u128::from(carry) + u128::from(more.integer_part());
            rest = more.with_integer_part(0);
        };
        for _ in 0..tens / FACTOR_DIGITS {
            scale(10_u64.pow(FACTOR_DIGITS));
        }
        scale(10_u64.pow(tens % FACTOR_DIGITS));
        for _ in 0..twos / 32 {
            scale(1 << 32);
        }
        scale(1 << (twos % 32));
        (whole, rest)
    }
}

/// Correct bits of the initial approximation of a reciprocal.
const GUESS_BITS: u32 = 58;
/// Digits of the largest power of ten below 2^32.
const DIVISOR_DIGITS: u32 = 9;
/// Digits of a power of ten that fits a 64-bit word.
const FACTOR_DIGITS: u32 = 18;
