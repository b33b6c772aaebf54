//! Positions of cells in their document.

use schemas::structure::Role;
use schemas::table::Column;

use crate::csv::records;
use crate::import::{ImportOptions, ImportedTable};

/// Lines at the start of a document among which a header is looked for.
const HEADER_LINES: usize = 32;

/// Position of a cell in a source document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellPosition {
    /// The file; `archive/member` for a member of an archive.
    pub file: String,
    /// The line, from 1; the row of a sheet for a workbook.
    pub line: Option<u64>,
    /// The title of the column, where the document has it in a header.
    pub column: Option<String>,
}

/// Brings the lines of rows into the order of the sorted table; `order` is the place that each row had before.
pub(crate) fn order_lines(
    order: Option<Vec<u32>>,
    line: impl Fn(usize) -> Option<u32>,
    rows: usize,
) -> Vec<u32> {
    match order {
        Some(order) => order.into_iter().map(|row| line(row as usize).unwrap_or_default()).collect(),
        None => (0..rows).map(|row| line(row).unwrap_or_default()).collect(),
    }
}

impl ImportedTable {
    /// The position of a cell of the table in its document, the bytes that were read. Without a component
    /// it is that of the data point.
    pub fn locate_cell(
        &self,
        document: &[u8],
        options: &ImportOptions,
        row: usize,
        component: Option<&str>,
    ) -> CellPosition {
        let line = self.summary.lines.get(row).copied().filter(|line| *line > 0).map(u64::from);
        let titles = component.map(|component| self.column_titles(options, row, component));
        let column = titles.and_then(|titles| self.find_title(document, titles, line));
        CellPosition { file: self.file.clone(), line, column }
    }

    /// The titles that the column of a cell may have, the most specific one first.
    fn column_titles(&self, options: &ImportOptions, row: usize, component: &str) -> Vec<String> {
        let mapping = options.mapping.as_ref().map(|mapping| mapping.columns.as_slice()).unwrap_or_default();
        let mapped = mapping.iter().find(|column| column.to.as_str() == component);
        let mut titles: Vec<String> = mapped.and_then(|column| column.from.clone()).into_iter().collect();
        titles.push(component.to_owned());
        let parts = self.table.shape().components().iter().zip(self.table.columns());
        let is_measure =
            parts.clone().any(|(part, _)| part.id.as_str() == component && part.role == Role::Measure);
        if is_measure {
            let (mut periods, mut series) = (Vec::new(), Vec::new());
            // In a wide table the figures of a period, or of a series, are a column.
            for (_, column) in parts.filter(|(part, _)| part.role == Role::Identifier) {
                let cell = column.cell(row).map(|cell| cell.to_string());
                match column {
                    // After the ids, which a long table has in its header.
                    Column::Period(_) => periods.extend(cell),
                    _ => series.extend(cell),
                }
            }
            titles.extend(periods);
            titles.extend(series);
            titles.push(self.dataflow.to_string());
        }
        titles
    }

    /// The first of some titles that a line above the cell has. The text of a member of an archive is not at
    /// hand: there a figure of the World Bank, whose years are columns, has its period as title.
    fn find_title(&self, document: &[u8], titles: Vec<String>, line: Option<u64>) -> Option<String> {
        if self.file.contains('/') {
            return titles.into_iter().nth(1);
        }
        let text = records::decode_text(document).ok()?;
        let above = line.map_or(HEADER_LINES, |line| (line as usize).saturating_sub(1).min(HEADER_LINES));
        let cells: Vec<&str> = text
            .lines()
            .take(above)
            .flat_map(|line| line.split([',', ';', '\t']))
            .map(|cell| cell.trim().trim_matches('"'))
            .collect();
        titles.into_iter().find(|title| cells.contains(&title.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceFile, import};

    fn locate(name: &str, text: &str, area: &str, period: &str) -> CellPosition {
        let source = SourceFile { name, bytes: text.as_bytes() };
        let imported = import(source, &ImportOptions::default(), &mut |_| ()).unwrap();
        let key = [area.to_owned(), period.to_owned()];
        let is_row = |row: &usize| {
            let cells: Vec<String> = imported.table.key(*row).iter().map(ToString::to_string).collect();
            key.iter().all(|part| cells.contains(part))
        };
        let row = (0..imported.table.rows()).find(is_row).unwrap();
        imported.locate_cell(text.as_bytes(), &ImportOptions::default(), row, Some("OBS_VALUE"))
    }

    #[test]
    fn cells_of_long_and_wide_tables_are_located() {
        let long = "REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2010,1\nDEU,2010,2\n";
        let found = locate("long.csv", long, "DEU", "2010");
        assert_eq!((found.line, found.column.as_deref()), (Some(3), Some("OBS_VALUE")));
        let wide = "Country Name,Country Code,Indicator Name,Indicator Code,2009,2010\n\
            France,FRA,CPI,FP.CPI.TOTL,99,100\nGermany,DEU,CPI,FP.CPI.TOTL,98,101\n";
        let found = locate("wide.csv", wide, "DEU", "2009");
        assert_eq!((found.line, found.column.as_deref()), (Some(3), Some("2009")));
        assert_eq!(found.file, "wide.csv");
    }
}
