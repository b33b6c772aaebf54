//! Areas: ISO 3166-1 alpha-3 codes, the aggregates of the World Bank, and its own codes for areas that
//! ISO does not list (`XKX` and formerly `KSV` for Kosovo, `CHI` for the Channel Islands).
//!
//! The list is `areas.txt`, one area a line: code, `area` or `aggregate`, English name. Codes of
//! other lists are translated: ISO alpha-2 and numeric (M49) codes by `rust_iso3166`, two-letter codes
//! of the World Bank and deviations of Eurostat and the IMF by `aliases.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemas::text::to_line;

use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::{ImportError, printable};
use crate::values::cell;

/// An entry of the code list of REF_AREA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The code, as in the data.
    pub code: String,
    /// The name, as in the source; from the built-in list where the source has none.
    pub name: String,
    /// Whether it is a group of countries, which must not be summed with its members.
    pub aggregate: bool,
}

/// Names and whether the area is an aggregate, by code.
static KNOWN: LazyLock<BTreeMap<&str, (&str, bool)>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let (code, rest) = line.split_once(' ')?;
        let (kind, name) = rest.split_once(' ')?;
        Some((code, (name, kind == "aggregate")))
    };
    include_str!("areas.txt").lines().filter_map(entry).collect()
});

/// The area of a code in `areas.txt`.
pub(crate) fn area_by_code(code: &str) -> Option<Area> {
    let (name, aggregate) = KNOWN.get(code)?;
    Some(Area { code: code.to_owned(), name: (*name).to_owned(), aggregate: *aggregate })
}

/// The list of a code: the same letters are different areas in different lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AreaScheme {
    /// ISO 3166-1, any of its three codes.
    Iso,
    /// World Bank: ISO and two-letter codes of its aggregates.
    WorldBank,
    /// Eurostat: ISO alpha-2 but `EL` and `UK`; `EU…` and `EA…` are aggregates.
    Eurostat,
    /// OECD: ISO alpha-3 and codes of groups.
    Oecd,
    /// International Monetary Fund: ISO alpha-2, `U2` and codes of groups.
    Imf,
}

impl AreaScheme {
    /// Every list.
    pub const ALL: [Self; 5] = [Self::Iso, Self::WorldBank, Self::Eurostat, Self::Oecd, Self::Imf];

    /// The list with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.code() == code)
    }

    /// The code of the list, as in a mapping and in `aliases.txt`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::WorldBank => "worldbank",
            Self::Eurostat => "eurostat",
            Self::Oecd => "oecd",
            Self::Imf => "imf",
        }
    }
}

/// Codes of a single list: list and code to the code here.
static ALIASES: LazyLock<BTreeMap<(&str, &str), &str>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let mut words = line.split(' ');
        Some(((words.next()?, words.next()?), words.next()?))
    };
    include_str!("aliases.txt").lines().filter_map(entry).collect()
});

/// Translates a code of a list; `None` if it is unknown.
pub(crate) fn translate_code(scheme: AreaScheme, code: &str) -> Option<Area> {
    // Aliases first: `UK` would otherwise be unknown and `EU` be taken for a composition.
    if let Some(alias) = ALIASES.get(&(scheme.code(), code)) {
        return area_by_code(alias);
    }
    if matches!(scheme, AreaScheme::Eurostat | AreaScheme::Oecd) && is_group_code(code) {
        return Some(Area { code: code.to_owned(), name: code.to_owned(), aggregate: true });
    }
    let digits = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let country = match code.len() {
        // Spreadsheets drop leading zeros: `8` is Albania, `008`.
        1..=3 if digits => rust_iso3166::from_numeric(code.parse().ok()?),
        2 => rust_iso3166::from_alpha2(code),
        _ => None,
    };
    area_by_code(country.map_or(code, |country| country.alpha3))
}

/// Names that Eurostat spells differently.
const LABELS: [(&str, &str); 4] =
    [("Slovakia", "SVK"), ("Türkiye", "TUR"), ("Kosovo*", "XKX"), ("United Kingdom", "GBR")];

