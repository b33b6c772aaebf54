//! The ZIP archive in which the World Bank serves a file: one member of data, two of metadata.
//!
//! Only the data and the country metadata are unpacked.

use std::io::{Cursor, Read};

use schemas::limits::SNAPSHOT_BYTES_MAX;
use zip::ZipArchive;

use crate::error::{ImportError, printable};
use crate::formats::xlsx::is_workbook;
use crate::formats::zip_archive::{member_names, open_archive, unpack_member};
use crate::import::{CompanionFile, UnpackedFile};
use crate::values::cell;

/// Bytes of the country metadata, unpacked; the published one has 60 kB.
const METADATA_BYTES_MAX: u64 = 4 << 20;
/// Prefix of the name of the country metadata.
pub(crate) const METADATA_NAME: &str = "Metadata_Country";
/// Bytes of an unknown archive's single member that are inspected.
const PEEK_BYTES: u64 = 256;

/// Whether the bytes are such an archive. A workbook may have any members.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    !is_workbook(bytes) && data_member_name(bytes).is_ok()
}

/// Unpacks the data and the country metadata.
pub(crate) fn unpack_data(bytes: &[u8]) -> Result<UnpackedFile, ImportError> {
    let mut archive = open_archive(bytes)?;
    let names = member_names(&archive)?;
    let name =
        find_data_member(&names).map_err(|error| time_of_day_error(&mut archive, &names).unwrap_or(error))?;
    let country = names.iter().find(|name| is_top_level(name) && name.starts_with(METADATA_NAME));
    let companion = match country {
        Some(country) => {
            let bytes = unpack_member(&mut archive, country, METADATA_BYTES_MAX)?;
            Some(CompanionFile { name: METADATA_NAME.to_owned(), bytes })
        }
        None => None,
    };
    let data = unpack_member(&mut archive, &name, SNAPSHOT_BYTES_MAX)?;
    Ok(UnpackedFile { name, data, companion })
}

/// The name of the data member, without unpacking it.
pub(crate) fn data_member_name(bytes: &[u8]) -> Result<String, ImportError> {
    let mut archive = open_archive(bytes)?;
    let names = member_names(&archive)?;
    find_data_member(&names).map_err(|error| time_of_day_error(&mut archive, &names).unwrap_or(error))
}

/// The error for another publisher's archive with a single table of intraday figures, which could
/// not be imported unpacked either.
fn time_of_day_error(archive: &mut ZipArchive<Cursor<&[u8]>>, names: &[String]) -> Option<ImportError> {
    let [name] = names else { return None };
    let mut head = Vec::new();
    archive.by_name(name).ok()?.take(PEEK_BYTES).read_to_end(&mut head).ok()?;
    let line = head.split(|byte| *byte == b'\n').next()?;
    let first_cell = std::str::from_utf8(line).ok()?.split([',', ';', '\t']).next()?;
    Some(cell::time_of_day_error(first_cell)?.line(1).column(printable(name)))
}

fn is_top_level(name: &str) -> bool {
    !name.contains(['/', '\\'])
}

/// The single data member, `API_*.csv`. It is not the first entry, and its name carries the version.
fn find_data_member(names: &[String]) -> Result<String, ImportError> {
    let data: Vec<&String> = names
        .iter()
        .filter(|name| is_top_level(name) && name.starts_with("API_") && name.ends_with(".csv"))
        .collect();
    match data.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(ImportError::new("archive-empty", "expected a member `API_*.csv` in the archive")
            .value(names.iter().take(5).map(|name| printable(name)).collect::<Vec<_>>().join(", "))
            .hint("this is not the CSV archive of the World Bank; unpack it and import the CSV inside")),
        more => {
            let message = format!("expected one data member in the archive, found {}", more.len());
            Err(ImportError::new("archive", message).hint("unpack it and import one CSV at a time"))
        }
    }
}
