//! Masks of numbers: `D` is one digit, `*` any number of digits, `+` at least one digit, `.` or `,`
//! the decimal separator, and `E` a digit of the exponent.

use schemas::decimal::Decimal;
use schemas::limits::CELL_BYTES_MAX;
use schemas::table::Cell;

/// Parsed mask of numbers.
pub(crate) struct NumberMask {
    whole: DigitCount,
    /// Decimal separator and digits after it.
    fraction: Option<(char, DigitCount)>,
    exponent: Option<DigitCount>,
    integer: bool,
}

/// Bounds on a number of digits; `None` is unbounded.
#[derive(Debug, Clone, Copy, Default)]
struct DigitCount {
    least: usize,
    most: Option<usize>,
}

impl DigitCount {
    /// Takes a run of `letter`, `*` and `+` off the front of a mask.
    fn take(mask: &mut &str, letter: char) -> Option<Self> {
        let (mut least, mut bounded, mut seen, mut before) = (0, true, false, false);
        while let Some(next) = mask.chars().next().filter(|next| [letter, '*', '+'].contains(next)) {
            match next {
                '*' | '+' => {
                    bounded = false;
                    // `D*` makes its digit optional; `D+` needs it. No underflow: `before` means that it
                    // was counted.
                    least -= usize::from(before && next == '*');
                    least += usize::from(!before && next == '+');
                }
                _ => least += 1,
            }
            (seen, before) = (true, next == letter);
            *mask = mask.get(next.len_utf8()..).unwrap_or_default();
        }
        seen.then(|| Self { least, most: bounded.then_some(least) })
    }

    fn fits(self, count: usize) -> bool {
        count >= self.least && self.most.is_none_or(|most| count <= most)
    }
}

impl NumberMask {
    pub(super) fn new(mask: &str, integer: bool) -> Result<Self, String> {
        let wrong = "expected a mask of numbers as in `DD.DDD`, `D*`, `D+,D+` or `D.DDDEE`";
        let mut rest = mask;
        let whole = DigitCount::take(&mut rest, 'D').ok_or(wrong)?;
        let mut fraction = None;
        if let Some(mark) = rest.chars().next().filter(|mark| ['.', ','].contains(mark)) {
            // Both separators are one byte long.
            rest = rest.get(1..).unwrap_or_default();
            fraction = Some((mark, DigitCount::take(&mut rest, 'D').ok_or(wrong)?));
        }
        let exponent = DigitCount::take(&mut rest, 'E');
        if !rest.is_empty() {
            return Err(wrong.to_owned());
        }
        if integer && (fraction.is_some() || exponent.is_some()) {
            return Err("an integer has neither fraction nor exponent".to_owned());
        }
        Ok(Self { whole, fraction, exponent, integer })
    }

    pub(super) fn parse_number(&self, text: &str) -> Option<Cell> {
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let whole = take_digits(&mut rest, self.whole)?;
        let mut fraction = "";
        if let Some((mark, digits_of)) = self.fraction {
            match rest.strip_prefix(mark) {
                Some(behind) => {
                    rest = behind;
                    fraction = take_digits(&mut rest, digits_of)?;
                }
                None if digits_of.least > 0 => return None,
                None => {}
            }
        }
        let mut exponent = String::from("0");
        if let Some(digits_of) = self.exponent {
            rest = rest.strip_prefix('E')?;
            let minus = rest.starts_with('-');
            rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            exponent = format!("{}{}", if minus { "-" } else { "" }, take_digits(&mut rest, digits_of)?);
        }
        if !rest.is_empty() {
            return None;
        }
        if self.integer {
            return format!("{sign}{whole}").parse().ok().map(Cell::Integer);
        }
        let number: Decimal = format!("{sign}{whole}.{fraction}E{exponent}").parse().ok()?;
        Some(Cell::Number(number.normalized()))
    }

    pub(super) fn format_number(&self, cell: &Cell) -> Option<String> {
        let number = match cell {
            Cell::Integer(value) => Decimal::from(*value).normalized(),
            Cell::Number(value) => value.normalized(),
            _ => return None,
        };
        let sign = if number.is_negative() { "-" } else { "" };
        let digits = number.magnitude().to_string();
        let places = digits.len() as i64 + i64::from(number.exponent());
        // Without exponent the number determines the decimal point, with it the mask does.
        let (point, exponent) = match self.exponent {
            None => (places, String::new()),
            Some(width) => {
                let whole = self.whole.least.max(1) as i64;
                let shift = if number.is_zero() { 0 } else { places - whole };
                let count = shift.unsigned_abs().to_string();
                let count = "0".repeat(width.least.saturating_sub(count.len())) + &count;
                if !width.fits(count.len()) {
                    return None;
                }
                (whole, format!("E{}{count}", if shift < 0 { "-" } else { "" }))
            }
        };
        let (whole, fraction) = split_at_point(if number.is_zero() { "" } else { &digits }, point)?;
        // At least one digit stands before the separator.
        let whole = "0".repeat(self.whole.least.max(1).saturating_sub(whole.len())) + &whole;
        let (mark, width) = self.fraction.unwrap_or(('.', DigitCount { least: 0, most: Some(0) }));
        let fraction = fraction.clone() + &"0".repeat(width.least.saturating_sub(fraction.len()));
        if !self.whole.fits(whole.len()) || !width.fits(fraction.len()) {
            return None;
        }
        let mark = if fraction.is_empty() { String::new() } else { mark.to_string() };
        Some(format!("{sign}{whole}{mark}{fraction}{exponent}"))
    }
}

/// Takes as many digits as the mask allows off the front of a text.
fn take_digits<'t>(rest: &mut &'t str, width: DigitCount) -> Option<&'t str> {
    let found = rest.bytes().take_while(u8::is_ascii_digit).count();
    let count = width.most.map_or(found, |most| found.min(most));
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    width.fits(count).then_some(taken)
}

/// Splits digits at a decimal point after `point` of them, padding with zeros on either side.
fn split_at_point(digits: &str, point: i64) -> Option<(String, String)> {
    // Exponents reach 6111; a cell could not hold the zeros, so none are allocated.
    if point.unsigned_abs() > CELL_BYTES_MAX as u64 {
        return None;
    }
    let size = point.unsigned_abs() as usize;
    if point <= 0 {
        let zeros = if digits.is_empty() { 0 } else { size };
        return Some((String::new(), "0".repeat(zeros) + digits));
    }
    match digits.split_at_checked(size) {
        Some((whole, fraction)) => Some((whole.to_owned(), fraction.to_owned())),
        None => Some((digits.to_owned() + &"0".repeat(size - digits.len()), String::new())),
    }
}
