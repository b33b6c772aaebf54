//! Mapping of the columns of a general CSV: a small TOML file, or command-line flags with the same words.
//!
//! ```toml
//! delimiter = ";"
//! decimal_comma = true
//! dataflow = "UNRATE"
//!
//! [[columns]]
//! from = "Country Code"
//! to = "REF_AREA"
//! areas = "imf"              # the list of the codes, unless ISO 3166 alpha-3
//!
//! [[columns]]
//! from = "Month"
//! to = "TIME_PERIOD"
//!
//! [[columns]]
//! from = "Rate"
//! to = "OBS_VALUE"
//! zero_is_missing = true     # where gaps are filled with zeros
//!
//! [[columns]]
//! constant = "PT"
//! to = "UNIT_MEASURE"
//! role = "attribute"
//! ```

use std::str::FromStr;

use schemas::object::MISSING_SPELLINGS;
use schemas::period::Frequency;
use schemas::structure::{Role, ValueType};
use schemas::text::Name;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::error::ImportError;
use crate::formats::sdmx::roles;
use crate::values::areas::AreaScheme;

/// Instructions for reading a CSV.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Delimiter of cells; one ASCII character.
    pub delimiter: char,
    /// Lines before the header.
    pub skip: usize,
    /// Name of the sheet, for a workbook with several.
    pub sheet: Option<String>,
    /// Spellings of a missing figure. An identifier is never missing: `NA` is Namibia.
    pub missing: Vec<String>,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: bool,
    /// Frequency of periods that are written as days, such as first days of months.
    #[serde(deserialize_with = "deserialize_frequency")]
    pub frequency: Option<Frequency>,
    /// Name of the result; the file name when absent.
    pub dataflow: Option<Name>,
    /// Title of the result; the name when absent.
    pub title: Option<String>,
    /// The columns of the result. If empty, the header has the ids of the components: identifiers up
    /// to TIME_PERIOD (or OBS_VALUE), then attributes of SDMX and measures.
    pub columns: Vec<ColumnMapping>,
}

/// One column of the result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMapping {
    /// The column of the file.
    #[serde(default)]
    pub from: Option<String>,
    /// The same value in every row, instead of `from`.
    #[serde(default)]
    pub constant: Option<String>,
    /// The id of the component.
    pub to: Name,
    /// Role; if absent, a number is a measure and everything else an identifier.
    #[serde(default)]
    pub role: Option<Role>,
    /// Value type; if absent, TIME_PERIOD is a period, OBS_VALUE a number, everything else text.
    #[serde(default, rename = "type")]
    pub value_type: Option<ValueType>,
    /// Form of its dates.
    #[serde(default)]
    pub dates: DateFormat,
    /// Whether a zero is a missing figure, in files that fill gaps with it. Counted as spelling `0`.
    #[serde(default)]
    pub zero_is_missing: bool,
    /// List of its area codes: `iso`, `worldbank`, `eurostat`, `oecd` or `imf`. They are translated to
    /// ISO 3166 alpha-3; unknown codes are kept.
    #[serde(default)]
    pub areas: Option<AreaScheme>,
}

/// Form of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateFormat {
    /// As in SDMX: `2010`, `2010-Q1`, `2010-01`, `2010-M01`, `2010-W05`, `2010-01-31`.
    #[default]
    Sdmx,
    /// `1/31/2010`; also with points or hyphens.
    MonthDayYear,
    /// `31/1/2010`; also with points or hyphens.
    DayMonthYear,
}

impl Default for Mapping {
    fn default() -> Self {
        let missing = MISSING_SPELLINGS.map(str::to_owned).to_vec();
        Self {
            delimiter: ',',
            skip: 0,
            sheet: None,
            missing,
            decimal_comma: false,
            frequency: None,
            dataflow: None,
            title: None,
            columns: Vec::new(),
        }
    }
}

impl Mapping {
    /// Parses a mapping file; `file` is its name in errors.
    ///
    /// # Errors
    /// `mapping` with the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ImportError> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64;
            ImportError::new("mapping", error.message().trim()).line(line).in_file(file)
        })
    }

    /// The mapping of a header with the ids of the components.
    pub(crate) fn from_component_ids(header: &[String]) -> Result<Vec<ColumnMapping>, ImportError> {
        let find = |wanted: &str| header.iter().position(|id| id == wanted);
        // Data without a time have their figure after the identifiers.
        let time = find("TIME_PERIOD").or_else(|| find("OBS_VALUE")).ok_or_else(|| {
            ImportError::new("column-missing", "expected the column `TIME_PERIOD`")
                .value(header.join(","))
                .hint("describe the columns with a mapping")
        })?;
        let link = |(at, id): (usize, &String)| {
            let to = Name::new(id.clone()).map_err(|error| {
                ImportError::new("mapping", error.to_string()).column((at + 1).to_string())
            })?;
            let attribute = id == "UNIT_MEASURE" || roles::is_attribute(id);
            let (role, kind) = match at {
                _ if at == time && id == "TIME_PERIOD" => (Role::Identifier, ValueType::TimePeriod),
                _ if at < time => (Role::Identifier, ValueType::String),
                _ if attribute => (Role::Attribute, ValueType::String),
                _ => (Role::Measure, ValueType::Number),
            };
            Ok(ColumnMapping {
                role: Some(role),
                value_type: Some(kind),
                ..ColumnMapping::column(id.clone(), to)
            })
        };
        header.iter().enumerate().filter(|(_, id)| !id.is_empty()).map(link).collect()
    }
}

