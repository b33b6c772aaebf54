//! Areas: ISO 3166-1 alpha-3, the aggregates of the World Bank and its own codes for areas that
//! ISO does not list (`XKX` and formerly `KSV` for Kosovo, `CHI` for the Channel Islands).
//!
//! The list is `areas.txt`, one area a line: code, `area` or `aggregate`, English name. Codes of
//! other lists lead to it: ISO alpha-2 and numeric (M49) codes by `rust_iso3166`, the two-letter
//! codes of the World Bank and what Eurostat and the IMF write otherwise by `aliases.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::error::{ImportError, shown};
use crate::records::{self, Reader, Record};
use crate::value;

/// An entry of the code list of REF_AREA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The code, as in the data.
    pub code: String,
    /// The name, as in the source; from the built-in list where the source has none.
    pub name: String,
    /// Whether it is a group of countries, not a country: not to be summed with its members.
    pub aggregate: bool,
}

/// Name and whether it is an aggregate, by code.
static KNOWN: LazyLock<BTreeMap<&str, (&str, bool)>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let (code, rest) = line.split_once(' ')?;
        let (kind, name) = rest.split_once(' ')?;
        Some((code, (name, kind == "aggregate")))
    };
    include_str!("areas.txt").lines().filter_map(entry).collect()
});

/// The area of a code, if it is one that we know.
pub(crate) fn known(code: &str) -> Option<Area> {
    let (name, aggregate) = KNOWN.get(code)?;
    Some(Area { code: code.to_owned(), name: (*name).to_owned(), aggregate: *aggregate })
}

/// Who wrote a code: the same letters are other areas in other lists.
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
    /// The word in `aliases.txt`.
    fn word(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::WorldBank => "worldbank",
            Self::Eurostat => "eurostat",
            Self::Oecd => "oecd",
            Self::Imf => "imf",
        }
    }
}

/// Codes of one list only: the list, its code, ours.
static ALIASES: LazyLock<BTreeMap<(&str, &str), &str>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let mut words = line.split(' ');
        Some(((words.next()?, words.next()?), words.next()?))
    };
    include_str!("aliases.txt").lines().filter_map(entry).collect()
});

/// The area of a code of a list, if it is one that we know.
pub(crate) fn coded(scheme: AreaScheme, code: &str) -> Option<Area> {
    if let Some(alias) = ALIASES.get(&(scheme.word(), code)) {
        return known(alias);
    }
    if matches!(scheme, AreaScheme::Eurostat | AreaScheme::Oecd) && union(code) {
        return Some(Area { code: code.to_owned(), name: code.to_owned(), aggregate: true });
    }
    let digits = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let country = match code.len() {
        1..=3 if digits => rust_iso3166::from_numeric(code.parse().ok()?),
        2 => rust_iso3166::from_alpha2(code),
        _ => None,
    };
    known(country.map_or(code, |country| country.alpha3))
}

/// Names that Eurostat writes otherwise than the lists.
const LABELS: [(&str, &str); 4] =
    [("Slovakia", "SVK"), ("Türkiye", "TUR"), ("Kosovo*", "XKX"), ("United Kingdom", "GBR")];

/// The code of an area that is written by its name, as in `Belgium` or `Euro area – 20 countries
/// (from 2023)`.
pub(crate) fn labelled(label: &str) -> Option<String> {
    let plain = label.split(" (").next().unwrap_or(label);
    let words = [("European Union - ", "EU"), ("Euro area – ", "EA"), ("Euro area - ", "EA")];
    if let Some((rest, start)) =
        words.iter().find_map(|(word, start)| Some((label.strip_prefix(word)?, start)))
    {
        let count = rest.split(' ').next().filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()))?;
        // The union had 27 members twice.
        let again = if *start == "EU" && rest.contains("(from 2020)") { "_2020" } else { "" };
        return Some(format!("{start}{count}{again}"));
    }
    let own = LABELS.iter().find(|(name, _)| *name == label).map(|(_, code)| *code);
    let listed = || KNOWN.iter().find(|(_, (name, _))| *name == plain).map(|(code, _)| *code);
    let country =
        || rust_iso3166::ALL.iter().find(|country| country.name == plain).map(|country| country.alpha3);
    own.or_else(listed).or_else(country).map(str::to_owned)
}

