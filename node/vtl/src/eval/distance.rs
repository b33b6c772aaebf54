//! String distances (reference manual, "String distances") on code points: symmetric and exact.

use schemas::decimal::Decimal;

use crate::decimal128;
use crate::op::StringDistance;

/// Limit on the characters of a compared text: the work grows with the product of both lengths.
pub(super) const CHARACTERS_MAX: usize = 256;
/// Characters of the common prefix that count in the Winkler correction.
const PREFIX_MAX: usize = 4;

/// Returns the distance, or the message of the error.
pub(super) fn string_distance(method: StringDistance, a: &str, b: &str) -> Result<Decimal, String> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if method != StringDistance::Hamming && a.len().max(b.len()) > CHARACTERS_MAX {
        return Err(format!("`string_distance` takes texts of at most {CHARACTERS_MAX} characters"));
    }
    let count = match method {
        StringDistance::Levenshtein => levenshtein(&a, &b),
        StringDistance::Damerau => damerau_levenshtein(&a, &b),
        StringDistance::Hamming if a.len() == b.len() => a.iter().zip(&b).filter(|(x, y)| x != y).count(),
        StringDistance::Hamming => {
            let (x, y) = (a.len(), b.len());
            return Err(format!("`hamming` requires texts of equal length, found {x} and {y} characters"));
        }
        StringDistance::Winkler => return jaro_winkler(&a, &b),
    };
    Ok(Decimal::from(count as i64))
}

/// Levenshtein distance: the least number of insertions, deletions and substitutions.
fn levenshtein(a: &[char], b: &[char]) -> usize {
    // One row of the dynamic programming table at a time.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (slot, y) in row.iter_mut().skip(1).zip(b) {
            let above = *slot;
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = above;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Unrestricted Damerau-Levenshtein distance: transposed characters may have further edits between
/// them.
fn damerau_levenshtein(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    // For each column the last row, from 1, that has its character.
    let mut seen = vec![0; b.len()];
    for (i, x) in a.iter().enumerate() {
        let before = rows.last().map(Vec::as_slice).unwrap_or_default();
        let mut row = vec![i + 1];
        // The last column, from 1, that has the character of this row.
        let mut column = 0;
        for (j, (y, seen)) in b.iter().zip(&mut seen).enumerate() {
            let above = |j: usize| before.get(j).copied().unwrap_or(0) + 1;
            let left = row.last().copied().unwrap_or(0) + 1;
            let mut best = (above(j) - usize::from(x == y)).min(above(j + 1)).min(left);
            if let (Some(up), Some(back)) = (usize::checked_sub(*seen, 1), usize::checked_sub(column, 1)) {
                let corner = rows.get(up).and_then(|row| row.get(back)).copied().unwrap_or(0);
                best = best.min(corner + (i - up - 1) + (j - back - 1) + 1);
            }
            if x == y {
                (column, *seen) = (j + 1, i + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

/// Jaro-Winkler distance: 1 minus the similarity, an exact fraction rounded once.
fn jaro_winkler(a: &[char], b: &[char]) -> Result<Decimal, String> {
    if a == b {
        return Ok(Decimal::ZERO);
    }
    // Greedy matching depends on which text is searched; a fixed order of the two makes the distance
    // symmetric.
    let (a, b) = if (a.len(), a) <= (b.len(), b) { (a, b) } else { (b, a) };
    let (matches, moved) = matching_characters(a, b);
    if matches == 0 {
        return Ok(Decimal::from(1));
    }
    let prefix = a.iter().zip(b).take(PREFIX_MAX).take_while(|(x, y)| x == y).count();
    let [n, m, c, k, p] = [a.len(), b.len(), matches, moved, prefix].map(|count| count as i64);
    // INVARIANT: each factor is at most 256, so the products stay below 2^40.
    let alike = 2 * c * c * (n + m) + (2 * c - k) * n * m;
    let whole = 6 * n * m * c;
    let fraction = decimal128::div(((whole - alike) * (10 - p)).into(), (whole * 10).into());
    fraction.map_err(|error| error.to_string())
}

/// Returns the number of matching characters within the Jaro window, and how many of them are out of
/// order.
fn matching_characters(a: &[char], b: &[char]) -> (usize, usize) {
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut of_a = Vec::new();
    for (i, x) in a.iter().enumerate() {
        let near = b.iter().zip(&mut taken).enumerate().take(i + reach + 1).skip(i.saturating_sub(reach));
        for (_, (y, taken)) in near {
            if x == y && !*taken {
                *taken = true;
                of_a.push(*x);
                break;
            }
        }
    }
    let of_b = b.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(y, _)| y);
    let moved = of_a.iter().zip(of_b).filter(|(x, y)| x != y).count();
    (of_a.len(), moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: StringDistance, a: &str, b: &str, want: &str) {
        let found = |a, b| string_distance(method, a, b).unwrap().to_string();
        assert_eq!((found(a, b), found(b, a)), (want.to_owned(), want.to_owned()), "{a} {b}");
    }

    #[test]
    fn edit_distances_are_counted() {
        for (a, b, levenshtein, damerau) in [
            ("", "", "0", "0"),
            ("", "abc", "3", "3"),
            ("foo", "fo", "1", "1"),
            ("kitten", "sitting", "3", "3"),
            ("ca", "abc", "3", "2"),
            ("ab", "ba", "2", "1"),
            ("martha", "marhta", "2", "1"),
            ("abcd", "badc", "3", "2"),
            ("é", "e", "1", "1"),
        ] {
            check(StringDistance::Levenshtein, a, b, levenshtein);
            check(StringDistance::Damerau, a, b, damerau);
        }
        check(StringDistance::Hamming, "karolin", "kathrin", "3");
        assert!(string_distance(StringDistance::Hamming, "a", "").is_err());
        let long = "x".repeat(CHARACTERS_MAX + 1);
        assert!(string_distance(StringDistance::Levenshtein, &long, "").is_err());
    }

    /// The examples of Winkler (1990), as distances.
    #[test]
    fn winkler_is_exact() {
        for (a, b, want) in [
            ("MARTHA", "MARHTA", "0.03888888888888888888888888888888889"),
            ("DIXON", "DICKSONX", "0.1866666666666666666666666666666667"),
            ("DWAYNE", "DUANE", "0.16"),
            ("FOO", "BAR", "1"),
            ("", "x", "1"),
            ("", "", "0"),
            ("ab", "ba", "1"),
            ("same", "same", "0"),
        ] {
            check(StringDistance::Winkler, a, b, want);
        }
    }
}