impl ColumnMapping {
    /// The column `from` of the file as the component `to`.
    pub fn column(from: impl Into<String>, to: Name) -> Self {
        let from = Some(from.into());
        Self {
            from,
            constant: None,
            to,
            role: None,
            value_type: None,
            dates: DateFormat::Sdmx,
            zero_is_missing: false,
            areas: None,
        }
    }

    /// The value type, stated or by the id.
    pub(crate) fn component_type(&self) -> ValueType {
        self.value_type.unwrap_or(match self.to.as_str() {
            "TIME_PERIOD" => ValueType::TimePeriod,
            "OBS_VALUE" => ValueType::Number,
            _ => ValueType::String,
        })
    }

    /// The role, stated or by the type.
    pub(crate) fn component_role(&self) -> Role {
        self.role.unwrap_or(match self.component_type() {
            ValueType::Number => Role::Measure,
            _ => Role::Identifier,
        })
    }
}

impl FromStr for ColumnMapping {
    type Err = ImportError;

    /// Parses a flag: `TO=FROM`, `TO:type=FROM`, or `TO="constant"` with the quotes.
    fn from_str(text: &str) -> Result<Self, ImportError> {
        let error = |message: &str| {
            ImportError::new("mapping", message.to_owned())
                .value(text)
                .hint("write `REF_AREA=Country Code`, `OBS_VALUE:number=Rate` or `REF_AREA=\"USA\"`")
        };
        let (left, right) = text.split_once('=').ok_or_else(|| error("expected `TO=FROM`"))?;
        let (to, kind) = match left.split_once(':') {
            None => (left, None),
            Some((to, kind)) => (to, Some(ValueType::from_name(kind).ok_or_else(|| error("unknown type"))?)),
        };
        let to = Name::new(to).map_err(|refused| error(&refused.to_string()))?;
        let constant = right.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
        let from = constant.is_none().then(|| right.to_owned());
        Ok(Self { from, constant, value_type: kind, ..Self::column("", to) })
    }
}

fn deserialize_frequency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Frequency>, D::Error> {
    let code = String::deserialize(deserializer)?;
    let frequency = Frequency::from_code(&code);
    frequency
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("unknown frequency `{code}`: expected A, S, Q, M, W or D")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_parsed() {
        let text = "delimiter = ';'\nfrequency = \"M\"\n[[columns]]\nfrom = \"a\"\nto = \"OBS_VALUE\"\n";
        let mapping = Mapping::parse("m.toml", text).unwrap();
        assert_eq!((mapping.delimiter, mapping.frequency), (';', Some(Frequency::M)));
        assert_eq!(
            (mapping.columns[0].component_type(), mapping.columns[0].component_role()),
            (ValueType::Number, Role::Measure)
        );
        assert_eq!(mapping.missing.len(), 6);
    }

    #[test]
    fn an_invalid_file_is_refused_with_the_line() {
        for (text, line) in [
            ("skip = 1\ndelimeter = ';'\n", 2),
            ("\n\nfrequency = \"X\"\n", 3),
            ("[[columns]]\nto = \"a b\"\n", 2),
            ("x =", 1),
        ] {
            let error = Mapping::parse("m.toml", text).unwrap_err();
            assert_eq!(
                (error.code, error.line, error.file.as_str()),
                ("mapping", Some(line), "m.toml"),
                "{error}"
            );
        }
    }

    #[test]
    fn flags_are_parsed() {
        let link: ColumnMapping = "REF_AREA=Country Code".parse().unwrap();
        assert_eq!(link, ColumnMapping::column("Country Code", Name::new("REF_AREA").unwrap()));
        let link: ColumnMapping = "REF_AREA=\"USA\"".parse().unwrap();
        assert_eq!((link.from, link.constant.as_deref()), (None, Some("USA")));
        assert_eq!("N:integer=x".parse::<ColumnMapping>().unwrap().component_type(), ValueType::Integer);
        for bad in ["REF_AREA", "a b=c", "A:float=c"] {
            assert_eq!(bad.parse::<ColumnMapping>().unwrap_err().code, "mapping", "{bad}");
        }
    }
}