/// Groups that the OECD has figures for.
const GROUPS: [&str; 7] = ["OECD", "OECDE", "OECDSO", "G-7", "G-20", "G7", "G20"];

/// Whether a code is that of a group: the union or the euro area of some composition, as in
/// `EU27_2020`, or one of the OECD.
fn union(code: &str) -> bool {
    if GROUPS.contains(&code) {
        return true;
    }
    let rest = ["EU", "EA", "EEA", "EFTA"].iter().find_map(|start| code.strip_prefix(start));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'))
}

/// The areas of a file that are met under codes of a list; what is not known keeps its code.
pub(crate) struct Roll {
    scheme: AreaScheme,
    met: BTreeMap<String, Area>,
    unknown: BTreeSet<String>,
}

impl Roll {
    pub(crate) fn new(scheme: AreaScheme) -> Self {
        Self { scheme, met: BTreeMap::new(), unknown: BTreeSet::new() }
    }

    /// Our code for one of the file; `name` is what the file calls it, if anything.
    pub(crate) fn code(&mut self, code: &str, name: &str) -> &str {
        let scheme = self.scheme;
        let unknown = &mut self.unknown;
        let area = self.met.entry(code.to_owned()).or_insert_with(|| {
            let mut area = coded(scheme, code).unwrap_or_else(|| {
                unknown.insert(code.to_owned());
                Area { code: code.to_owned(), name: code.to_owned(), aggregate: false }
            });
            if !name.is_empty() && value::label(name).is_ok() {
                name.clone_into(&mut area.name);
            }
            area
        });
        &area.code
    }

    /// What a person should know of them.
    pub(crate) fn note(&self) -> Option<String> {
        let unknown: Vec<&String> = self.unknown.iter().collect();
        kept(&unknown)
    }

    /// All of them.
    pub(crate) fn areas(self) -> Vec<Area> {
        self.met.into_values().collect()
    }
}

/// What a person should know of codes that no list has.
pub(crate) fn kept(codes: &[&String]) -> Option<String> {
    let (first, count) = (shown(codes.first()?), codes.len());
    Some(format!("{count} codes of areas are not of ISO 3166 and kept as they are, as in `{first}`"))
}

/// The fault for a code that nobody knows.
pub(crate) fn unknown(code: &str) -> ImportError {
    let fault =
        ImportError::new("area", "expected an ISO 3166-1 alpha-3 code or an aggregate of the World Bank");
    let upper = code.to_ascii_uppercase();
    let hint = match code.len() {
        _ if code != upper && KNOWN.contains_key(upper.as_str()) => format!("did you mean `{upper}`?"),
        2 => "codes have three letters, as in `USA`; for two-letter codes import it as `csv`".to_owned(),
        _ => "correct the code, or pass the `Metadata_Country` file that came with the data".to_owned(),
    };
    fault.value(code).hint(hint)
}

/// The areas of one file, in the order they were met.
#[derive(Debug, Default)]
pub(crate) struct Register {
    /// Whether a code is an aggregate, as the metadata of the source says.
    metadata: BTreeMap<String, bool>,
    places: BTreeMap<String, u32>,
    areas: Vec<Area>,
}

impl Register {
    /// A register that believes a `Metadata_Country` file before the built-in list.
    pub(crate) fn new(metadata: Option<&[u8]>) -> Result<Self, ImportError> {
        let metadata = metadata.map_or(Ok(BTreeMap::new()), |bytes| {
            regions(bytes).map_err(|fault| fault.within("Metadata_Country"))
        })?;
        Ok(Self { metadata, ..Self::default() })
    }

    /// The number of an area of the file.
    pub(crate) fn enter(&mut self, code: &str, name: &str) -> Result<u32, ImportError> {
        if let Some(place) = self.places.get(code) {
            return Ok(*place);
        }
        let listed = known(code);
        let aggregate = match (self.metadata.get(code), &listed) {
            (Some(aggregate), _) => *aggregate,
            (None, Some(area)) => area.aggregate,
            (None, None) => return Err(unknown(code).column("Country Code")),
        };
        let name = match listed {
            Some(area) if name.is_empty() => area.name,
            _ => value::label(name).map_err(|fault| fault.column("Country Name"))?.to_owned(),
        };
        let place = self.areas.len() as u32;
        self.areas.push(Area { code: code.to_owned(), name, aggregate });
        self.places.insert(code.to_owned(), place);
        Ok(place)
    }

