//! Excel workbooks: a sheet under a mapping, dates, hostile workbooks, and exports of Eurostat.

use super::{csv, plain, zip};
use ingest::{Format, ImportError, ImportOptions, ImportedTable, Mapping, SourceFile, import};

/// A workbook of these sheets, each the rows of `sheetData`.
fn book(sheets: &[(&str, &str)], strings: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut listed = String::new();
    let mut links = String::new();
    let mut members: Vec<(String, String)> = Vec::new();
    for (at, (name, rows)) in (1..).zip(sheets) {
        listed += &format!("<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"rId{at}\"/>");
        links += &format!(
            "<Relationship Id=\"rId{at}\" Type=\"{rel}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>"
        );
        let sheet = format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
        members.push((format!("xl/worksheets/sheet{at}.xml"), sheet));
    }
    let workbook =
        format!("<workbook xmlns=\"{main}\" xmlns:r=\"{rel}\"><sheets>{listed}</sheets></workbook>");
    members.push(("[Content_Types].xml".into(), "<Types/>".into()));
    members.push(("xl/workbook.xml".into(), workbook));
    let office =
        format!("<Relationship Id=\"rId1\" Type=\"{rel}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    members
        .push(("_rels/.rels".into(), format!("<Relationships xmlns=\"{package}\">{office}</Relationships>")));
    members.push((
        "xl/_rels/workbook.xml.rels".into(),
        format!("<Relationships xmlns=\"{package}\">{links}</Relationships>"),
    ));
    members.push(("xl/sharedStrings.xml".into(), format!("<sst xmlns=\"{main}\" {strings}</sst>")));
    let formats =
        "<cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\" applyNumberFormat=\"1\"/></cellXfs>";
    members.push(("xl/styles.xml".into(), format!("<styleSheet xmlns=\"{main}\">{formats}</styleSheet>")));
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zip(&members)
}

const STRINGS: &str = "uniqueCount=\"99999999999999\"><si><t>Date</t></si><si><t>Rate</t></si>";

const ROWS: &str = "<row r=\"2\"><c r=\"B2\" t=\"s\"><v>0</v></c><c r=\"C2\" t=\"s\"><v>1</v></c></row>\
                    <row r=\"3\"><c r=\"B3\" s=\"1\"><v>40179</v></c><c r=\"C3\"><v>9.8000000000000007</v></c></row>\
                    <row r=\"4\"><c r=\"B4\" s=\"1\"><v>40210</v></c><c r=\"C4\" t=\"inlineStr\"><is><t>..</t></is></c></row>";

const MAPPING: &str = "skip = 1\nfrequency = \"M\"\n[[columns]]\nfrom = \"Date\"\nto = \"TIME_PERIOD\"\n\
                       [[columns]]\nfrom = \"Rate\"\nto = \"OBS_VALUE\"\n";

fn mapped(bytes: &[u8], mapping: &str) -> Result<ImportedTable, ImportError> {
    let options =
        ImportOptions { mapping: Some(Mapping::parse("m.toml", mapping)?), ..ImportOptions::default() };
    import(SourceFile { name: "rates.xlsx", bytes }, &options, &mut |_| {})
}

#[test]
fn a_sheet_under_a_mapping() {
    let imported = mapped(&book(&[("Data", ROWS)], STRINGS), MAPPING).unwrap();
    assert_eq!(csv(&imported), "TIME_PERIOD,OBS_VALUE\n2010-M01,9.8\n");
    let rows = ROWS.replace("9.8000000000000007", "0");
    let gaps = mapped(&book(&[("Data", &rows)], STRINGS), &format!("{MAPPING}zero_is_missing = true\n"));
    assert_eq!(gaps.unwrap_err().code, "no-data");
    assert_eq!((imported.format, imported.importer.as_str()), (Format::Xlsx, "xlsx/1"));
    assert_eq!(imported.summary.missing_spellings[".."], 1);
    let two = book(&[("Notes", ""), ("Data", ROWS)], STRINGS);
    let error = mapped(&two, MAPPING).unwrap_err();
    assert_eq!((error.code, error.value.as_deref()), ("sheet", Some("Notes, Data")));
    assert_eq!(mapped(&two, &format!("sheet = \"Data\"\n{MAPPING}")).unwrap().table, imported.table);
    assert_eq!(mapped(&two, &format!("sheet = \"X\"\n{MAPPING}")).unwrap_err().code, "sheet");
    let odd = book(&[("Data", &ROWS.replace("9.8000000000000007", "x"))], STRINGS);
    let error = mapped(&odd, MAPPING).unwrap_err();
    assert_eq!(error.file, "rates.xlsx/Data");
}

#[test]
fn hostile_workbooks_cost_nothing() {
    let far = ROWS.replace("</row>", "</row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>");
    assert_eq!(mapped(&book(&[("Data", &far)], STRINGS), MAPPING).unwrap_err().code, "sheet");
    let utf16 = book(&[("Data", "\0")], STRINGS);
    assert_eq!(mapped(&utf16, MAPPING).unwrap_err().code, "workbook");
    assert_eq!(mapped(&book(&[("Data", "<row")], STRINGS), MAPPING).unwrap_err().code, "workbook");
    // Any byte of a sheet changed: a table or an error, never a panic.
    let good = book(&[("Data", ROWS)], STRINGS);
    for (at, _) in ROWS.bytes().enumerate() {
        let mut rows = ROWS.as_bytes().to_vec();
        rows[at] = b'9';
        let rows = String::from_utf8(rows).unwrap();
        let _ = mapped(&book(&[("Data", &rows)], STRINGS), MAPPING);
    }
    for at in (0..good.len()).step_by(3) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let _ = mapped(&bytes, MAPPING);
    }
    assert!(mapped(&good, MAPPING).is_ok());
}

