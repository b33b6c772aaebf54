//! Ceilings of the machine that runs a recipe, above the limits that its author chose.
//!
//! Owns the ceilings, the count of bytes alive in a run, and the flag that ends it. A run beyond a ceiling says
//! nothing about the recipe: its diagnostic has a code of its own, and another machine may run the same recipe.
//!
//! INVARIANT: memory is reserved before it is allocated, and by the thread that runs the plan, so the outcome does
//! not depend on the number of threads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::ValueType;
use schemas::table::{Column, TextColumn};

use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};

/// Ceilings of one run on this machine.
#[derive(Debug, Clone)]
pub struct RunCeilings {
    /// Maximum steps, by the cost table in `specs/vtl.md`.
    pub steps: u64,
    /// Maximum cells of intermediate results that are alive together, as in [`RunLimits`](crate::RunLimits).
    pub cells: u64,
    /// Maximum bytes alive together: inputs, intermediate results, values of subexpressions and working memory.
    pub bytes: u64,
    /// Ends the run soon after it is set, by a timer of the caller: this crate reads no clock.
    pub stop: Option<Arc<AtomicBool>>,
}

impl RunCeilings {
    /// Ceilings of a reader.
    ///
    /// * `steps`: the limit that the library gives its recipes, and a little more; 10 to 20 seconds on one core of
    ///   2020.
    /// * `cells`: four data sets of the largest size.
    /// * `bytes`: 1 GiB, so that a process stays below 1.5 GB; twice the memory of the largest data set of which
    ///   half is numbers.
    pub const READER: RunCeilings =
        RunCeilings { steps: 1 << 30, cells: 1 << 26, bytes: 1 << 30, stop: None };
}

impl Default for RunCeilings {
    fn default() -> Self {
        Self::READER
    }
}

/// Memory of one distinct text beside its characters: its header, an allocation, a place in a search tree.
pub(crate) const TEXT_BYTES: u64 = 80;
/// Working memory for each row that is ranked and sorted: two keys, a pair of key and row, a row.
pub(crate) const SORT_BYTES: u64 = 48;
/// Working memory for each row of an analytic invocation: three rankings, the order, a scale, sorted values.
pub(crate) const WINDOW_BYTES: u64 = 3 * SORT_BYTES + 64;

/// Returns the memory of a value in a column, without the characters of a text.
pub(crate) fn value_bytes(value_type: Option<ValueType>) -> u64 {
    let bytes = match value_type {
        Some(ValueType::Integer) => size_of::<Option<i64>>(),
        Some(ValueType::Number) => size_of::<Option<Decimal>>(),
        Some(ValueType::Boolean) => size_of::<Option<bool>>(),
        Some(ValueType::TimePeriod | ValueType::Date) => size_of::<Option<Period>>(),
        // A code of the dictionary.
        Some(ValueType::String | ValueType::Time | ValueType::Duration) | None => size_of::<u32>(),
    };
    bytes as u64
}

/// Returns the memory of `rows` rows of a type of column, without its dictionary.
pub(crate) fn row_bytes(column: &Column, rows: usize) -> u64 {
    value_bytes(Some(column_type(column))).saturating_mul(rows as u64)
}

/// Returns a value type that the column can hold.
pub(crate) fn column_type(column: &Column) -> ValueType {
    match column {
        Column::Text(_) => ValueType::String,
        Column::Integer(_) => ValueType::Integer,
        Column::Number(_) => ValueType::Number,
        Column::Boolean(_) => ValueType::Boolean,
        Column::Period(_) => ValueType::TimePeriod,
    }
}

/// Returns the memory of the dictionary of a column.
pub(crate) fn dictionary_bytes(column: &Column) -> u64 {
    let Column::Text(texts) = column else { return 0 };
    texts.dictionary().iter().map(|text| text_bytes(text)).sum()
}

/// Returns the memory of one distinct text.
pub(crate) fn text_bytes(text: &str) -> u64 {
    TEXT_BYTES + text.len() as u64
}

/// The run is beyond a ceiling; [`RunGuard::check`] says which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CeilingExceeded;

/// Memory and stop flag of a run, shared by everything that works for it.
///
/// Once a ceiling is exceeded it stays so: loops end early, what they made is dropped, and the run ends in the
/// diagnostic of [`RunGuard::check`] whatever else was found meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct RunGuard(Arc<GuardState>);

#[derive(Debug)]
struct GuardState {
    bytes_max: u64,
    stop: Option<Arc<AtomicBool>>,
    bytes: AtomicU64,
    bytes_exceeded: AtomicBool,
    /// Whether a loop saw the stop flag; what it made is incomplete even if the caller clears the flag.
    stopped: AtomicBool,
}

impl RunGuard {
    pub(crate) fn new(ceilings: &RunCeilings) -> Self {
        Self(Arc::new(GuardState {
            bytes_max: ceilings.bytes,
            stop: ceilings.stop.clone(),
            bytes: AtomicU64::new(0),
            bytes_exceeded: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }))
    }

