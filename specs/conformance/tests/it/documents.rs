//! Every published file at hand, as a data set that is read again from its document, cell for cell; and with
//! one figure changed, which the verdict names with file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::verify::Verifier;
use schemas::cid::Cid;
use schemas::content::{self, encode_block};
use schemas::object::Dataset;
use schemas::table::{Column, Table};
use schemas::verdict::{ComparedTable, Verdict};
use submit::{DatasetDraft, DatasetRequest, SourceDocument};
use testkit::published_files::find_published_files;

/// The files of a folder and below, in order.
fn list_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { list_files(&path, into) } else { into.push(path) }
    }
}

/// Drafts a data set of a file, if it needs no mapping.
fn draft_file(path: &Path) -> Option<DatasetDraft> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let document = SourceDocument { name, bytes: std::fs::read(path).ok()?, origin: None };
    submit::draft_dataset(&[document], &DatasetRequest::default(), &mut |_| ()).ok()
}

fn verify_dataset(dataset: &Dataset, blocks: &BTreeMap<Cid, Vec<u8>>) -> Option<Verdict> {
    let (_, (id, bytes)) = encode_block(dataset).unwrap();
    let fetch = |wanted: Cid| if wanted == id { Some(bytes.clone()) } else { blocks.get(&wanted).cloned() };
    Verifier::new(&fetch).verify_object(id)
}

/// The table with its last figure raised by one, and the row of it.
fn change_figure(table: &Table) -> Option<(Table, usize)> {
    let mut columns = table.columns().to_vec();
    let values = columns.iter_mut().find_map(|column| match column {
        Column::Number(values) if values.iter().any(Option::is_some) => Some(values),
        _ => None,
    })?;
    let row = values.iter().rposition(Option::is_some)?;
    let value = values[row]?;
    values[row] = schemas::decimal::Decimal::new(value.coefficient() + 1, value.exponent()).ok();
    Some((Table::new(table.shape().clone(), columns).ok()?, row))
}

#[test]
fn published_files_are_read_again_cell_for_cell() {
    let Some(data) = find_published_files("SOURCES.md") else {
        println!("skipped: no folder of published files");
        return;
    };
    let mut files = Vec::new();
    list_files(&data, &mut files);
    let (mut read, mut cells, mut located, mut formats) = (0, 0, 0, BTreeMap::<&str, usize>::new());
    for path in &files {
        let Some(draft) = draft_file(path) else { continue };
        let mut blocks: BTreeMap<Cid, Vec<u8>> = draft.blocks.iter().cloned().collect();
        let verdict = verify_dataset(&draft.dataset, &blocks);
        let Some(Verdict::Reproduced { read: compared, .. }) = verdict else {
            panic!("{}: {verdict:?}", path.display())
        };
        (read, cells) = (read + 1, cells + compared);
        *formats.entry(draft.imported.format.code()).or_default() += 1;
        let Some((forged, row)) = change_figure(&draft.imported.table) else { continue };
        let codes = draft.imported.code_lists().unwrap();

        let (content, content_blocks) = content::pack_table(&forged, codes).unwrap();
        blocks.extend(content_blocks);
        let verdict = verify_dataset(&Dataset { content, ..draft.dataset.clone() }, &blocks);
        let Some(Verdict::Differs { first, count: 1, .. }) = verdict else {
            panic!("{}: one cell was changed: {verdict:?}", path.display())
        };
        assert!(matches!(first.table, ComparedTable::Dataset(_)));
        assert_eq!(first.key, forged.key(row), "{}", path.display());
        let position = first.position.unwrap_or_else(|| panic!("{}: no position", path.display()));
        located += usize::from(position.line.is_some());
    }
    println!(
        "{read} of {} files, {cells} cells, {located} forgeries located in a line: {formats:?}",
        files.len()
    );
    assert!(read >= 80 && located * 10 >= read * 9, "{read} files were read, {located} forgeries located");
}
