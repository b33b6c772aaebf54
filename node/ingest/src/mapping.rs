//! What the columns of a general CSV mean: a small TOML file, or flags of the same words.
//!
//! ```toml
//! delimiter = ";"
//! decimal_comma = true
//! dataflow = "UNRATE"
//!
//! [[columns]]
//! from = "Country Code"
//! to = "REF_AREA"
//! areas = "imf"              # whose codes they are, when they are not ISO 3166 alpha-3
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

use schemas::period::Frequency;
use schemas::structure::{Role, ValueType};
use schemas::text::Name;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::areas::AreaScheme;
use crate::error::ImportError;
use crate::sdmx::roles;

/// How to read a CSV.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// What stands between cells; one ASCII character.
    pub delimiter: char,
    /// Lines before the header.
    pub skip: usize,
    /// The sheet of a workbook that has several.
    pub sheet: Option<String>,
    /// Cells that mean that there is no figure. An identifier is never missing: `NA` is Namibia.
    pub missing: Vec<String>,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: bool,
    /// The frequency that dates stand for, as in first days of months.
    #[serde(deserialize_with = "frequency")]
    pub frequency: Option<Frequency>,
    /// Name of the result; the file name when absent.
    pub dataflow: Option<Name>,
    /// Title of the result; the name when absent.
    pub title: Option<String>,
    /// The columns of the result. When empty, the header has the ids of the components: up to
    /// TIME_PERIOD (or OBS_VALUE) identifiers, after it attributes of SDMX and otherwise figures.
    pub columns: Vec<ColumnMapping>,
}

/// One column of the result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMapping {
    /// The column of the file.
    #[serde(default)]
    pub from: Option<String>,
    /// The one value of the column, instead of `from`.
    #[serde(default)]
    pub constant: Option<String>,
    /// The id of the component.
    pub to: Name,
    /// Its part; when absent, a number is a measure and everything else an identifier.
    #[serde(default)]
    pub role: Option<Role>,
    /// Its type; when absent, TIME_PERIOD is a period, OBS_VALUE a number, and everything else text.
    #[serde(default, rename = "type")]
    pub value_type: Option<ValueType>,
    /// How its dates are written.
    #[serde(default)]
    pub dates: DateFormat,
    /// Whether a zero is no figure, as in files that fill their gaps with it; for numbers that cannot be
    /// zero. Counted under `0`.
    #[serde(default)]
    pub zero_is_missing: bool,
    /// Whose codes of areas they are: `iso`, `worldbank`, `eurostat`, `oecd` or `imf`. They become those
    /// of ISO 3166 alpha-3; what the list does not know stays.
    #[serde(default)]
    pub areas: Option<AreaScheme>,
}

/// How dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateFormat {
    /// As in SDMX: `2010`, `2010-Q1`, `2010-01`, `2010-M01`, `2010-W05`, `2010-01-31`.
    #[default]
    Sdmx,
    /// `1/31/2010`; points and hyphens are read as well.
    MonthDayYear,
    /// `31/1/2010`; points and hyphens are read as well.
    DayMonthYear,
}

impl Default for Mapping {
    fn default() -> Self {
        let missing = ["", ".", "..", ":", "NA", "nan"].map(str::to_owned).to_vec();
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
    /// Reads a mapping file; `file` is its name for faults.
    ///
    /// # Errors
    /// `mapping` with the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ImportError> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64;
            ImportError::new("mapping", error.message().trim()).line(line).within(file)
        })
    }

    /// The mapping of a header that has the ids of the components.
    pub(crate) fn standard(header: &[String]) -> Result<Vec<ColumnMapping>, ImportError> {
        let find = |wanted: &str| header.iter().position(|id| id == wanted);
        // Data without a time have their figure behind the identifiers.
        let time = find("TIME_PERIOD").or_else(|| find("OBS_VALUE")).ok_or_else(|| {
            ImportError::new("column-missing", "expected the column `TIME_PERIOD`")
                .value(header.join(","))
                .hint("say what the columns are with a mapping")
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

    /// The type, said or by the id.
    pub(crate) fn component_type(&self) -> ValueType {
        self.value_type.unwrap_or(match self.to.as_str() {
            "TIME_PERIOD" => ValueType::TimePeriod,
            "OBS_VALUE" => ValueType::Number,
            _ => ValueType::String,
        })
    }

    /// The role, said or by the type.
    pub(crate) fn component_role(&self) -> Role {
        self.role.unwrap_or(match self.component_type() {
            ValueType::Number => Role::Measure,
            _ => Role::Identifier,
        })
    }
}

impl FromStr for ColumnMapping {
    type Err = ImportError;

    /// A flag: `TO=FROM`, `TO:type=FROM`, or `TO="constant"` (the quotes are part of it).
    fn from_str(text: &str) -> Result<Self, ImportError> {
        let fault = |message: &str| {
            ImportError::new("mapping", message.to_owned())
                .value(text)
                .hint("write `REF_AREA=Country Code`, `OBS_VALUE:number=Rate` or `REF_AREA=\"USA\"`")
        };
        let (left, right) = text.split_once('=').ok_or_else(|| fault("expected `TO=FROM`"))?;
        let (to, kind) = match left.split_once(':') {
            None => (left, None),
            Some((to, kind)) => (to, Some(ValueType::from_name(kind).ok_or_else(|| fault("unknown type"))?)),
        };
        let to = Name::new(to).map_err(|error| fault(&error.to_string()))?;
        let constant = right.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
        let from = constant.is_none().then(|| right.to_owned());
        Ok(Self { from, constant, value_type: kind, ..Self::column("", to) })
    }
}

fn frequency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Frequency>, D::Error> {
    let code = String::deserialize(deserializer)?;
    let frequency = Frequency::from_code(&code);
    frequency
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("`{code}` is no frequency (A, S, Q, M, W, D)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_what_it_says() {
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
    fn a_wrong_file_is_refused_with_the_line() {
        for (text, line) in [
            ("skip = 1\ndelimeter = ';'\n", 2),
            ("\n\nfrequency = \"X\"\n", 3),
            ("[[columns]]\nto = \"a b\"\n", 2),
            ("x =", 1),
        ] {
            let fault = Mapping::parse("m.toml", text).unwrap_err();
            assert_eq!(
                (fault.code, fault.line, fault.file.as_str()),
                ("mapping", Some(line), "m.toml"),
                "{fault}"
            );
        }
    }

    #[test]
    fn flags_say_the_same() {
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
