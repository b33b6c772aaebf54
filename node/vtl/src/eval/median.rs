//! Medians (reference manual, "Median value"). For an even number of values the median is the exact
//! mean of the middle two, rounded once.

use schemas::decimal::Decimal;
use schemas::table::Column;

use super::column::number_at;
use super::sliding_window::WindowAggregate;
use crate::decimal128::{Error, ExactSum};

/// Returns the median of values in any order; `None` for no value.
pub(super) fn median_of(mut values: Vec<Decimal>) -> Result<Option<Decimal>, Error> {
    let half = values.len() / 2;
    if values.is_empty() {
        return Ok(None);
    }
    let even = values.len().is_multiple_of(2);
    // Quickselect, linear on average; the lower middle is the maximum of the lower part.
    let (below, upper, _) = values.select_nth_unstable_by(half, |a, b| a.compare(*b));
    let upper = *upper;
    let lower = below.iter().copied().reduce(|a, b| if a.compare(b).is_ge() { a } else { b });
    match lower {
        Some(lower) if even => mean_of_two(lower, upper).map(Some),
        _ => Ok(Some(upper.normalized())),
    }
}

/// Sliding median: a Fenwick tree (binary indexed tree) counts the distinct values of a partition, so
/// that adding, removing and selecting by rank take logarithmic time.
pub(super) struct WindowMedian<'a> {
    operand: &'a Column,
    /// Distinct values of the partition, ascending.
    values: Vec<Decimal>,
    /// Range counts of the Fenwick tree; index 0 is unused.
    tree: Vec<u32>,
    count: u32,
}

impl<'a> WindowMedian<'a> {
    pub(super) fn new(operand: &'a Column) -> Self {
        Self { operand, values: Vec::new(), tree: Vec::new(), count: 0 }
    }

    fn update_count(&mut self, row: usize, enters: bool) {
        let Some(value) = number_at(self.operand, row) else { return };
        let Ok(place) = self.values.binary_search_by(|probe| probe.compare(value)) else { return };
        let change = |slot: u32| if enters { slot + 1 } else { slot.saturating_sub(1) };
        self.count = change(self.count);
        // `place & -place` is the length of the range that a tree node covers.
        // `place & -place` is the length of the range that a tree node covers.
        let mut place = place + 1;
        while let Some(slot) = self.tree.get_mut(place) {
            *slot = change(*slot);
            place += place & place.wrapping_neg();
        }
    }

    /// Returns the value of rank `place` (from 0) in the window.
    fn value_at(&self, place: u32) -> Option<Decimal> {
        let (mut below, mut left) = (0_usize, place);
        // Binary descent: skip the largest ranges whose counts do not exceed the rank.
        let mut step = self.tree.len().next_power_of_two() / 2;
        while step > 0 {
            if let Some(count) = self.tree.get(below + step).filter(|count| **count <= left) {
                left -= *count;
                below += step;
            }
            step /= 2;
        }
        self.values.get(below).copied()
    }
}

impl WindowAggregate for WindowMedian<'_> {
    type Value = Decimal;

    fn start_partition(&mut self, points: &[usize]) {
        self.values = points.iter().filter_map(|row| number_at(self.operand, *row)).collect();
        self.values.sort_unstable_by(|a, b| a.compare(*b));
        self.values.dedup_by(|a, b| a.compare(*b).is_eq());
        self.tree = vec![0; self.values.len() + 1];
        self.count = 0;
    }

    fn enter(&mut self, row: usize) {
        self.update_count(row, true);
    }

    fn leave(&mut self, row: usize) {
        self.update_count(row, false);
    }

    fn value(&self) -> Result<Option<Decimal>, Error> {
        let Some(last) = self.count.checked_sub(1) else { return Ok(None) };
        match (self.value_at(last / 2), self.value_at(self.count / 2)) {
            (Some(lower), Some(upper)) => mean_of_two(lower, upper).map(Some),
            _ => Ok(None),
        }
    }
}

/// Returns the mean of two numbers, rounded once.
fn mean_of_two(a: Decimal, b: Decimal) -> Result<Decimal, Error> {
    let mut total = ExactSum::default();
    total.add(a);
    total.add(b);
    total.mean(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sliding_medians_agree_with_sorting() {
        // A linear congruential sequence with ties: x → (75 x + 74) mod 101.
        let mut next = 7_i64;
        let numbers: Vec<Option<i64>> = (0..200)
            .map(|_| {
                next = (75 * next + 74) % 101;
                Some(next / 3)
            })
            .collect();
        let column = Column::Integer(numbers.clone());
        let mut medians = WindowMedian::new(&column);
        let points: Vec<usize> = (0..200).collect();
        medians.start_partition(&points);
        for row in 0..200 {
            medians.enter(row);
            if row >= 10 {
                medians.leave(row - 10);
            }
            let window = numbers[row.saturating_sub(9)..=row].iter().flatten();
            let sorted = median_of(window.map(|value| Decimal::from(*value)).collect()).unwrap();
            assert_eq!(medians.value().unwrap(), sorted, "row {row}");
        }
    }

    #[test]
    fn the_mean_of_the_middle_values_rounds_once() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(median_of(Vec::new()), Ok(None));
        assert_eq!(median_of(vec![d("2.50")]), Ok(Some(d("2.5"))));
        let wide = vec![d("9999999999999999999999999999999999"), d("9999999999999999999999999999999998")];
        assert_eq!(median_of(wide), Ok(Some(d("9999999999999999999999999999999998"))));
    }
}
