//! The registry: every foreign format with its word, title, version, recognisers and reader.
//!
//! A format is declared once, in the list of [`Format`]; [`Format::registration`] is an exhaustive
//! `match`, so a format without all answers does not compile.

use std::fmt;

use crate::csv::records::CsvRecord;
use crate::error::ImportError;
use crate::formats::{json_stat, mapped_csv, sdmx, xlsx};
use crate::import::{ImportedTable, ReadRequest, UnpackedFile};
use crate::sources::{bea, bls, eurostat, fed, fred, oecd, ons, shiller, world_bank};

/// Declares [`Format`] and the list of its variants together, so that neither can lack one.
macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident,)*) => {
        /// A foreign format.
        ///
        /// The variants stand in the order of detection: of two formats whose recognisers of the
        /// same kind accept a file, the earlier one is its format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        /// Every format, in the order of detection.
        const FORMATS: &[Format] = &[$(Format::$variant,)*];
    };
}

formats! {
    /// World Bank bulk CSV, bare or in its ZIP, wide or long.
    WorldBank,
    /// Responses of the World Bank API, version 1 or 2.
    WorldBankJson,
    /// A time series of the UK Office for National Statistics.
    Ons,
    /// A series of the data download programme of the Federal Reserve Board, such as H.15.
    FedDdp,
    /// A download of the former data portal of the OECD.
    OecdDp,
    /// A flat file of the Bureau of Labor Statistics, such as `cu.data.1.AllItems`.
    Bls,
    /// Responses of the API of the Bureau of Labor Statistics.
    BlsJson,
    /// A series of the data viewer of the Bureau of Labor Statistics.
    BlsCsv,
    /// Annual averages of the household survey, `aat1.txt`.
    BlsTable,
    /// Series of FRED (Federal Reserve Bank of St. Louis) as CSV, including vintages of ALFRED.
    Fred,
    /// The monthly panel FRED-MD.
    FredMd,
    /// Responses of the API of FRED or ALFRED.
    FredJson,
    /// A table of Eurostat as TSV, old or new.
    Eurostat,
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
    /// Any CSV, described by a [`Mapping`](crate::Mapping) or with SDMX concept ids as its header.
    Csv,
}

