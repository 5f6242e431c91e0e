//! The page of a comparison as Markdown.

use super::{Comparison, TextTable};
use crate::report::comparison::page::{DIFFERENCE_NOTE, title};

/// The whole text.
pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = format!("# {}\n\n{}.\n", title(comparison), escaped(&comparison.verdict()));
    text.extend(comparison.notes.iter().map(|note| format!("\n> {note}\n")));
    text += &section("Runs", &comparison.run_table(), "");
    let heading = format!("Differences to {}", escaped(comparison.reference()));
    text += &section(&heading, &comparison.difference_table(), DIFFERENCE_NOTE);
    text += &section("Parameters", &comparison.parameter_table(), "");
    text
}

/// A table under its heading; nothing where it has no lines.
fn section(heading: &str, table: &TextTable, note: &str) -> String {
    if table.lines.is_empty() {
        return String::new();
    }
    let note = if note.is_empty() { String::new() } else { format!("\n{note}\n") };
    let rule = (0..table.header.len()).map(|at| if table.is_number(at) { "---:" } else { "---" });
    let rule = format!("|{}|\n", rule.collect::<Vec<_>>().join("|"));
    let lines: String = table.lines.iter().map(|own| line(own)).collect();
    format!("\n## {heading}\n\n{}{rule}{lines}{note}", line(&table.header))
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Text without what Markdown takes for marks.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if "|*_`<>[]\\".contains(character) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample_comparison::sample_comparison;

    #[test]
    fn tables_stay_whole_whatever_is_in_a_cell() {
        let text = render(&sample_comparison(2));
        assert!(text.contains("| model.kind | \"mlp\\|x\" | – |"), "{text}");
        assert!(text.contains("|---|---|---|---|---:|"), "{text}");
        assert!(text.contains("## Differences to a\n"), "{text}");
    }

    #[test]
    fn sections_without_lines_are_left_out() {
        let mut comparison = sample_comparison(2);
        comparison.differences.clear();
        comparison.parameters.clear();
        let text = render(&comparison);
        assert!(!text.contains("## Differences") && !text.contains("## Parameters"));
        assert!(text.contains("> a `note`"));
    }
}
