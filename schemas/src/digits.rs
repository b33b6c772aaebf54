//! Decimal digits of unsigned numbers of 128 bits: counted, stripped of zeros, written.
//!
//! Used by `decimal` and by the arithmetic of the engine.

/// Decimal digits of a value; 0 for zero.
#[inline]
pub fn count_digits(value: u128) -> u32 {
    // 1233 / 4096 is just above the logarithm of 2, exactly enough for 128 bits.
    let guess = ((u128::BITS - value.leading_zeros()) * 1233) >> 12;
    guess + u32::from(value >= power_of_ten(guess))
}

/// 10^`exponent`, saturating at the largest `u128`.
#[inline]
pub fn power_of_ten(exponent: u32) -> u128 {
    POWERS.get(exponent as usize).copied().unwrap_or(u128::MAX)
}

/// Powers of ten that fit 128 bits.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a error stops the build")]
static POWERS: [u128; 39] = {
    let mut powers = [1_u128; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Removes and counts up to `most` trailing zeros of a non-zero value.
pub fn strip_zeros(mut value: u128, most: u32) -> (u128, u32) {
    let mut zeros = 0;
    for (step, power) in [(16, 10_u128.pow(16)), (8, 10_u128.pow(8))] {
        // n trailing zeros imply n factors of two, which are cheap to count.
        while value.trailing_zeros() >= step && zeros + step <= most && value.is_multiple_of(power) {
            value /= power;
            zeros += step;
        }
    }
    if let Ok(mut small) = u64::try_from(value) {
        while small & 1 == 0 && zeros < most && small.is_multiple_of(10) {
            small /= 10;
            zeros += 1;
        }
        return (small.into(), zeros);
    }
    while zeros < most && ends_in_zero(value) {
        value /= 10;
        zeros += 1;
    }
    (value, zeros)
}

/// Whether a value is a multiple of ten.
#[inline]
pub fn ends_in_zero(value: u128) -> bool {
    value & 1 == 0 && divisible_by_five(value)
}

/// Whether a value is a multiple of five; 2^64 = 1 (mod 5), so the two halves can be added.
fn divisible_by_five(value: u128) -> bool {
    (((value >> 64) as u64) % 5 + (value as u64) % 5).is_multiple_of(5)
}

/// Appends the digits of a value, padded with zeros to `width`.
pub fn write_digits(value: u128, width: usize, out: &mut Vec<u8>) {
    if let Ok(word) = u64::try_from(value) {
        return write_word(word, width, out);
    }
    // At most two calls deep: 128 bits have 39 digits, and each call takes 19.
    write_digits(value / PART, width.saturating_sub(PART_DIGITS), out);
    write_word((value % PART) as u64, PART_DIGITS, out);
}

/// Digits of a large number written at a time.
const PART_DIGITS: usize = 19;
/// 10^[`PART_DIGITS`].
const PART: u128 = 10_u128.pow(PART_DIGITS as u32);

/// Digits of the largest number of 64 bits.
const WORD_DIGITS: usize = 20;

/// The digits of a value of 64 bits, at least `width` of them.
#[inline]
pub(crate) fn write_word(value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; WORD_DIGITS];
    let (mut rest, mut count) = (value, 0);
    for digit in digits.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
    }
    // INVARIANT: 64 bits have at most 20 digits, so `clamp` below has a valid range.
    let zeros = width.saturating_sub(WORD_DIGITS);
    out.resize(out.len() + zeros, b'0');
    out.extend_from_slice(digits.get(WORD_DIGITS - width.clamp(count, WORD_DIGITS)..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_trailing_zeros_are_counted_at_any_size() {
        for (zeros, power) in POWERS.iter().enumerate() {
            let zeros = zeros as u32;
            assert_eq!((count_digits(*power), count_digits(power - 1)), (zeros + 1, zeros));
            assert_eq!(strip_zeros(*power, u32::MAX), (1, zeros));
            assert_eq!(strip_zeros(*power, 3), (power / 10_u128.pow(zeros.min(3)), zeros.min(3)));
            if zeros < 34 {
                assert_eq!(strip_zeros(7 * power, u32::MAX), (7, zeros));
            }
        }
        assert_eq!((count_digits(0), count_digits(u128::MAX)), (0, 39));
        assert_eq!(power_of_ten(38) / 10, power_of_ten(37));
        let long = 12_345_678_901_234_567_890_123_u128;
        assert_eq!(strip_zeros(long * 1000, u32::MAX), (long, 3));
        assert!(ends_in_zero(0) && ends_in_zero(long * 10) && !ends_in_zero(long) && !ends_in_zero(long * 5));
    }

    #[test]
    fn numbers_are_written_as_the_library_writes_them() {
        for value in [0, 7, 10, u128::from(u64::MAX), 1 << 64, 10_u128.pow(19), 10_u128.pow(38), u128::MAX] {
            let mut text = b"x".to_vec();
            write_digits(value, 3, &mut text);
            assert_eq!(text, format!("x{value:03}").into_bytes());
            text.clear();
            write_digits(value, 45, &mut text);
            assert_eq!(text, format!("{value:045}").into_bytes());
        }
    }
}
