//! The ZIP archive in which the World Bank serves a file: one data member, two of metadata.
//!
//! The archive is hostile until read: members, names and sizes are bounded, the sizes it states
//! are not believed, and nothing but the two members we want is unpacked.

use std::io::{Cursor, Read};

use schemas::limits::SNAPSHOT_BYTES_MAX;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::{ImportError, shown};
use crate::value;

/// Members of an archive; the World Bank has three.
const MEMBERS_MAX: usize = 64;
/// Bytes of the country metadata, unpacked; the real one is 60 kB.
const METADATA_BYTES_MAX: u64 = 4 << 20;

/// What we want of the archive.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Name of the data member.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) data: Vec<u8>,
    /// The member `Metadata_Country_*`.
    pub(crate) metadata: Option<Vec<u8>>,
}

/// Unpacks the data member and the country metadata.
pub(crate) fn open(bytes: &[u8]) -> Result<Archive, ImportError> {
    let mut archive = listed(bytes)?;
    let names = names(&archive)?;
    let name = data_member(&names).map_err(|fault| foreign(&mut archive, &names).unwrap_or(fault))?;
    let country = names.iter().find(|name| top_level(name) && name.starts_with("Metadata_Country"));
    let metadata = match country {
        Some(country) => Some(unpack(&mut archive, country, METADATA_BYTES_MAX)?),
        None => None,
    };
    let data = unpack(&mut archive, &name, SNAPSHOT_BYTES_MAX)?;
    Ok(Archive { name, data, metadata })
}

/// The name of the data member; nothing is unpacked.
pub(crate) fn data_name(bytes: &[u8]) -> Result<String, ImportError> {
    let mut archive = listed(bytes)?;
    let names = names(&archive)?;
    data_member(&names).map_err(|fault| foreign(&mut archive, &names).unwrap_or(fault))
}

/// Bytes at which the one table of an archive of somebody else is looked.
const PEEK_BYTES: u64 = 256;

/// Why the one table of an archive of somebody else could not be imported when it is unpacked either.
fn foreign(archive: &mut ZipArchive<Cursor<&[u8]>>, names: &[String]) -> Option<ImportError> {
    let [name] = names else { return None };
    let mut head = Vec::new();
    archive.by_name(name).ok()?.take(PEEK_BYTES).read_to_end(&mut head).ok()?;
    let line = head.split(|byte| *byte == b'\n').next()?;
    let cell = std::str::from_utf8(line).ok()?.split([',', ';', '\t']).next()?;
    Some(value::timed(cell)?.line(1).column(shown(name)))
}

/// The archive with its list of members read.
pub(crate) fn listed(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, ImportError> {
    // Each member has an entry with this signature; counting them first keeps the list of a
    // hostile archive from being built.
    let entries = bytes.windows(4).filter(|window| window == b"PK\x01\x02").count();
    if entries > MEMBERS_MAX {
        return Err(ImportError::new(
            "archive-large",
            format!("more than {MEMBERS_MAX} members in the archive"),
        )
        .hint("unpack it and import the CSV inside"));
    }
    ZipArchive::new(Cursor::new(bytes)).map_err(broken)
}

fn names(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, ImportError> {
    archive.file_names().map(|name| Ok(name.map_err(broken)?.into_owned())).collect()
}

fn top_level(name: &str) -> bool {
    !name.contains(['/', '\\'])
}

/// The one member that holds data: `API_*.csv`.
fn data_member(names: &[String]) -> Result<String, ImportError> {
    let data: Vec<&String> = names
        .iter()
        .filter(|name| top_level(name) && name.starts_with("API_") && name.ends_with(".csv"))
        .collect();
    match data.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(ImportError::new("archive-empty", "expected a member `API_*.csv` in the archive")
            .value(names.iter().take(5).map(|name| shown(name)).collect::<Vec<_>>().join(", "))
            .hint("this is not the CSV archive of the World Bank; unpack it and import the CSV inside")),
        more => Err(ImportError::new(
            "archive",
            format!("{} data members in the archive, expected one", more.len()),
        )
        .hint("unpack it and import one CSV at a time")),
    }
}

/// The bytes of a member, at most `bytes_max`.
fn unpack(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, ImportError> {
    let member = archive.by_name(name).map_err(broken)?;
    let mut data = Vec::new();
    member.take(bytes_max + 1).read_to_end(&mut data).map_err(|error| {
        ImportError::new("archive", format!("member `{}` cannot be unpacked: {error}", shown(name)))
            .hint("download the archive again")
    })?;
    if data.len() as u64 > bytes_max {
        let message = format!("member `{}` unpacks to more than {bytes_max} bytes", shown(name));
        return Err(
            ImportError::new("archive-large", message).hint("download the archive again from its source")
        );
    }
    Ok(data)
}

pub(crate) fn broken(error: ZipError) -> ImportError {
    ImportError::new("archive", format!("not a whole ZIP archive: {error}"))
        .hint("download the archive again")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_member_is_cut_off_at_its_bound_and_a_stated_size_is_not_believed() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("API_X.csv", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&[b'0'; 100_000]).unwrap();
        let mut bytes = writer.finish().unwrap().into_inner();
        // The sizes that the archive states, in the local header and in the list of members.
        let stated = 100_000_u32.to_le_bytes();
        let lie = 5_u32.to_le_bytes();
        let places: Vec<usize> = (0..bytes.len() - 3).filter(|at| bytes[*at..*at + 4] == stated).collect();
        assert_eq!(places.len(), 2);
        let check = |bytes: &[u8], code: &str| {
            let fault = unpack(&mut listed(bytes).unwrap(), "API_X.csv", 99_999).unwrap_err();
            assert_eq!(fault.code, code, "{fault}");
        };
        check(&bytes, "archive-large");
        places.iter().for_each(|at| bytes[*at..*at + 4].copy_from_slice(&lie));
        check(&bytes, "archive");
    }
}
