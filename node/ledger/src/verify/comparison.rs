//! Comparison of two tables cell by cell, and the table of the cells that differ.

use std::cmp::Ordering;

use schemas::content::{self, Block};
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::text::Name;
use schemas::verdict::{ComparedTable, DIFFERENCES_MAX, Divergence};

/// Id of the identifier that a table of differences adds.
const COMPONENT: &str = "COMPONENT";

/// Cells of a table that are not part of a key.
pub fn count_cells(table: &Table) -> u64 {
    (table.rows() as u64) * data_width(table)
}

/// Components that are not identifiers.
fn data_width(table: &Table) -> u64 {
    (table.shape().components().len() - table.shape().identifier_count()) as u64
}

/// Result of comparing a published table with what it should be.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// The first cell that differs.
    pub first: Option<Divergence>,
    /// Cells that differ.
    pub count: u64,
    /// Cells compared.
    pub cells: u64,
    /// Whether the tables have the same components, so that each cell has its counterpart.
    pub same_shape: bool,
    /// The cells that differ, at least the first [`DIFFERENCES_MAX`] of them.
    pub(super) rows: Vec<DifferentCell>,
}

/// A row of a table of differences.
#[derive(Debug, Clone)]
pub(super) struct DifferentCell {
    key: Vec<Cell>,
    component: String,
    published: Option<String>,
    computed: Option<String>,
}

impl Comparison {
    fn add_difference(&mut self, cells: u64, divergence: impl FnOnce() -> Divergence) {
        self.count += cells;
        self.first.get_or_insert_with(divergence);
    }

    /// Whether rows are still collected. Rows of a key are collected together, so that sorting them by
    /// component cannot bring in a row that was left out.
    fn collects_key(&self, key: &[Cell]) -> bool {
        self.rows.len() < DIFFERENCES_MAX || self.rows.last().is_some_and(|row| row.key == key)
    }

    /// The table of the cells that differ (specs/objects.md, section 4, attestation), with its blocks; `None`
    /// when no cell differs or the tables have other components.
    pub fn difference_table(&self, shape: &ComponentList) -> Option<(Table, Vec<Block>)> {
        if self.rows.is_empty() {
            return None;
        }
        let keys = shape.components().iter().take(shape.identifier_count());
        let mut parts: Vec<Component> = keys.cloned().collect();
        let mut added = COMPONENT.to_owned();
        while parts.iter().any(|part| part.id.as_str() == added) {
            added.push('_');
        }
        let text = |id: &str, role| Some(Component::new(Name::new(id).ok()?, role, ValueType::String));
        let mut columns: Vec<Column> =
            (0..parts.len()).map(|at| self.key_column(parts.as_slice(), at)).collect();
        parts.push(text(&added, Role::Identifier)?);
        parts.push(text("PUBLISHED", Role::Measure)?);
        parts.push(text("COMPUTED", Role::Measure)?);
        let texts = |of: fn(&DifferentCell) -> Option<&str>| {
            Column::Text(TextColumn::from_rows(self.rows.iter().map(of)))
        };
        columns.push(texts(|row| Some(&row.component)));
        columns.push(texts(|row| row.published.as_deref()));
        columns.push(texts(|row| row.computed.as_deref()));
        let sorted = Table::new(ComponentList::new(parts).ok()?, columns).ok()?;
        let table = first_rows(sorted)?;
        let (_, blocks) = content::pack_table(&table, std::collections::BTreeMap::new()).ok()?;
        Some((table, blocks))
    }

    fn key_column(&self, parts: &[Component], at: usize) -> Column {
        let cells = self.rows.iter().map(|row| row.key.get(at));
        match parts.get(at).map(|part| part.value_type) {
            Some(ValueType::Integer) => Column::Integer(cells.map(integer_cell).collect()),
            Some(ValueType::Number) => Column::Number(cells.map(number_cell).collect()),
            Some(ValueType::Boolean) => Column::Boolean(cells.map(boolean_cell).collect()),
            Some(ValueType::TimePeriod | ValueType::Date) => Column::Period(cells.map(period_cell).collect()),
            _ => Column::Text(TextColumn::from_rows(cells.map(text_cell))),
        }
    }
}

