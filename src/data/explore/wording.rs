//! How findings name columns, rows and numbers.

/// Names or rows that are listed before the rest is only counted.
const LISTED: usize = 6;

/// A number with at most four significant digits.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e6).contains(&magnitude) {
        return exponential(value);
    }
    let digits = if magnitude < 1e-300 { 0 } else { (3 - magnitude.log10().floor() as i32).max(0) };
    let text = format!("{value:.*}", digits as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn exponential(value: f64) -> String {
    let text = format!("{value:.3e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

/// A count with its noun, e.g. `1 row` or `104 rows`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Column names in backticks, e.g. `det1` and `det2`.
pub(super) fn names<T: AsRef<str>>(names: &[T]) -> String {
    let quoted = names.iter().map(|name| format!("`{}`", name.as_ref()));
    listed(quoted.take(LISTED).collect(), names.len())
}

/// Rows counted from 1, e.g. `rows 3, 8 and 12`; `rows` are counted from 0.
pub(super) fn rows(rows: &[usize]) -> String {
    let shown = rows.iter().take(LISTED).map(|row| (row + 1).to_string()).collect();
    format!("row{} {}", if rows.len() == 1 { "" } else { "s" }, listed(shown, rows.len()))
}

/// `shown` items of `all`, with commas, an `and`, and the count of the rest.
fn listed(mut shown: Vec<String>, all: usize) -> String {
    if all > shown.len() {
        shown.push(format!("{} more", all - shown.len()));
    }
    match shown.pop() {
        Some(last) if !shown.is_empty() => format!("{} and {last}", shown.join(", ")),
        last => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 1.5, -0.012_346, 1139.895, 123_456.0, 1.7e9, 2.5e-7].map(number);
        assert_eq!(shown, ["0", "1.5", "-0.01235", "1140", "123456", "1.7e9", "2.5e-7"]);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(rows(&[2]), "row 3");
        assert_eq!(rows(&[2, 7, 11]), "rows 3, 8 and 12");
        assert_eq!(rows(&(0..9).collect::<Vec<_>>()), "rows 1, 2, 3, 4, 5, 6 and 3 more");
        assert_eq!(names(&["a", "b"]), "`a` and `b`");
        assert_eq!(counted(1, "row") + &counted(2, "row"), "1 row2 rows");
    }
}
