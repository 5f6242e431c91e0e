//! A comparison of runs in a terminal.

use std::fmt::Write as _;

use crate::{pipeline::Compared, report::TextTable};

use super::columns::in_columns;

/// The verdict, the tables, and where the report is.
pub(super) fn of_comparison(compared: &Compared) -> String {
    let comparison = &compared.comparison;
    let mut text = format!("{}.\n", comparison.verdict());
    for note in &comparison.notes {
        let _ = write!(text, "\nnote: {note}\n");
    }
    text += &table(&comparison.run_table());
    text += &table(&comparison.difference_table());
    text += &table(&comparison.parameter_table());
    let _ = writeln!(text, "\nreport {}", compared.folder.join("report.html").display());
    // Terminals know no spaces that do not break.
    text.replace('\u{a0}', " ")
}

/// A table below an empty line; nothing where it has no lines.
fn table(table: &TextTable) -> String {
    if table.lines.is_empty() {
        return String::new();
    }
    let numbers: Vec<usize> =
        (0..table.header.len()).filter(|column| table.is_number(*column)).collect();
    let lines: Vec<Vec<String>> =
        std::iter::once(&table.header).chain(&table.lines).cloned().collect();
    format!("\n{}", in_columns(&lines, &numbers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ChangedParameter, ComparedRun, Comparison};

    #[test]
    fn a_comparison_is_printed_with_its_tables() {
        let run = |name: &str, rmse: f64| ComparedRun {
            run: name.to_owned(),
            rmse: Some(rmse),
            ..ComparedRun::default()
        };
        let comparison = Comparison {
            target: "mass".to_owned(),
            unit: "g".to_owned(),
            runs: vec![run("a", 10.7), run("b", 9.8)],
            parameters: vec![ChangedParameter {
                key: "train.seed".to_owned(),
                values: vec![Some("1".to_owned()), Some("2".to_owned())],
            }],
            notes: vec!["`b` is new".to_owned()],
            ..Comparison::default()
        };
        let folder = "reports/compare-a-b".into();
        let text = of_comparison(&Compared { comparison, json: String::new(), folder });
        assert!(text.starts_with("No rows are shared"), "{text}");
        assert!(text.contains("note: `b` is new\n"), "{text}");
        assert!(text.contains("parameter   a  b\ntrain.seed  1  2\n"), "{text}");
        assert!(text.ends_with("report reports/compare-a-b/report.html\n"), "{text}");
    }
}
