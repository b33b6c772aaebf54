//! Options of an import in the canonical form in which a data set names them, and back.
//!
//! Reading a document again with the options of its data set gives the same table. Options that do not
//! change the table (names, titles, threads) are not part of that form.

use std::collections::BTreeMap;

use schemas::object::{Code, DayOrder, MISSING_SPELLINGS, MappedColumn, Reader, ReaderOptions, TableMapping};
use schemas::text::{self, Name, Text};

use crate::import::{CompanionFile, ImportOptions, ImportedTable};
use crate::{AreaScheme, ColumnMapping, DateFormat, Format, Mapping};

impl Format {
    /// The reader of this format in this program.
    ///
    /// # Errors
    /// None for the formats of this program: every code is a name.
    pub fn reader(self) -> Result<Reader, text::Error> {
        Ok(Reader { format: Name::new(self.code())?, version: self.version() })
    }
}

impl ImportOptions {
    /// The statements of the publisher in canonical form.
    ///
    /// # Errors
    /// When a text is out of the bounds of the object.
    pub fn reader_options(&self) -> Result<ReaderOptions, text::Error> {
        let mapping = self.mapping.as_ref().map(canonical_mapping).transpose()?;
        Ok(ReaderOptions {
            area: self.area.as_deref().map(Text::new).transpose()?,
            frequency: self.frequency.or(self.mapping.as_ref().and_then(|mapping| mapping.frequency)),
            mapping: mapping.filter(|mapping| *mapping != TableMapping::default()),
        })
    }

    /// The options for reading documents of a data set again; `None` when they name a list of areas
    /// that this program does not have.
    pub fn from_reader_options(
        format: Format,
        options: &ReaderOptions,
        companions: Vec<CompanionFile>,
    ) -> Option<Self> {
        Some(Self {
            format: Some(format),
            frequency: options.frequency,
            area: options.area.as_ref().map(Text::to_string),
            mapping: match &options.mapping {
                Some(mapping) => Some(mapping_of(mapping)?),
                None => None,
            },
            companions,
            threads: None,
        })
    }
}

fn canonical_mapping(mapping: &Mapping) -> Result<TableMapping, text::Error> {
    let spellings =
        mapping.missing.iter().map(|word| Text::new(word.as_str())).collect::<Result<Vec<_>, _>>()?;
    Ok(TableMapping {
        delimiter: (mapping.delimiter != ',').then(|| Text::new(mapping.delimiter)).transpose()?,
        // More lines than a document has bytes are refused by the reader.
        skip: u32::try_from(mapping.skip).unwrap_or(u32::MAX),
        sheet: mapping.sheet.as_deref().map(Text::new).transpose()?,
        missing: (mapping.missing != MISSING_SPELLINGS).then_some(spellings),
        decimal_comma: mapping.decimal_comma,
        columns: mapping.columns.iter().map(canonical_column).collect::<Result<_, _>>()?,
    })
}

fn canonical_column(column: &ColumnMapping) -> Result<MappedColumn, text::Error> {
    Ok(MappedColumn {
        from: column.from.as_deref().map(Text::new).transpose()?,
        constant: column.constant.as_deref().map(Text::new).transpose()?,
        to: column.to.clone(),
        role: column.role,
        value_type: column.value_type,
        dates: match column.dates {
            DateFormat::Sdmx => None,
            DateFormat::MonthDayYear => Some(DayOrder::MonthDayYear),
            DateFormat::DayMonthYear => Some(DayOrder::DayMonthYear),
        },
        zero_is_missing: column.zero_is_missing,
        areas: column.areas.map(|scheme| Text::new(scheme.code())).transpose()?,
    })
}