/// Tests the header of a CSV file.
pub(crate) type HeaderTest = fn(&CsvRecord<'_>) -> bool;

/// A test by which a file is recognised, by kind of test. `detect` tries the kinds in this order.
#[derive(Clone, Copy)]
pub(crate) enum Recogniser {
    /// The bytes of a ZIP archive.
    Archive(fn(&[u8]) -> bool),
    /// The first bytes of a JSON document, without leading white space.
    Json(fn(&str) -> bool),
    /// As `Json`, and if no format is recognised by the first bytes, the whole document.
    JsonDocument(fn(&str) -> bool),
    /// The first bytes of an XML document, in lower case.
    Xml(fn(&str) -> bool),
    /// The first bytes of a text.
    Text(fn(&str) -> bool),
    /// The first row, split at tabs.
    TabHeader(HeaderTest),
    /// The first row, split at the delimiter that SDMX-CSV would have.
    SdmxHeader(HeaderTest),
    /// The first row, split at commas.
    Header(HeaderTest),
    /// One of the first rows, split at commas, below a preamble.
    HeaderBelowPreamble(HeaderTest),
}

/// Whether the files of a format come in a ZIP archive.
#[derive(Clone, Copy)]
pub(crate) enum Packaging {
    /// Never: an archive is refused.
    Bare,
    /// Bare or in an archive, from which the function unpacks the data.
    Archive(fn(&[u8]) -> Result<UnpackedFile, ImportError>),
    /// Always: the format itself is a ZIP archive, and its reader opens it.
    Workbook,
}

/// Everything that the crate knows about a format.
pub(crate) struct Registration {
    /// Word on a command line and in provenance.
    pub(crate) word: &'static str,
    /// Title with article, such as `a World Bank file`.
    pub(crate) title: &'static str,
    /// Version of the importer. Increase it with every change of the result for the same bytes:
    /// verification reads documents again with the importer that provenance names.
    pub(crate) version: u32,
    /// The file has the format if one of them accepts it; none: only by name or by mapping.
    pub(crate) recognisers: &'static [Recogniser],
    pub(crate) packaging: Packaging,
    pub(crate) read_file: fn(ReadRequest<'_>) -> Result<ImportedTable, ImportError>,
}

impl Format {
    /// Every format, in the order of detection.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().copied()
    }

    /// The word for the format on a command line.
    pub fn code(self) -> &'static str {
        self.registration().word
    }

    /// The format of a word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|format| format.code() == code)
    }

    /// Title with article, such as `a World Bank file`.
    pub fn title(self) -> &'static str {
        self.registration().title
    }

    /// Version of the reader, from 1; it rises with every change of the result for the same bytes.
    pub fn version(self) -> u32 {
        self.registration().version
    }

    /// Name and version of the importer, such as `worldbank/1`; signed as provenance.
    pub(crate) fn importer(self) -> String {
        format!("{}/{}", self.code(), self.registration().version)
    }

    /// Everything that the crate knows about the format.
    pub(crate) fn registration(self) -> Registration {
        use Recogniser::{
            Archive, Header, HeaderBelowPreamble, Json, JsonDocument, SdmxHeader, TabHeader, Text, Xml,
        };
        match self {
            Self::WorldBank => Registration {
                word: "worldbank",
                title: "a World Bank file",
                version: 1,
                recognisers: &[
                    Archive(world_bank::archive::is_archive),
                    Header(world_bank::bulk_csv::is_header),
                    HeaderBelowPreamble(world_bank::bulk_csv::is_header),
                ],
                packaging: Packaging::Archive(world_bank::archive::unpack_data),
                read_file: world_bank::bulk_csv::read_file,
            },
            Self::WorldBankJson => Registration {
                word: "worldbank-json",
                title: "a response of the World Bank API",
                version: 1,
                recognisers: &[Json(world_bank::api_json::is_response)],
                packaging: Packaging::Bare,
                read_file: world_bank::api_json::read_file,
            },
            Self::Ons => Registration {
                word: "ons",
                title: "a time series of ONS",
                version: 1,
                recognisers: &[Header(ons::is_header)],
                packaging: Packaging::Bare,
                read_file: ons::read_file,
            },
            Self::FedDdp => Registration {
                word: "fed-ddp",
                title: "a series of the Federal Reserve Board",
                version: 1,
                recognisers: &[Header(fed::is_header)],
                packaging: Packaging::Bare,
                read_file: fed::read_file,
            },
            Self::OecdDp => Registration {
                word: "oecd-dp",
                title: "a download of the OECD data portal",
                version: 1,
                recognisers: &[Header(oecd::is_header)],
                packaging: Packaging::Bare,
                read_file: oecd::read_file,
            },
            Self::Bls => Registration {
                word: "bls",
                title: "a flat file of BLS",
                version: 1,
                recognisers: &[TabHeader(bls::flat_file::is_header)],
                packaging: Packaging::Bare,
                read_file: bls::flat_file::read_file,
            },
            Self::BlsJson => Registration {
                word: "bls-json",
                title: "a response of the BLS API",
                version: 1,
                recognisers: &[Json(bls::api_json::is_response)],
                packaging: Packaging::Bare,
                read_file: bls::api_json::read_file,
            },
            Self::BlsCsv => Registration {
                word: "bls-csv",
                title: "a series of the BLS data viewer",
                version: 1,
                recognisers: &[Header(bls::data_viewer::is_header)],
                packaging: Packaging::Bare,
                read_file: bls::data_viewer::read_file,
            },
            Self::BlsTable => Registration {
                word: "bls-aat1",
                title: "the table aat1 of BLS",
                version: 1,
                recognisers: &[Text(bls::aat1::is_table)],
                packaging: Packaging::Bare,
                read_file: bls::aat1::read_file,
            },
            Self::Fred => Registration {
                word: "fred",
                title: "a FRED file",
                version: 1,
                recognisers: &[Header(fred::series_csv::is_header)],
                packaging: Packaging::Bare,
                read_file: fred::series_csv::read_file,
            },
            Self::FredMd => Registration {
                word: "fred-md",
                title: "the panel FRED-MD",
                version: 1,
                recognisers: &[Header(fred::fred_md::is_header)],
                packaging: Packaging::Bare,
                read_file: fred::fred_md::read_file,
            },
            Self::FredJson => Registration {
                word: "fred-json",
                title: "a response of the FRED API",
                version: 1,
                recognisers: &[Json(fred::api_json::is_response)],
                packaging: Packaging::Bare,
                read_file: fred::api_json::read_file,
            },
            Self::Eurostat => Registration {
                word: "eurostat",
                title: "a Eurostat TSV",
                version: 1,
                recognisers: &[TabHeader(eurostat::tsv::is_header)],
                packaging: Packaging::Bare,
                read_file: eurostat::tsv::read_file,
            },
            Self::Bea => Registration {
                word: "bea",
                title: "GDP levels of BEA",
                version: 1,
                recognisers: &[Header(bea::is_header)],
                packaging: Packaging::Bare,
                read_file: bea::read_file,
            },
            Self::Shiller => Registration {
                word: "shiller",
                title: "the stock market data of Shiller",
                version: 1,
                recognisers: &[Header(shiller::is_header)],
                packaging: Packaging::Bare,
                read_file: shiller::read_file,
            },
            Self::Xlsx => Registration {
                word: "xlsx",
                title: "an Excel workbook",
                version: 1,
                recognisers: &[Archive(xlsx::is_workbook)],
                packaging: Packaging::Workbook,
                read_file: xlsx::read_file,
            },
            Self::SdmxMl => Registration {
                word: "sdmx-ml",
                title: "a message of SDMX-ML",
                version: 1,
                recognisers: &[Xml(sdmx::ml::is_message)],
                packaging: Packaging::Bare,
                read_file: sdmx::ml::read_file,
            },
            Self::SdmxJson => Registration {
                word: "sdmx-json",
                title: "a message of SDMX-JSON",
                version: 1,
                recognisers: &[JsonDocument(sdmx::json::is_message)],
                packaging: Packaging::Bare,
                read_file: sdmx::json::read_file,
            },
            Self::SdmxCsv => Registration {
                word: "sdmx-csv",
                title: "a file of SDMX-CSV",
                version: 1,
                recognisers: &[SdmxHeader(sdmx::csv::is_header)],
                packaging: Packaging::Bare,
                read_file: sdmx::csv::read_file,
            },
            Self::JsonStat => Registration {
                word: "json-stat",
                title: "a data set of JSON-stat",
                version: 1,
                recognisers: &[JsonDocument(json_stat::is_data_set)],
                packaging: Packaging::Bare,
                read_file: json_stat::read_file,
            },
            Self::Csv => Registration {
                word: "csv",
                title: "a table as CSV",
                version: 3,
                recognisers: &[Header(mapped_csv::is_header)],
                packaging: Packaging::Bare,
                read_file: mapped_csv::read_file,
            },
        }
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
    fn words_are_unique() {
        for format in Format::all() {
            assert_eq!(Format::from_code(format.code()), Some(format));
            assert!(format.title().starts_with('a') || format.title().contains(' '), "{format}");
        }
        assert_eq!(Format::Shiller.importer(), "shiller/1");
        assert_eq!(Format::from_code("wordbank"), None);
    }
}
