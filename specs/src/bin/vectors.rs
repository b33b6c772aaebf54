//! Writes the files of `specs/vectors` (`cargo xtask vectors`).

use std::io::Result;
use std::path::Path;

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    std::fs::create_dir_all(&folder)?;
    for file in specs::vector_files() {
        std::fs::write(folder.join(format!("{}.json", file.name)), file.to_json())?;
    }
    Ok(())
}
