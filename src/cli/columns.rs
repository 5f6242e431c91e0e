//! Lines of cells in columns of equal width.

/// Most characters of a cell between others; longer ones end with an ellipsis. The first names its line, as people
/// type it.
const WIDEST: usize = 48;

/// The lines, two spaces between columns, each as wide as its widest cell; numbers of the columns in `right` end
/// where their column ends.
pub(super) fn in_columns(lines: &[Vec<String>], right: &[usize]) -> String {
    let lines: Vec<Vec<String>> = lines.iter().map(|line| cut(line)).collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> =
        (0..lines.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
    let cell = |(column, text): (usize, &String)| {
        let width = widths[column];
        if right.contains(&column) { format!("{text:>width$}") } else { format!("{text:<width$}") }
    };
    let line = |line: &Vec<String>| {
        let cells: Vec<String> = line.iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

/// The cells, each in one line and not wider than there is room.
fn cut(line: &[String]) -> Vec<String> {
    let cell = |(column, cell): (usize, &String)| {
        let printable = |own: char| if own.is_control() { ' ' } else { own };
        let mut text: Vec<char> = cell.chars().map(printable).collect();
        if text.len() > WIDEST && column > 0 && column + 1 < line.len() {
            text.truncate(WIDEST - 1);
            text.push('…');
        }
        text.into_iter().collect()
    };
    line.iter().enumerate().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let line = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = [line(["run", "R²", ""]), line(["a", "0.91", "champion"])];
        assert_eq!(in_columns(&lines, &[1]), "run    R²\na    0.91  champion\n");
        let long = in_columns(&[line(["long\nname", &"x".repeat(60), &"y".repeat(60)])], &[]);
        assert_eq!(long, format!("long name  {}…  {}\n", "x".repeat(WIDEST - 1), "y".repeat(60)));
    }
}