fn row(number: u32, cells: &[&str]) -> String {
    let columns = ["A", "B", "C", "D", "E"];
    let cell = |(column, text): (&&str, &&str)| {
        format!("<c r=\"{column}{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    };
    let cells: String = columns.iter().zip(cells).map(cell).collect();
    format!("<row r=\"{number}\">{cells}</row>")
}

#[test]
fn a_spreadsheet_of_eurostat() {
    let head = row(1, &["Dataset: ", "Unemployment [une_rt_m]"])
        + &row(2, &["Last updated: ", "19/12/2024 11:00"])
        + &row(3, &["Sex", "", "Total"]);
    let down = row(5, &["GEO (Labels)", "Belgium", "", "Euro area – 20 countries (from 2023)"])
        + &row(6, &["TIME"])
        + &row(7, &["2024-11", ":", "c", "6.3"])
        + &row(8, &["2024-10", "5.80", "p", ":"])
        + &row(10, &["Special value"]);
    let sheets = |table: &str| {
        book(&[("Summary", ""), ("Structure", ""), ("Sheet 1", &format!("{head}{table}"))], STRINGS)
    };
    let expected = "REF_AREA,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n\
                    BEL,2024-M10,5.80,p\nBEL,2024-M11,,c\nEA20,2024-M11,6.3,\n";
    let imported = plain("export.xlsx", &sheets(&down)).unwrap();
    assert_eq!((csv(&imported).as_str(), imported.dataflow.as_str()), (expected, "une_rt_m"));
    assert_eq!(
        (imported.title.as_str(), imported.summary.notes.as_slice()),
        ("Unemployment", &["Sex: Total".to_owned()][..])
    );
    assert_eq!(
        (imported.vintage.unwrap().to_string().as_str(), imported.summary.aggregates),
        ("2024-12-19", 1)
    );
    let across = row(5, &["TIME", "2024-11", "", "2024-10", ""])
        + &row(6, &["GEO (Labels)"])
        + &row(7, &["Belgium", ":", "c", "5.80", "p"])
        + &row(8, &["Euro area – 20 countries (from 2023)", "6.3", "", ":"]);
    assert_eq!(csv(&plain("export.xlsx", &sheets(&across)).unwrap()), expected);
    let error = plain("export.xlsx", &sheets(&down.replace("5.80", "5,80"))).unwrap_err();
    assert_eq!((error.code, error.line, error.column.as_deref()), ("number", Some(8), Some("Belgium")));
    assert_eq!(plain("export.xlsx", &sheets("")).unwrap_err().code, "header-missing");
}