/// The code of an area name such as `Belgium` or `Euro area – 20 countries (from 2023)`.
pub(crate) fn code_by_label(label: &str) -> Option<String> {
    // As in `Germany (until 1990 former territory of the FRG)`.
    let plain = label.split(" (").next().unwrap_or(label);
    let words = [("European Union - ", "EU"), ("Euro area – ", "EA"), ("Euro area - ", "EA")];
    if let Some((rest, start)) =
        words.iter().find_map(|(word, start)| Some((label.strip_prefix(word)?, start)))
    {
        // `Euro area - many countries` has no code.
        let count = rest.split(' ').next().filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()))?;
        // The union has had 27 members twice: 2007 to 2013, and since 2020.
        let again = if *start == "EU" && rest.contains("(from 2020)") { "_2020" } else { "" };
        return Some(format!("{start}{count}{again}"));
    }
    // Whole names first: `Kosovo*` and `Türkiye` are in no list under this spelling.
    let own = LABELS.iter().find(|(name, _)| *name == label).map(|(_, code)| *code);
    let listed = || KNOWN.iter().find(|(_, (name, _))| *name == plain).map(|(code, _)| *code);
    let country =
        || rust_iso3166::ALL.iter().find(|country| country.name == plain).map(|country| country.alpha3);
    own.or_else(listed).or_else(country).map(str::to_owned)
}

/// Groups for which the OECD publishes figures.
const GROUPS: [&str; 7] = ["OECD", "OECDE", "OECDSO", "G-7", "G-20", "G7", "G20"];

/// Whether a code is that of a group: a composition of the European Union or the euro area, such as
/// `EU27_2020`, or a group of the OECD.
fn is_group_code(code: &str) -> bool {
    if GROUPS.contains(&code) {
        return true;
    }
    let rest = ["EU", "EA", "EEA", "EFTA"].iter().find_map(|start| code.strip_prefix(start));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'))
}

/// Translates the area codes of a file; an unknown code is kept.
pub(crate) struct AreaTranslator {
    scheme: AreaScheme,
    translated: BTreeMap<String, Area>,
    unknown: BTreeSet<String>,
}

impl AreaTranslator {
    pub(crate) fn new(scheme: AreaScheme) -> Self {
        Self { scheme, translated: BTreeMap::new(), unknown: BTreeSet::new() }
    }

    /// Translates a code; `name` is the name in the file, or empty.
    pub(crate) fn translate(&mut self, code: &str, name: &str) -> &str {
        let scheme = self.scheme;
        let unknown = &mut self.unknown;
        let area = self.translated.entry(code.to_owned()).or_insert_with(|| {
            let mut area = translate_code(scheme, code).unwrap_or_else(|| {
                unknown.insert(code.to_owned());
                Area { code: code.to_owned(), name: code.to_owned(), aggregate: false }
            });
            let name = to_line(name);
            if !name.is_empty() {
                area.name = name;
            }
            area
        });
        &area.code
    }

    /// A note on the codes without a translation.
    pub(crate) fn untranslated_note(&self) -> Option<String> {
        let unknown: Vec<&String> = self.unknown.iter().collect();
        untranslated_note(&unknown)
    }

    /// All areas of the file, sorted by their code in the file.
    pub(crate) fn into_areas(self) -> Vec<Area> {
        self.translated.into_values().collect()
    }
}

/// A note on codes that could not be translated.
pub(crate) fn untranslated_note(codes: &[&String]) -> Option<String> {
    let (first, count) = (printable(codes.first()?), codes.len());
    Some(format!("area codes that are not in ISO 3166 are kept unchanged: {count}, such as `{first}`"))
}