    /// The code of a number.
    pub(crate) fn code(&self, place: u32) -> Option<&str> {
        self.areas.get(place as usize).map(|area| area.code.as_str())
    }

    /// All of them, sorted by code.
    pub(crate) fn sorted(self) -> Vec<Area> {
        let mut areas = self.areas;
        areas.sort_by(|a, b| a.code.cmp(&b.code));
        areas
    }
}

/// Code → whether its region is empty, which is how the World Bank marks an aggregate.
fn regions(bytes: &[u8]) -> Result<BTreeMap<String, bool>, ImportError> {
    let mut reader = Reader::new(records::text(bytes)?, b',');
    let mut record = Record::default();
    reader.read(&mut record)?;
    let (Some(code), Some(region)) = (record.position("Country Code"), record.position("Region")) else {
        return Err(ImportError::new("column-missing", "expected the columns `Country Code` and `Region`")
            .line(record.line)
            .value(record.joined())
            .hint("pass the file `Metadata_Country_*.csv` of the same download"));
    };
    let mut regions = BTreeMap::new();
    while reader.read(&mut record)? {
        regions.insert(value::label(record.cell(code))?.to_owned(), record.cell(region).is_empty());
    }
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_sorted() {
        assert_eq!(KNOWN.len(), include_str!("areas.txt").lines().count());
        assert!(include_str!("areas.txt").lines().is_sorted());
        assert_eq!(KNOWN.values().filter(|(_, aggregate)| !aggregate).count(), 249 + 3);
        assert!(KNOWN.keys().all(|code| code.len() == 3));
    }

    #[test]
    fn codes_are_told_apart() {
        assert!(known("WLD").unwrap().aggregate && known("AFE").unwrap().aggregate);
        assert!(!known("NAM").unwrap().aggregate && !known("XKX").unwrap().aggregate);
        assert!(unknown("usa").hint.unwrap().contains("`USA`"));
        assert!(unknown("US").hint.unwrap().contains("three letters"));
    }

    #[test]
    fn other_codes_lead_to_the_one() {
        let code = |scheme, code| coded(scheme, code).map(|area| area.code);
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
        assert!(coded(AreaScheme::Eurostat, "EA19").unwrap().aggregate);
        for country in rust_iso3166::ALL {
            assert_eq!(code(AreaScheme::Iso, country.alpha2).as_deref(), Some(country.alpha3));
        }
        assert!(ALIASES.values().all(|code| KNOWN.contains_key(code)));
        assert!(include_str!("aliases.txt").lines().is_sorted());
    }

    #[test]
    fn names_lead_to_codes() {
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
            assert_eq!(labelled(label).as_deref(), code, "{label}");
        }
    }

    #[test]
    fn unknown_codes_are_kept_and_counted() {
        let mut roll = Roll::new(AreaScheme::Eurostat);
        assert_eq!(
            (roll.code("AT11", "Burgenland").to_owned(), roll.note().is_some()),
            ("AT11".into(), true)
        );
        assert_eq!(roll.code("EL", ""), "GRC");
        assert!(roll.note().unwrap().starts_with("1 codes"));
        let names: Vec<String> = roll.areas().into_iter().map(|area| area.name).collect();
        assert_eq!(names, ["Burgenland", "Greece"]);
    }

    #[test]
    fn metadata_overrules_the_list() {
        let text = b"\"Country Code\",\"Region\",\"SpecialNotes\",\n\"QQQ\",\"\",\"a\n\nb\",\n\"ABW\",\"America\",\"\",\n";
        let mut register = Register::new(Some(text)).unwrap();
        register.enter("QQQ", "New group").unwrap();
        register.enter("ABW", "Aruba").unwrap();
        assert_eq!(register.enter("ZZZ", "x").unwrap_err().code, "area");
        let areas = register.sorted();
        assert_eq!((areas[0].code.as_str(), areas[0].aggregate), ("ABW", false));
        assert!(areas[1].aggregate);
        assert_eq!(Register::new(Some(b"a,b\n")).unwrap_err().code, "column-missing");
    }
}
