//! Revisions between two versions of a table: data points added and removed, figures revised, and the
//! size of each change.
//!
//! Both tables are in the order of their keys, so one pass compares them. Numbers are compared by value:
//! `1.00` after `1.0` is not a revision. Versions with different identifiers are not compared, since
//! their data points mean different things.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::structure::{Component, ComponentList, Role};
use schemas::table::{Cell, Table};
use schemas::text::Name;
use vtl::decimal128;

/// Largest changes listed; the others are only counted.
pub const CHANGES_MAX: usize = 1000;

/// Differences between a version and the previous one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    /// Data points in the newer version only.
    pub added: u64,
    /// Data points in the older version only.
    pub vanished: u64,
    /// Data points in both with the same values.
    pub same: u64,
    /// Data points in both with a value that differs.
    pub revised: u64,
    /// Values that differ, the largest change first; at most [`CHANGES_MAX`].
    pub changes: Vec<ValueChange>,
    /// The key of the first data point that vanished.
    pub first_vanished: Option<Vec<Cell>>,
    /// Components that are in one version only: in the older, in the newer. They are not compared.
    pub components: (Vec<Name>, Vec<Name>),
}

/// A value that was revised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueChange {
    /// Identifiers of the data point.
    pub key: Vec<Cell>,
    /// The component.
    pub component: Name,
    /// The older value.
    pub before: Option<Cell>,
    /// The newer value.
    pub after: Option<Cell>,
}

impl ValueChange {
    /// The newer figure minus the older one, when both are numbers.
    pub fn difference(&self) -> Option<Decimal> {
        decimal128::sub(numeric_value(self.after.as_ref())?, numeric_value(self.before.as_ref())?).ok()
    }

    /// The difference in percent of the older figure, to two decimals, when that is not zero.
    pub fn percent(&self) -> Option<Decimal> {
        // Relative to the magnitude: a rise from -2 to -1 is positive.
        let before = decimal128::abs(numeric_value(self.before.as_ref())?);
        let share = decimal128::div(self.difference()?, before).ok()?;
        decimal128::mul(share, Decimal::from(100_i64)).and_then(|percent| decimal128::round(percent, 2)).ok()
    }

    /// Sort key of changes: the size of the difference; values that are not numbers come first.
    fn size(&self) -> Option<Decimal> {
        self.difference().map(decimal128::abs)
    }
}

fn numeric_value(cell: Option<&Cell>) -> Option<Decimal> {
    match cell? {
        Cell::Number(value) => Some(*value),
        Cell::Integer(value) => Some((*value).into()),
        _ => None,
    }
}

/// Versions with different identifiers, which are not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the two versions have different identifiers: {before}; {after}")]
pub struct IdentifierMismatch {
    before: String,
    after: String,
}

/// Compares two versions of a data set.
///
/// # Errors
/// [`IdentifierMismatch`].
pub fn compare_versions(before: &Table, after: &Table) -> Result<Revision, IdentifierMismatch> {
    let keys = identifiers_of(before.shape());
    if keys != identifiers_of(after.shape()) {
        return Err(IdentifierMismatch {
            before: list_types(keys),
            after: list_types(identifiers_of(after.shape())),
        });
    }
    let pairs = match_components(before.shape(), after.shape());
    let mut found =
        Revision { components: unmatched_components(before.shape(), after.shape()), ..Revision::default() };
    let (mut a, mut b) = (0, 0);
    while a < before.rows() || b < after.rows() {
        let order = match (a < before.rows(), b < after.rows()) {
            (true, true) => before.compare_key(a, after, b),
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Equal => compare_point((before, a), (after, b), &pairs, &mut found),
            Ordering::Less => {
                found.vanished += 1;
                found.first_vanished.get_or_insert_with(|| before.key(a));
            }
            Ordering::Greater => found.added += 1,
        }
        a += usize::from(order != Ordering::Greater);
        b += usize::from(order != Ordering::Less);
    }
    sort_by_size(&mut found.changes);
    found.changes.truncate(CHANGES_MAX);
    Ok(found)
}

fn identifiers_of(shape: &ComponentList) -> &[Component] {
    shape.components().get(..shape.identifier_count()).unwrap_or_default()
}

fn list_types(components: &[Component]) -> String {
    let words =
        components.iter().map(|component| format!("{} ({})", component.id, component.value_type.as_str()));
    words.collect::<Vec<_>>().join(", ")
}

/// A component of both versions with its column in each.
struct ComponentPair {
    component: Name,
    before: usize,
    after: usize,
}

fn match_components(before: &ComponentList, after: &ComponentList) -> Vec<ComponentPair> {
    let others = before.components().iter().enumerate().filter(|(_, c)| c.role != Role::Identifier);
    others
        .filter_map(|(place, component)| {
            let found = after.position(component.id.as_str())?;
            // An attribute that became an identifier is part of the key and has no earlier figure.
            let alike = after.components().get(found)?.role != Role::Identifier;
            alike.then(|| ComponentPair { component: component.id.clone(), before: place, after: found })
        })
        .collect()
}