/// The error for an unknown code.
pub(crate) fn unknown_area(code: &str) -> ImportError {
    let error =
        ImportError::new("area", "expected an ISO 3166-1 alpha-3 code or an aggregate of the World Bank");
    let upper = code.to_ascii_uppercase();
    let hint = match code.len() {
        _ if code != upper && KNOWN.contains_key(upper.as_str()) => format!("did you mean `{upper}`?"),
        2 => "codes have three letters, as in `USA`; for two-letter codes import it as `csv`".to_owned(),
        _ => "correct the code, or pass the `Metadata_Country` file that came with the data".to_owned(),
    };
    error.value(code).hint(hint)
}

/// The areas of a World Bank file. A code must be listed, here or in the country metadata.
#[derive(Debug, Default)]
pub(crate) struct AreaRegister {
    /// Whether a code is an aggregate according to the country metadata.
    metadata: BTreeMap<String, bool>,
    areas: BTreeMap<String, Area>,
}

impl AreaRegister {
    /// An empty register. A `Metadata_Country` file has precedence over the built-in list.
    pub(crate) fn new(metadata: Option<&[u8]>) -> Result<Self, ImportError> {
        let metadata = metadata.map_or(Ok(BTreeMap::new()), |bytes| {
            read_country_metadata(bytes).map_err(|error| error.in_file("Metadata_Country"))
        })?;
        Ok(Self { metadata, areas: BTreeMap::new() })
    }

    /// Adds an area, unless it was added before. Uses the name of the list if `name` is empty.
    ///
    /// # Errors
    /// `area` for an unknown code, `text` for an invalid name.
    pub(crate) fn enter(&mut self, code: &str, name: &str) -> Result<(), ImportError> {
        if self.areas.contains_key(code) {
            return Ok(());
        }
        let listed = area_by_code(code);
        let aggregate = match (self.metadata.get(code), &listed) {
            (Some(aggregate), _) => *aggregate,
            (None, Some(area)) => area.aggregate,
            (None, None) => return Err(unknown_area(code).column("Country Code")),
        };
        let name = match listed {
            Some(area) if name.is_empty() => area.name,
            _ => to_line(name),
        };
        self.areas.insert(code.to_owned(), Area { code: code.to_owned(), name, aggregate });
        Ok(())
    }

    /// All areas, sorted by code.
    pub(crate) fn into_areas(self) -> Vec<Area> {
        self.areas.into_values().collect()
    }
}

