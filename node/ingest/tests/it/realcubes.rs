//! The real files of SDMX and JSON-stat, where they are at hand; see `real.rs`.

use super::{csv, plain};
use super::real::folder;
use ingest::{Fault, Format, Imported};

fn read(path: &str) -> Option<Result<Imported, Fault>> {
    let bytes = std::fs::read(folder()?.join(path)).unwrap();
    let name = path.rsplit('/').next().unwrap();
    let imported = plain(name, &bytes);
    assert_eq!(plain(name, &bytes), imported, "{path}");
    Some(imported)
}

#[test]
fn all() {
    let Some(folder) = folder() else { return };
    for sub in ["sdmx", "oecd", "eurostat", "bls"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = format!("{sub}/{}", entry.unwrap().file_name().to_string_lossy());
            match read(&path).unwrap() {
                Err(fault) => println!("{path}: {} {fault} | {:?}", fault.code, fault.hint),
                Ok(imported) => {
                    let s = &imported.summary;
                    println!("{path}: {} {} | {} | {:?} {:?} rows {} obs {} missing {} series {} {:?} areas {} lists {:?}",
                        imported.format, imported.dataflow, imported.title, imported.publisher, imported.vintage, s.rows, s.observations, s.missing, s.series, s.gaps, imported.areas.len(),
                        imported.codes.iter().map(|(id, names)| format!("{id}:{}", names.len())).collect::<Vec<_>>());
                    println!("{}", csv(&imported).lines().take(3).collect::<Vec<_>>().join("\n"));
                }
            }
        }
    }
}