fn mapping_of(mapping: &TableMapping) -> Option<Mapping> {
    let default = Mapping::default();
    let texts = |words: &Vec<Text<64>>| words.iter().map(Text::to_string).collect();
    Some(Mapping {
        delimiter: mapping.delimiter.as_ref().and_then(|text| text.as_str().chars().next()).unwrap_or(','),
        skip: mapping.skip as usize,
        sheet: mapping.sheet.as_ref().map(Text::to_string),
        missing: mapping.missing.as_ref().map_or(default.missing, texts),
        decimal_comma: mapping.decimal_comma,
        columns: mapping.columns.iter().map(column_of).collect::<Option<_>>()?,
        ..Mapping::default()
    })
}

fn column_of(column: &MappedColumn) -> Option<ColumnMapping> {
    Some(ColumnMapping {
        from: column.from.as_ref().map(Text::to_string),
        constant: column.constant.as_ref().map(Text::to_string),
        role: column.role,
        value_type: column.value_type,
        dates: match column.dates {
            None => DateFormat::Sdmx,
            Some(DayOrder::MonthDayYear) => DateFormat::MonthDayYear,
            Some(DayOrder::DayMonthYear) => DateFormat::DayMonthYear,
        },
        zero_is_missing: column.zero_is_missing,
        areas: match &column.areas {
            Some(code) => Some(AreaScheme::from_code(code.as_str())?),
            None => None,
        },
        ..ColumnMapping::column("", column.to.clone())
    })
}

impl ImportedTable {
    /// The code lists of the structure: areas, and the other dimensions that the source names.
    ///
    /// # Errors
    /// When a code or a name is out of the bounds of a code list.
    pub fn code_lists(&self) -> Result<BTreeMap<Name, Vec<Code>>, text::Error> {
        let mut lists = BTreeMap::new();
        for (dimension, names) in &self.codes {
            let codes = names.iter().map(|(id, name)| make_code(id, name, false));
            lists.insert(dimension.clone(), codes.collect::<Result<_, _>>()?);
        }
        let areas = self.areas.iter().map(|area| make_code(&area.code, &area.name, area.aggregate));
        let areas = areas.collect::<Result<Vec<Code>, _>>()?;
        if !areas.is_empty() {
            lists.insert(Name::new("REF_AREA")?, areas);
        }
        Ok(lists)
    }
}

fn make_code(id: &str, name: &str, aggregate: bool) -> Result<Code, text::Error> {
    Ok(Code { id: Text::new(id)?, name: Text::new(name)?, aggregate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_lead_back_from_their_canonical_form() {
        let mapping = "delimiter = ';'\nskip = 2\ndecimal_comma = true\nmissing = ['-']\nfrequency = 'M'\n\
            [[columns]]\nfrom = 'Land'\nto = 'REF_AREA'\nareas = 'imf'\n\
            [[columns]]\nfrom = 'Tag'\nto = 'TIME_PERIOD'\ndates = 'day-month-year'\n\
            [[columns]]\nconstant = 'PT'\nto = 'UNIT_MEASURE'\nrole = 'attribute'\n\
            [[columns]]\nfrom = 'x'\nto = 'OBS_VALUE'\ntype = 'number'\nzero_is_missing = true\n";
        let mapping = Mapping::parse("m.toml", mapping).unwrap();
        let options = ImportOptions { mapping: Some(mapping.clone()), ..ImportOptions::default() };
        let canonical = options.reader_options().unwrap();
        let again = ImportOptions::from_reader_options(Format::Csv, &canonical, Vec::new()).unwrap();
        // The frequency of the mapping is an option of its own.
        assert_eq!(again.frequency, mapping.frequency);
        assert_eq!(again.mapping, Some(Mapping { frequency: None, ..mapping }));
        assert_eq!(again.reader_options().unwrap(), canonical);
    }

    #[test]
    fn defaults_are_absent() {
        assert!(ImportOptions::default().reader_options().unwrap().is_empty());
        let options = ImportOptions { mapping: Some(Mapping::default()), ..ImportOptions::default() };
        assert!(options.reader_options().unwrap().is_empty());
    }
}
