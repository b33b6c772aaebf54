//! ZIP archives, opened within bounds.
//!
//! An archive is hostile until proved otherwise: the number and the size of its members are bounded,
//! and the sizes that it states are not trusted.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::{ImportError, printable};

/// Members of an archive; the World Bank has three, a workbook a dozen and more for each sheet.
const MEMBERS_MAX: usize = 64;

/// Opens an archive: reads its list of members.
pub(crate) fn open_archive(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, ImportError> {
    // Every member has an entry with this signature. `zip` allocates the whole list before it
    // returns, so the entries are counted first.
    let entries = bytes.windows(4).filter(|window| window == b"PK\x01\x02").count();
    if entries > MEMBERS_MAX {
        let message = format!("archive with {entries} members, at most {MEMBERS_MAX} are allowed");
        return Err(ImportError::new("archive-large", message).hint("unpack it and import the CSV inside"));
    }
    ZipArchive::new(Cursor::new(bytes)).map_err(broken_archive)
}

/// The names of all members.
pub(crate) fn member_names(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, ImportError> {
    archive.file_names().map(|name| Ok(name.map_err(broken_archive)?.into_owned())).collect()
}

/// Unpacks a member of at most `bytes_max` bytes.
pub(crate) fn unpack_member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, ImportError> {
    let member = archive.by_name(name).map_err(broken_archive)?;
    let mut data = Vec::new();
    // One byte more than allowed shows that the member is too long, whatever size it states.
    member.take(bytes_max + 1).read_to_end(&mut data).map_err(|error| {
        let message = format!("cannot unpack member `{}`: {error}", printable(name));
        ImportError::new("archive", message).hint("download the archive again")
    })?;
    if data.len() as u64 > bytes_max {
        let message = format!("member `{}` unpacks to more than {bytes_max} bytes", printable(name));
        return Err(
            ImportError::new("archive-large", message).hint("download the archive again from its source")
        );
    }
    Ok(data)
}

/// The error for an archive that cannot be read.
pub(crate) fn broken_archive(error: ZipError) -> ImportError {
    ImportError::new("archive", format!("damaged ZIP archive: {error}")).hint("download the archive again")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_member_is_bounded_whatever_size_it_states() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("API_X.csv", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&[b'0'; 100_000]).unwrap();
        let mut bytes = writer.finish().unwrap().into_inner();
        // The archive states the size twice: in the local header and in the list of members.
        let stated = 100_000_u32.to_le_bytes();
        let false_size = 5_u32.to_le_bytes();
        let offsets: Vec<usize> = (0..bytes.len() - 3).filter(|at| bytes[*at..*at + 4] == stated).collect();
        assert_eq!(offsets.len(), 2);
        let check = |bytes: &[u8], code: &str| {
            let error = unpack_member(&mut open_archive(bytes).unwrap(), "API_X.csv", 99_999).unwrap_err();
            assert_eq!(error.code, code, "{error}");
        };
        check(&bytes, "archive-large");
        offsets.iter().for_each(|at| bytes[*at..*at + 4].copy_from_slice(&false_size));
        check(&bytes, "archive");
    }
}