    /// Returns whether the run is to end; every loop over rows asks.
    pub(crate) fn is_stopped(&self) -> bool {
        if self.0.bytes_exceeded.load(Ordering::Relaxed) || self.0.stopped.load(Ordering::Relaxed) {
            return true;
        }
        let stop = self.0.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
        if stop {
            self.0.stopped.store(true, Ordering::Relaxed);
        }
        stop
    }

    /// Returns whether the run is to end, asking at every [`ROWS_UNCHECKED`]th row only.
    pub(crate) fn is_stopped_at(&self, row: usize) -> bool {
        row.is_multiple_of(ROWS_UNCHECKED) && self.is_stopped()
    }

    /// Reserves memory until the reservation is dropped.
    ///
    /// # Errors
    /// The ceiling would be exceeded, or the run is to end; nothing may be allocated then.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<Reservation, CeilingExceeded> {
        let reservation = self.count(bytes);
        if self.is_stopped() { Err(CeilingExceeded) } else { Ok(reservation) }
    }

    /// Reserves `each` bytes for each of `count` items.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub(crate) fn reserve_each(&self, count: usize, each: u64) -> Result<Reservation, CeilingExceeded> {
        self.reserve((count as u64).saturating_mul(each))
    }

    /// Counts memory that exists already.
    pub(crate) fn count(&self, bytes: u64) -> Reservation {
        let mut reservation = Reservation { guard: self.clone(), bytes: 0 };
        reservation.grow(bytes);
        reservation
    }

    /// # Errors
    /// The ceiling that ended the run.
    pub(crate) fn check(&self, span: Span) -> Result<(), Diagnostic> {
        // Memory first: of the two it is the one that does not depend on the speed of the machine.
        if self.0.bytes_exceeded.load(Ordering::Relaxed) {
            let message = format!("the run needs more than {} bytes at a time", self.0.bytes_max);
            return Err(ceiling_diagnostic(DiagnosticCode::CeilingBytes, message, span));
        }
        if self.is_stopped() {
            let message = "the run takes too long".to_owned();
            return Err(ceiling_diagnostic(DiagnosticCode::CeilingTime, message, span));
        }
        Ok(())
    }
}

/// Rows between two looks at the stop flag where a row is little work.
const ROWS_UNCHECKED: usize = 1 << 8;

/// Diagnostic of a run beyond a ceiling of this machine.
pub(crate) fn ceiling_diagnostic(code: DiagnosticCode, message: String, span: Span) -> Diagnostic {
    let hint =
        "this is a ceiling of the machine, not a limit of the recipe: a run with higher ceilings may succeed";
    Diagnostic::new(code, span, message).with_optional_hint(Some(hint.to_owned()))
}

/// Bytes that count as alive until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    guard: RunGuard,
    bytes: u64,
}

impl Reservation {
    /// Adds bytes; beyond the ceiling the run is to end.
    pub(crate) fn grow(&mut self, bytes: u64) {
        let state = &self.guard.0;
        // Wrapping would need 2^64 bytes alive; a single charge is clamped to the ceiling and one.
        let bytes = bytes.min(state.bytes_max.saturating_add(1));
        let before = state.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(bytes);
        if before.saturating_add(bytes) > state.bytes_max {
            state.bytes_exceeded.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.guard.0.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Builds a text column; each distinct text is stored once, and its memory reserved before.
pub(crate) struct TextBuilder {
    guard: RunGuard,
    places: BTreeMap<String, u32>,
    codes: Vec<u32>,
    reserved: Reservation,
}

impl TextBuilder {
    /// Expects `rows` rows, whose codes the caller has reserved.
    pub(crate) fn new(rows: usize, guard: &RunGuard) -> Self {
        Self {
            guard: guard.clone(),
            places: BTreeMap::new(),
            codes: Vec::with_capacity(rows),
            reserved: guard.count(0),
        }
    }

    /// Appends a row; beyond a ceiling it is dropped.
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.codes.push(TextColumn::NULL) };
        let next = self.places.len() as u32;
        // One search instead of two is worth a copy of the text.
        match self.places.entry(text.to_owned()) {
            Entry::Occupied(place) => self.codes.push(*place.get()),
            Entry::Vacant(place) => {
                self.reserved.grow(text_bytes(text));
                if !self.guard.is_stopped() {
                    place.insert(next);
                    self.codes.push(next);
                }
            }
        }
    }

    /// Returns the column, whose memory is no longer reserved.
    pub(crate) fn finish(self) -> Column {
        let mut ranks = vec![0; self.places.len()];
        for (rank, first_seen) in self.places.values().enumerate() {
            if let Some(slot) = ranks.get_mut(*first_seen as usize) {
                *slot = rank as u32;
            }
        }
        let mut codes = self.codes;
        for code in &mut codes {
            *code = ranks.get(*code as usize).copied().unwrap_or(TextColumn::NULL);
        }
        let dictionary = self.places.into_keys().collect();
        Column::Text(TextColumn::from_parts(dictionary, codes).unwrap_or_default())
    }
}
