//! The foreign formats: their words on a command line, and what they are.

use std::fmt;

/// A foreign format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// World Bank bulk CSV, bare or in its ZIP, wide or long.
    WorldBank,
    /// Answers of the API of the World Bank, version 1 or 2.
    WorldBankJson,
    /// Series of FRED (Federal Reserve Bank of St. Louis) as CSV, vintages of ALFRED among them.
    Fred,
    /// The monthly panel FRED-MD.
    FredMd,
    /// Answers of the API of FRED or ALFRED.
    FredJson,
    /// A flat file of the Bureau of Labor Statistics, as in `cu.data.1.AllItems`.
    Bls,
    /// Answers of the API of the Bureau of Labor Statistics.
    BlsJson,
    /// A series of the data viewer of the Bureau of Labor Statistics.
    BlsCsv,
    /// Annual averages of the household survey, `aat1.txt`.
    BlsTable,
    /// A table of Eurostat as TSV, old or new.
    Eurostat,
    /// A time series of the UK Office for National Statistics.
    Ons,
    /// A series of the data download of the Federal Reserve Board, as in H.15.
    FedDdp,
    /// A download of the former data portal of the OECD.
    OecdDp,
    /// Levels and changes of GDP of the Bureau of Economic Analysis.
    Bea,
    /// The monthly stock market data of R. Shiller.
    Shiller,
    /// A sheet of an Excel workbook, read as a CSV.
    Xlsx,
    /// A data message of SDMX-ML 2.0, 2.1 or 3.0.
    SdmxMl,
    /// A data message of SDMX-JSON 1.0 or 2.0.
    SdmxJson,
    /// SDMX-CSV 1.0 or 2.0.
    SdmxCsv,
    /// A data set of JSON-stat 1 or 2.
    JsonStat,
    /// Any CSV, described by a [`Mapping`](crate::Mapping) or headed by SDMX concept ids.
    Csv,
}

/// Format, word, title with article, version of the importer.
type Entry = (Format, &'static str, &'static str, u32);

/// A change of what an importer gives for the same bytes changes its version.
const ENTRIES: &[Entry] = &[
    (Format::WorldBank, "worldbank", "a World Bank file", 1),
    (Format::WorldBankJson, "worldbank-json", "an answer of the World Bank API", 1),
    (Format::Fred, "fred", "a FRED file", 1),
    (Format::FredMd, "fred-md", "the panel FRED-MD", 1),
    (Format::FredJson, "fred-json", "an answer of the FRED API", 1),
    (Format::Bls, "bls", "a flat file of BLS", 1),
    (Format::BlsJson, "bls-json", "an answer of the BLS API", 1),
    (Format::BlsCsv, "bls-csv", "a series of the BLS data viewer", 1),
    (Format::BlsTable, "bls-aat1", "the table aat1 of BLS", 1),
    (Format::Eurostat, "eurostat", "a Eurostat TSV", 1),
    (Format::Ons, "ons", "a time series of ONS", 1),
    (Format::FedDdp, "fed-ddp", "a series of the Federal Reserve Board", 1),
    (Format::OecdDp, "oecd-dp", "a download of the OECD data portal", 1),
    (Format::Bea, "bea", "GDP levels of BEA", 1),
    (Format::Shiller, "shiller", "the stock market data of Shiller", 1),
    (Format::Xlsx, "xlsx", "an Excel workbook", 1),
    (Format::SdmxMl, "sdmx-ml", "a message of SDMX-ML", 1),
    (Format::SdmxJson, "sdmx-json", "a message of SDMX-JSON", 1),
    (Format::SdmxCsv, "sdmx-csv", "a file of SDMX-CSV", 1),
    (Format::JsonStat, "json-stat", "a data set of JSON-stat", 1),
    (Format::Csv, "csv", "a table as CSV", 2),
];

impl Format {
    /// Every format.
    pub fn all() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(|(format, ..)| *format)
    }

    /// The word for it on a command line.
    pub fn code(self) -> &'static str {
        self.entry().map_or("", |(_, code, ..)| code)
    }

    /// The format of a word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|format| format.code() == code)
    }

    /// What a file of it is, as in `a World Bank file`.
    pub fn title(self) -> &'static str {
        self.entry().map_or("", |(_, _, title, _)| title)
    }

    /// Name and version of the importer.
    pub(crate) fn importer(self) -> String {
        format!("{}/{}", self.code(), self.entry().map_or(0, |(.., version)| *version))
    }

    fn entry(self) -> Option<&'static Entry> {
        ENTRIES.iter().find(|(format, ..)| *format == self)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_a_word_of_its_own() {
        for format in Format::all() {
            assert_eq!(Format::from_code(format.code()), Some(format));
            assert!(format.title().starts_with('a') || format.title().contains(' '), "{format}");
        }
        assert_eq!(Format::Shiller.importer(), "shiller/1");
        assert_eq!(Format::from_code("wordbank"), None);
    }
}