/// Reads whether each code is an aggregate: the World Bank leaves the region of an aggregate empty.
fn read_country_metadata(bytes: &[u8]) -> Result<BTreeMap<String, bool>, ImportError> {
    let mut reader = CsvReader::new(records::decode_text(bytes)?, b',');
    let mut record = CsvRecord::default();
    reader.read_record(&mut record)?;
    let (Some(code), Some(region)) = (record.find_column("Country Code"), record.find_column("Region"))
    else {
        return Err(ImportError::new("column-missing", "expected the columns `Country Code` and `Region`")
            .line(record.line)
            .value(record.joined_cells())
            .hint("pass the file `Metadata_Country_*.csv` of the same download"));
    };
    let mut regions = BTreeMap::new();
    while reader.read_record(&mut record)? {
        regions.insert(cell::check_text(record.cell(code))?.to_owned(), record.cell(region).is_empty());
    }
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_sorted() {
        assert_eq!(KNOWN.len(), include_str!("areas.txt").lines().count());
        assert!(include_str!("areas.txt").lines().is_sorted());
        assert_eq!(KNOWN.values().filter(|(_, aggregate)| !aggregate).count(), 249 + 3);
        assert!(KNOWN.keys().all(|code| code.len() == 3));
    }

    #[test]
    fn aggregates_are_marked() {
        assert!(area_by_code("WLD").unwrap().aggregate && area_by_code("AFE").unwrap().aggregate);
        assert!(!area_by_code("NAM").unwrap().aggregate && !area_by_code("XKX").unwrap().aggregate);
        assert!(unknown_area("usa").hint.unwrap().contains("`USA`"));
        assert!(unknown_area("US").hint.unwrap().contains("three letters"));
    }

    #[test]
    fn codes_of_other_lists_are_translated() {
        let code = |scheme, code| translate_code(scheme, code).map(|area| area.code);
        for (scheme, other, expected) in [
            (AreaScheme::Iso, "NA", Some("NAM")),
            (AreaScheme::Iso, "516", Some("NAM")),
            (AreaScheme::Iso, "8", Some("ALB")),
            (AreaScheme::Iso, "NAM", Some("NAM")),
            (AreaScheme::Iso, "EL", None),
            (AreaScheme::WorldBank, "1W", Some("WLD")),
            (AreaScheme::WorldBank, "ZH", Some("AFE")),
            (AreaScheme::WorldBank, "JG", Some("CHI")),
            (AreaScheme::WorldBank, "XK", Some("XKX")),
            (AreaScheme::WorldBank, "EU", Some("EUU")),
            (AreaScheme::Eurostat, "EL", Some("GRC")),
            (AreaScheme::Eurostat, "UK", Some("GBR")),
            (AreaScheme::Eurostat, "EU27_2020", Some("EU27_2020")),
            (AreaScheme::Eurostat, "EU", Some("EU")),
            (AreaScheme::Eurostat, "AT11", None),
            (AreaScheme::Imf, "U2", Some("EMU")),
            (AreaScheme::Imf, "", None),
        ] {
            assert_eq!(code(scheme, other).as_deref(), expected, "{other}");
        }
        assert!(translate_code(AreaScheme::Eurostat, "EA19").unwrap().aggregate);
        for country in rust_iso3166::ALL {
            assert_eq!(code(AreaScheme::Iso, country.alpha2).as_deref(), Some(country.alpha3));
        }
        assert!(ALIASES.values().all(|code| KNOWN.contains_key(code)));
        assert!(include_str!("aliases.txt").lines().is_sorted());
    }

    #[test]
    fn names_have_codes() {
        for (label, code) in [
            ("Belgium", Some("BEL")),
            ("Slovakia", Some("SVK")),
            ("Germany (until 1990 former territory of the FRG)", Some("DEU")),
            ("European Union - 27 countries (from 2020)", Some("EU27_2020")),
            ("European Union - 27 countries (2007-2013)", Some("EU27")),
            ("Euro area – 20 countries (from 2023)", Some("EA20")),
            ("Euro area - many countries", None),
            ("Atlantis", None),
        ] {
            assert_eq!(code_by_label(label).as_deref(), code, "{label}");
        }
    }

    #[test]
    fn unknown_codes_are_kept_and_counted() {
        let mut translator = AreaTranslator::new(AreaScheme::Eurostat);
        assert_eq!(
            (translator.translate("AT11", "Burgenland").to_owned(), translator.untranslated_note().is_some()),
            ("AT11".into(), true)
        );
        assert_eq!(translator.translate("EL", ""), "GRC");
        assert!(translator.untranslated_note().unwrap().contains(": 1, such as `AT11`"));
        let names: Vec<String> = translator.into_areas().into_iter().map(|area| area.name).collect();
        assert_eq!(names, ["Burgenland", "Greece"]);
    }

    #[test]
    fn metadata_has_precedence_over_the_list() {
        let text = b"\"Country Code\",\"Region\",\"SpecialNotes\",\n\"QQQ\",\"\",\"a\n\nb\",\n\"ABW\",\"America\",\"\",\n";
        let mut register = AreaRegister::new(Some(text)).unwrap();
        register.enter("QQQ", "New group").unwrap();
        register.enter("ABW", "Aruba").unwrap();
        assert_eq!(register.enter("ZZZ", "x").unwrap_err().code, "area");
        let areas = register.into_areas();
        assert_eq!((areas[0].code.as_str(), areas[0].aggregate), ("ABW", false));
        assert!(areas[1].aggregate);
        assert_eq!(AreaRegister::new(Some(b"a,b\n")).unwrap_err().code, "column-missing");
    }
}
