//! Files of a manual: examples and grammar tests. File names are compared without regard to case,
//! because the manual mixes `DS_1.csv` and `ds_1.csv`.

use std::path::{Path, PathBuf};

/// Files of an example: its script, and the folder of its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFiles {
    /// `Category/Operator/ex_N`.
    pub path: String,
    /// Folder of the files.
    pub folder: PathBuf,
    /// `ex_N`.
    pub stem: String,
}

impl ExampleFiles {
    /// Path of the file with this name, without regard to case.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        let same = |path: &PathBuf| path.file_name().is_some_and(|n| n.eq_ignore_ascii_case(name));
        list_entries(&self.folder).ok()?.into_iter().find(same)
    }

    /// Text of the file with this name, without regard to case.
    ///
    /// # Errors
    /// There is no such file, or it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<String, String> {
        let path = self.file(name).ok_or_else(|| format!("there is no file `{name}`"))?;
        read_text(&path)
    }
}

/// Finds all examples of a manual, ordered by category, operator and number.
///
/// # Errors
/// There is no folder `operators`, or a folder cannot be read.
pub fn find_examples(manual: &Path) -> Result<Vec<ExampleFiles>, String> {
    let mut found = Vec::new();
    for category in list_folders(&operators_folder(manual)?)? {
        for operator in list_folders(&category)? {
            let folder = operator.join("examples");
            if folder.is_dir() {
                found.extend(list_scripts(
                    &folder,
                    &format!("{}/{}", file_name(&category), file_name(&operator)),
                )?);
            }
        }
    }
    Ok(found)
}

/// Reads the two files of grammar tests: scripts to accept and scripts to reject.
///
/// # Errors
/// The files are neither in this folder nor in one above it.
pub fn read_grammar_tests(manual: &Path) -> Result<[String; 2], String> {
    let inside = Path::new("src/test/resources/org/sdmx/vtl");
    let folder = manual.ancestors().map(|folder| folder.join(inside)).find(|folder| folder.is_dir());
    let folder = folder.ok_or_else(|| format!("`{}` has no grammar tests", manual.display()))?;
    Ok([read_text(&folder.join("PositiveTests.vtl"))?, read_text(&folder.join("NegativeTests.vtl"))?])
}

fn operators_folder(manual: &Path) -> Result<PathBuf, String> {
    let places = ["docs/reference_manual/operators", "reference_manual/operators", "operators"];
    let found = places.iter().map(|place| manual.join(place)).find(|folder| folder.is_dir());
    found.ok_or_else(|| format!("`{}` has no folder `docs/reference_manual/operators`", manual.display()))
}

fn list_scripts(folder: &Path, prefix: &str) -> Result<Vec<ExampleFiles>, String> {
    let mut found = Vec::new();
    for path in list_entries(folder)? {
        let file = file_name(&path).to_ascii_lowercase();
        let stem = file.strip_suffix(".vtl").filter(|stem| stem.starts_with("ex_"));
        if let Some(stem) = stem {
            let (folder, stem) = (folder.to_path_buf(), stem.to_owned());
            found.push(ExampleFiles { path: format!("{prefix}/{stem}"), folder, stem });
        }
    }
    // By length first, so that `ex_2` comes before `ex_10`.
    found.sort_by_key(|place| (place.stem.len(), place.stem.clone()));
    Ok(found)
}

fn list_folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(list_entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn list_entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let error = |error: std::io::Error| format!("{}: {error}", folder.display());
    let listed = std::fs::read_dir(folder).map_err(error)?;
    let mut paths = listed.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(error)?;
    // `read_dir` has no order, and a report should be the same on every machine.
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