fn unmatched_components(before: &ComponentList, after: &ComponentList) -> (Vec<Name>, Vec<Name>) {
    let only = |a: &ComponentList, b: &ComponentList| -> Vec<Name> {
        let missing = a.components().iter().filter(|component| b.position(component.id.as_str()).is_none());
        missing.map(|component| component.id.clone()).collect()
    };
    (only(before, after), only(after, before))
}

/// Compares a data point that is in both versions.
fn compare_point(
    (before, a): (&Table, usize),
    (after, b): (&Table, usize),
    pairs: &[ComponentPair],
    found: &mut Revision,
) {
    let mut same = true;
    for pair in pairs {
        let cell = |table: &Table, column: usize, row: usize| table.columns().get(column)?.cell(row);
        let (old, new) = (cell(before, pair.before, a), cell(after, pair.after, b));
        let alike = match (&old, &new) {
            (Some(old), Some(new)) => old.same_value(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !alike {
            same = false;
            let component = pair.component.clone();
            found.changes.push(ValueChange { key: before.key(a), component, before: old, after: new });
        }
    }
    found.same += u64::from(same);
    found.revised += u64::from(!same);
    // Bounds the memory of a version with millions of revised figures.
    if found.changes.len() >= 2 * CHANGES_MAX {
        sort_by_size(&mut found.changes);
        found.changes.truncate(CHANGES_MAX);
    }
}

/// Sorts the largest changes first, stable.
fn sort_by_size(changes: &mut [ValueChange]) {
    // Changes without a size, such as texts and nulls, come first, so that truncation keeps them.
    changes.sort_by(|a, b| match (a.size(), b.size()) {
        (Some(a), Some(b)) => b.compare(a),
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
}

#[cfg(test)]
mod tests {
    use schemas::structure::ValueType;
    use schemas::table::{Column, TextColumn};

    use super::*;

    fn table(rows: &[(&str, &str)], key: &str) -> Table {
        let component = |id: &str, role, kind| Component::new(Name::new(id).unwrap(), role, kind);
        let shape = ComponentList::new(vec![
            component(key, Role::Identifier, ValueType::String),
            component("OBS_VALUE", Role::Measure, ValueType::Number),
        ])
        .unwrap();
        let keys = Column::Text(TextColumn::from_rows(rows.iter().map(|(key, _)| Some(*key))));
        let values = Column::Number(rows.iter().map(|(_, value)| value.parse().ok()).collect());
        Table::new(shape, vec![keys, values]).unwrap()
    }

    #[test]
    fn what_changed_is_counted_and_ordered_by_size() {
        let before = table(&[("A", "1.0"), ("B", "10"), ("C", "3"), ("D", "4"), ("E", "")], "K");
        let after = table(&[("A", "1.00"), ("B", "10.5"), ("C", "1"), ("E", "2"), ("F", "9")], "K");
        let found = compare_versions(&before, &after).unwrap();
        assert_eq!((found.added, found.vanished, found.same, found.revised), (1, 1, 1, 3));
        assert_eq!(found.first_vanished, Some(vec![Cell::Text("D".into())]));
        let shown: Vec<(String, Option<String>, Option<String>)> = found
            .changes
            .iter()
            .map(|change| {
                let text = |value: Option<Decimal>| value.map(|value| value.to_string());
                (change.key[0].to_string(), text(change.difference()), text(change.percent()))
            })
            .collect();
        let row = |key: &str, by: &str, percent: &str| (key.into(), Some(by.into()), Some(percent.into()));
        assert_eq!(shown, [("E".into(), None, None), row("C", "-2", "-66.67"), row("B", "0.5", "5")]);
    }

    #[test]
    fn a_version_changes_nothing_in_itself_and_others_are_refused() {
        let one = table(&[("A", "1"), ("B", "")], "K");
        let same = compare_versions(&one, &one).unwrap();
        assert_eq!((same.same, same.added + same.vanished + same.revised), (2, 0));
        let other = table(&[("A", "1")], "L");
        assert!(compare_versions(&one, &other).unwrap_err().to_string().contains("K (string); L (string)"));
    }

    #[test]
    fn only_the_largest_changes_are_kept() {
        let names: Vec<String> = (0..3 * CHANGES_MAX).map(|at| format!("{at:05}")).collect();
        let made: Vec<String> = (0..3 * CHANGES_MAX).map(|at| at.to_string()).collect();
        let rows: Vec<(&str, &str)> =
            names.iter().zip(&made).map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let none: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "0")).collect();
        let found = compare_versions(&table(&none, "K"), &table(&rows, "K")).unwrap();
        assert_eq!((found.revised, found.changes.len()), (3 * CHANGES_MAX as u64 - 1, CHANGES_MAX));
        assert_eq!(found.changes[0].key, [Cell::Text(format!("{:05}", 3 * CHANGES_MAX - 1))]);
    }
}