fn text_cell(cell: Option<&Cell>) -> Option<&str> {
    match cell {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}

fn integer_cell(cell: Option<&Cell>) -> Option<i64> {
    match cell {
        Some(Cell::Integer(value)) => Some(*value),
        _ => None,
    }
}

fn number_cell(cell: Option<&Cell>) -> Option<schemas::decimal::Decimal> {
    match cell {
        Some(Cell::Number(value)) => Some(*value),
        _ => None,
    }
}

fn boolean_cell(cell: Option<&Cell>) -> Option<bool> {
    match cell {
        Some(Cell::Boolean(value)) => Some(*value),
        _ => None,
    }
}

fn period_cell(cell: Option<&Cell>) -> Option<schemas::period::Period> {
    match cell {
        Some(Cell::Period(value)) => Some(*value),
        _ => None,
    }
}

/// The first [`DIFFERENCES_MAX`] rows of a sorted table.
fn first_rows(table: Table) -> Option<Table> {
    if table.rows() <= DIFFERENCES_MAX {
        return Some(table);
    }
    let order: Vec<u32> = (0..DIFFERENCES_MAX as u32).collect();
    let shape = table.shape().clone();
    let columns = table.columns().iter().map(|column| column.gather(&order)).collect();
    Table::from_sorted(shape, columns).ok()
}

/// Compares two tables cell by cell, in the order of keys; numbers by value.
///
/// For a data point on one side only, all its cells count as different.
pub fn compare_tables(name: &ComparedTable, published: &Table, computed: &Table) -> Comparison {
    let mut comparison = Comparison { same_shape: true, ..Comparison::default() };
    if published.shape() != computed.shape() {
        let all = count_cells(computed).max(count_cells(published)).max(1);
        comparison.cells += all;
        comparison.same_shape = false;
        comparison.add_difference(all, || shape_divergence(name, published, computed));
        return comparison;
    }
    let width = data_width(published).max(1);
    let (mut a, mut b) = (0, 0);
    while a < published.rows() || b < computed.rows() {
        let order = match (a < published.rows(), b < computed.rows()) {
            (true, true) => published.compare_key(a, computed, b),
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
        comparison.cells += width;
        match order {
            Ordering::Equal => comparison.compare_row(name, (published, a), (computed, b)),
            Ordering::Less => comparison.add_unmatched_row(name, (published, a), true),
            Ordering::Greater => comparison.add_unmatched_row(name, (computed, b), false),
        }
        a += usize::from(order != Ordering::Greater);
        b += usize::from(order != Ordering::Less);
    }
    comparison
}

impl Comparison {
    fn compare_row(
        &mut self,
        name: &ComparedTable,
        (published, a): (&Table, usize),
        (computed, b): (&Table, usize),
    ) {
        let keys = published.shape().identifier_count();
        let columns = published.columns().iter().zip(computed.columns());
        for (component, (left, right)) in published.shape().components().iter().zip(columns).skip(keys) {
            let (left, right) = (left.cell(a), right.cell(b));
            let same = match (&left, &right) {
                (Some(left), Some(right)) => left.same_value(right),
                (left, right) => left.is_none() && right.is_none(),
            };
            if same {
                continue;
            }
            let key = published.key(a);
            self.collect_cell(&key, component.id.as_str(), left.as_ref(), right.as_ref());
            self.add_difference(1, || Divergence {
                table: name.clone(),
                position: None,
                key,
                component: Some(component.id.clone()),
                published: left,
                computed: right,
            });
        }
    }

    /// Adds a data point that is in one table only; the divergence has its first cell that is not null.
    fn add_unmatched_row(&mut self, name: &ComparedTable, (table, row): (&Table, usize), published: bool) {
        let keys = table.shape().identifier_count();
        let key = table.key(row);
        let mut first = None;
        for (component, column) in table.shape().components().iter().zip(table.columns()).skip(keys) {
            let cell = column.cell(row);
            let (left, right) = if published { (cell.as_ref(), None) } else { (None, cell.as_ref()) };
            self.collect_cell(&key, component.id.as_str(), left, right);
            first = first.or(cell);
        }
        if keys == table.columns().len() {
            // Only the key differs: there is no component to name.
            self.collect_cell(&key, "", None, None);
        }
        let (left, right) = if published { (first, None) } else { (None, first) };
        self.add_difference(data_width(table).max(1), || Divergence {
            table: name.clone(),
            position: None,
            key,
            component: None,
            published: left,
            computed: right,
        });
    }

    fn collect_cell(&mut self, key: &[Cell], component: &str, left: Option<&Cell>, right: Option<&Cell>) {
        if self.collects_key(key) {
            let text = |cell: Option<&Cell>| cell.map(Cell::to_string);
            let component = component.to_owned();
            let (published, computed) = (text(left), text(right));
            self.rows.push(DifferentCell { key: key.to_vec(), component, published, computed });
        }
    }
}

/// The divergence of tables with different components: the first component that is not in both.
fn shape_divergence(name: &ComparedTable, published: &Table, computed: &Table) -> Divergence {
    let (a, b) = (published.shape().components(), computed.shape().components());
    let only = |x: &[Component], y: &[Component]| x.iter().find(|c| !y.contains(c)).map(|c| c.id.clone());
    Divergence {
        component: only(a, b).or_else(|| only(b, a)).or_else(|| a.first().map(|c| c.id.clone())),
        ..form_divergence(name)
    }
}

/// The divergence of tables with the same cells in another form.
pub(super) fn form_divergence(name: &ComparedTable) -> Divergence {
    Divergence {
        table: name.clone(),
        position: None,
        key: Vec::new(),
        component: None,
        published: None,
        computed: None,
    }
}
