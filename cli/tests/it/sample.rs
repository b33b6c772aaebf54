//! Small files of our own, in the forms in which agencies publish theirs.

use std::fmt::Write;

use super::workspace::{Workspace, text};

/// Price indices of three areas in 2005 to 2010 as the World Bank publishes them; `factor` tells
/// one file from another.
pub fn worldbank(factor: u32) -> String {
    let mut file = String::from("\"Data Source\",\"World Development Indicators\",\n\n");
    file += "\"Last Updated Date\",\"2026-01-01\",\n\n";
    file += "\"Country Name\",\"Country Code\",\"Indicator Name\",\"Indicator Code\",";
    file += &(2005..=2010).map(|year| format!("\"{year}\",")).collect::<String>();
    for (position, (name, code)) in
        [("France", "FRA"), ("Turkey", "TUR"), ("United States", "USA")].into_iter().enumerate()
    {
        write!(file, "\n\"{name}\",\"{code}\",\"Consumer price index (2010 = 100)\",\"FP.CPI.TOTL\",")
            .unwrap();
        for year in 0..=5 {
            let index = 80_000 + 3_777 * year + 1_000 * position + 10 * factor as usize;
            write!(file, "\"{}.{:03}\",", index / 1000, index % 1000).unwrap();
        }
    }
    file + "\n"
}

/// An index as FRED publishes it: fourteen months.
pub const FRED: &str = "observation_date,CPIAUCNS\n\
    2021-05-01,269.195\n2021-06-01,271.696\n2021-07-01,273.003\n2021-08-01,273.567\n\
    2021-09-01,274.310\n2021-10-01,276.589\n2021-11-01,277.948\n2021-12-01,278.802\n\
    2022-01-01,281.148\n2022-02-01,283.716\n2022-03-01,287.504\n2022-04-01,289.109\n\
    2022-05-01,292.296\n2022-06-01,296.311\n";

/// The workspace of a publisher that has published an index and its inflation; and the release's id.
pub fn published(name: &str) -> (Workspace, String) {
    let workspace = Workspace::with_publisher(name);
    workspace.write("cpi.csv", worldbank(0));
    workspace.run_line("assay import worldbank cpi.csv").ok();
    // Without the day of the run, ids and the order of blocks are the same every day.
    let publish =
        "assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation --vintage 2010";
    let release = workspace.json(publish);
    (workspace, text(&release, "release"))
}
