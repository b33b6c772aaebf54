//! The importers through the public API: valid, invalid and published files.

// As in the crate: an error ends the import, so its size costs nothing.
#![allow(clippy::result_large_err)]

#[cfg(test)]
mod it {
    mod agencies;
    mod bls;
    mod general;
    mod invalid_files;
    mod real_data_sets;
    mod real_files;
    mod responses;
    mod sdmx;
    mod workbook;
    mod worldbank;

    use ingest::{ImportError, ImportOptions, ImportedTable, SourceFile, import};

    /// Imports with default options.
    pub fn plain(name: &str, bytes: &[u8]) -> Result<ImportedTable, ImportError> {
        import(SourceFile { name, bytes }, &ImportOptions::default(), &mut |_| {})
    }

    /// The table as CSV with plain line feeds.
    pub fn csv(imported: &ImportedTable) -> String {
        let mut out = Vec::new();
        ingest::export_csv(&imported.table, &mut out).unwrap();
        String::from_utf8(out).unwrap().replace("\r\n", "\n")
    }

    /// The table as CSV after a round trip: exported, and imported with the role and type of each column.
    pub fn round_trip(imported: &ImportedTable) -> String {
        let link = |component: &schemas::structure::Component| ingest::ColumnMapping {
            role: Some(component.role),
            value_type: Some(component.value_type),
            ..ingest::ColumnMapping::column(component.id.as_str(), component.id.clone())
        };
        let columns = imported.table.shape().components().iter().map(link).collect();
        let mapping = ingest::Mapping { columns, missing: vec![String::new()], ..ingest::Mapping::default() };
        let options = ImportOptions { mapping: Some(mapping), ..ImportOptions::default() };
        let bytes = csv(imported);
        csv(&import(SourceFile { name: "again.csv", bytes: bytes.as_bytes() }, &options, &mut |_| {})
            .unwrap())
    }

    /// A ZIP of these members, deflated.
    pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in members {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// A wide file as served by the World Bank, with these rows below the header.
    pub fn wide(rows: &str) -> String {
        format!(
            "\u{feff}\"Data Source\",\"World Development Indicators\",\r\n\r\n\"Last Updated Date\",\"2019-10-16\",\r\n\r\n\
             \"Country Name\",\"Country Code\",\"Indicator Name\",\"Indicator Code\",\"1960\",\"1961\",\r\n{rows}"
        )
    }

    /// Two rows of such a file.
    pub const ROWS: &str = "\"Yemen, Rep.\",\"YEM\",\"Price index\",\"FP.CPI.TOTL\",\"\",\"9.80\",\r\n\
                            \"World\",\"WLD\",\"Price index\",\"FP.CPI.TOTL\",\"1\",\"2E-3\",\r\n";
}
