//! Readers of source documents and the options that a publisher gave them, in canonical form.
//!
//! A field with its default value is absent, so that equal options have equal bytes (specs/readers.md).

use serde::{Deserialize, Serialize};

use crate::limits::COMPONENTS_MAX;
use crate::period::Frequency;
use crate::structure::{Role, ValueType};
use crate::text::{Name, Text};

/// Spellings of a missing figure in one mapping.
pub const MISSING_SPELLINGS_MAX: usize = 32;

/// The spellings of a missing figure in a mapping that names none.
pub const MISSING_SPELLINGS: [&str; 6] = ["", ".", "..", ":", "NA", "nan"];

/// The reader of a format, with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// Code of the format, such as `worldbank`.
    pub format: Name,
    /// Version of the reader, from 1. Readers of two versions may read a document differently.
    pub version: u32,
}

impl Reader {
    pub(crate) fn check_rules(&self) -> Result<(), String> {
        if self.version == 0 { Err("the versions of a reader begin with 1".into()) } else { Ok(()) }
    }
}

impl std::fmt::Display for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.format, self.version)
    }
}

/// Statements of the publisher about documents, which a reader cannot find in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderOptions {
    /// The area of a series that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Text<64>>,
    /// Frequency of the periods, where the document does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// The columns of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<TableMapping>,
}

impl ReaderOptions {
    /// Whether the publisher stated nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn check_rules(&self) -> Result<(), String> {
        self.mapping.as_ref().map_or(Ok(()), TableMapping::check_rules)
    }
}

/// The columns of a table and its spellings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableMapping {
    /// Delimiter of cells, one ASCII character; absent for a comma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Text<1>>,
    /// Lines before the header.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// Name of the sheet of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Text<256>>,
    /// Spellings of a missing figure; absent for the default ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<Text<64>>>,
    /// Whether numbers have a decimal comma.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decimal_comma: bool,
    /// The columns of the result; absent if the header has the ids of the components.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<MappedColumn>,
}

impl TableMapping {
    fn check_rules(&self) -> Result<(), String> {
        if self.missing.as_ref().is_some_and(|words| words.len() > MISSING_SPELLINGS_MAX) {
            return Err(format!(
                "a mapping has at most {MISSING_SPELLINGS_MAX} spellings of a missing figure"
            ));
        }
        if self.columns.len() > COMPONENTS_MAX {
            return Err(format!("a mapping has at most {COMPONENTS_MAX} columns"));
        }
        // One byte of UTF-8 is ASCII; a comma is the default, which is absent.
        if self.delimiter.as_ref().is_some_and(|text| matches!(text.as_str(), "" | ",")) {
            return Err("the delimiter of a mapping is one ASCII character other than a comma".into());
        }
        let default =
            |words: &Vec<Text<64>>| words.iter().map(Text::as_str).eq(MISSING_SPELLINGS.iter().copied());
        if self.missing.as_ref().is_some_and(default) || *self == Self::default() {
            return Err("the default of a mapping is absent".into());
        }
        match self.columns.iter().find(|column| column.from.is_some() == column.constant.is_some()) {
            Some(column) => {
                Err(format!("the column `{}` is mapped from a column or from a constant", column.to))
            }
            None => Ok(()),
        }
    }
}

/// One column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedColumn {
    /// The column of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Text<256>>,
    /// The same value in every row, instead of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<Text<256>>,
    /// The id of the component.
    pub to: Name,
    /// Role; if absent, a number is a measure and everything else an identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Value type; if absent, it follows from the id.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
    /// Order of day and month in its dates; absent for the spellings of SDMX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DayOrder>,
    /// Whether a zero is a missing figure.
    #[serde(default, skip_serializing_if = "is_false")]
    pub zero_is_missing: bool,
    /// The list of its area codes, unless ISO 3166 alpha-3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Text<64>>,
}

/// Order of day and month in a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayOrder {
    /// `1/31/2010`.
    MonthDayYear,
    /// `31/1/2010`.
    DayMonthYear,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
