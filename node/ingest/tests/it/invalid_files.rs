//! Invalid files: each is refused with its own error, location and hint.

use super::{ROWS, plain, wide, zip};
use ingest::{Format, ImportError, ImportOptions, SourceFile, import};

/// The error of an import, as `code line column value`.
fn check(name: &str, bytes: &[u8], expected: &str) -> ImportError {
    let error = plain(name, bytes).unwrap_err();
    let line = error.line.map_or("-".into(), |line| line.to_string());
    let part = |part: &Option<String>| part.clone().unwrap_or("-".into());
    let found = format!("{} {line} {} {}", error.code, part(&error.column), part(&error.value));
    assert_eq!(found, expected, "{error}");
    assert!(error.file.starts_with(name), "{error}");
    error
}

#[test]
fn other_file_types() {
    check("a.csv", b"\x89PNG\r\n\x1a\n\0\0", "file-type - - -");
    check("a.csv", b"\n<!DOCTYPE html><html>", "file-type - - -");
    check("a.csv", b"{\"value\": [1]}", "file-type - - -");
    check("a.csv", b"", "file-empty - - -");
    check("a.csv", b"\xef\xbb\xbf\r\n\r\n", "file-empty - - -");
    check("a.csv", b"a,b\n1,2\n", "format-unknown 1 - a,b");
    check("a.csv", b"DATE,X\n2010-01-01,1\n2010-02-01,\xff\n", "file-encoding 3 - byte 0xff");
    let book = zip(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<x/>")]);
    let error = check("a.xlsx", &book, "workbook - - -");
    assert!(error.hint.unwrap().contains("save it again"));
}

#[test]
fn a_file_of_another_format() {
    let given = |format, bytes: &[u8]| {
        let options = ImportOptions { format: Some(format), ..ImportOptions::default() };
        import(SourceFile { name: "a.csv", bytes }, &options, &mut |_| {}).unwrap_err()
    };
    let error = given(Format::Fred, wide(ROWS).as_bytes());
    assert_eq!((error.code, error.hint.as_deref()), ("format-other", Some("import it as `worldbank`")));
    assert_eq!(error.message, "expected a FRED file, found a World Bank file");
    assert_eq!(given(Format::WorldBank, b"DATE,X\n2010-01-01,1\n").code, "format-other");
    assert_eq!(given(Format::WorldBank, b"a,b\n1,2\n").code, "header-missing");
    assert_eq!(given(Format::Fred, &zip(&[("API_X.csv", b"x")])).code, "file-type");
    assert_eq!(given(Format::Csv, b"a,b\n1,2\n").code, "column-missing");
}

#[test]
fn invalid_figures() {
    let cell = |cell: &str| wide(&format!("\"Aruba\",\"ABW\",\"P\",\"X.Y\",\"1\",\"{cell}\",\r\n"));
    check("a.csv", cell("n/a").as_bytes(), "number 6 1961 n/a");
    check("a.csv", cell("NaN").as_bytes(), "number 6 1961 NaN");
    let error = check("a.csv", cell("1,234.5").as_bytes(), "number 6 1961 1,234.5");
    assert!(error.hint.as_ref().unwrap().contains("thousands"));
    assert_eq!(error.to_string(), "a.csv:6, column `1961`: expected a number (found `1,234.5`)");
    let long = "1".repeat(35);
    check("a.csv", cell(&long).as_bytes(), &format!("number-digits 6 1961 {long}"));
    let negative = wide("\"Aruba\",\"ABW\",\"P\",\"FP.CPI.TOTL\",\"1\",\"-0.5\",\r\n");
    check("a.csv", negative.as_bytes(), "implausible 6 1961 -0.5");
}

#[test]
fn invalid_rows_and_headers() {
    let row = "\"Aruba\",\"ABW\",\"P\",\"X.Y\",\"1\",\"2\",\r\n";
    let error = check("a.csv", wide(&row.repeat(2)).as_bytes(), "duplicate 7 - ABW, 1960");
    assert_eq!(error.message, "duplicate observation, first given in line 6");
    check("a.csv", wide(&row.replace("ABW", "QQQ")).as_bytes(), "area 6 Country Code QQQ");
    let error = check("a.csv", wide(&row.replace("ABW", "abw")).as_bytes(), "area 6 Country Code abw");
    assert_eq!(error.hint.as_deref(), Some("did you mean `ABW`?"));
    check("a.csv", wide("\"Aruba\",\"ABW\",\"P\"\r\n").as_bytes(), "row-ragged 6 - Aruba,ABW,P");
    check(
        "a.csv",
        wide(&format!("{row}{}", row.replace("X.Y", "X.Z"))).as_bytes(),
        "indicator 7 Indicator Code X.Z",
    );
    check("a.csv", wide("").as_bytes(), "no-data - - -");
    check("a.csv", wide(row).replace("1961", "1960").as_bytes(), "column-twice 5 - 1960");
    let error =
        check("a.csv", wide(row).replace("1960", "1960 [YR1960]").as_bytes(), "year 5 5 1960 [YR1960]");
    assert!(error.hint.unwrap().contains("DataBank"));
    let long = "Country Name,Country Code,Year,Value\nAruba,ABW,1960 [YR1960],1\n";
    check("a.csv", long.as_bytes(), "year 2 Year 1960 [YR1960]");
    let mixed = "Country Code,Indicator Name,Indicator Code,Year,Value\nABW,p,X.Y,2010,1\nABW,q,X.Z,2011,1\n";
    check("a.csv", mixed.as_bytes(), "indicator 3 Indicator Code X.Z");
    check(
        "a.csv",
        b"Country Code,Region,TableName\nABW,x,Aruba\n",
        "column-missing 1 - Country Code,Region,TableName",
    );
    let cut = wide(row).replace("\"2\",\r\n", "\"2");
    check("a.csv", cut.as_bytes(), "quote-open 6 - \"2");
    let merged = wide(&format!("<<<<<<< HEAD\r\n{row}=======\r\n{row}>>>>>>> other\r\n"));
    check("a.csv", merged.as_bytes(), "merge-marker 6 - <<<<<<< HEAD");
    let endless = format!("{}{}", wide(row), "x".repeat(2 << 20));
    check("a.csv", endless.as_bytes(), "line-long 7 - -");
}

#[test]
fn invalid_archives() {
    check("a.zip", b"PK\x03\x04 and nothing", "archive - - -");
    check(
        "a.zip",
        &zip(&[("readme.txt", b"x"), ("sub/API_X.csv", b"x")]),
        "archive-empty - - readme.txt, sub/API_X.csv",
    );
    check("a.zip", &zip(&[("API_X.csv", b"x"), ("API_Y.csv", b"x")]), "archive - - -");
    let names: Vec<String> = (0..65).map(|n| format!("{n}.csv")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    check("a.zip", &zip(&many), "archive-large - - -");
    let error = check("a.zip", &zip(&[("API_X.csv", wide("").as_bytes())]), "no-data - - -");
    assert_eq!(error.file, "a.zip/API_X.csv");
    let whole = zip(&[("API_X.csv", wide(ROWS).as_bytes())]);
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        // No flip may panic; most are errors, some (a date, an attribute) change nothing.
        let _ = plain("a.zip", &broken);
        let _ = plain("a.zip", &whole[..at]);
    }
}

#[test]
fn a_zip_bomb_is_refused() {
    let notes = vec![b'x'; 5 << 20];
    let bomb = zip(&[("API_X.csv", wide(ROWS).as_bytes()), ("Metadata_Country_X.csv", &notes)]);
    assert!(bomb.len() < 64 << 10);
    check("a.zip", &bomb, "archive-large - - -");
}

#[test]
fn random_bytes_never_panic() {
    let seeds = [
        wide(ROWS),
        "DATE,X\n2010-01-01,1\n2010-02-01,.\n".into(),
        "REF_AREA,TIME_PERIOD,V\nUSA,2010,1\n".into(),
    ];
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    for seed in &seeds {
        for _ in 0..3000 {
            let mut bytes = seed.clone().into_bytes();
            for _ in 0..1 + next() % 4 {
                let (at, with) = (next() % bytes.len(), b"\",\n\r0-.x\xff/ P"[next() % 12]);
                match next() % 3 {
                    0 => bytes[at] = with,
                    1 => bytes.insert(at, with),
                    _ => drop(bytes.drain(at..(at + next() % 9).min(bytes.len()))),
                }
            }
            if let Err(error) = plain("a.csv", &bytes) {
                assert!(!error.message.is_empty() && error.file == "a.csv");
            }
        }
    }
}
