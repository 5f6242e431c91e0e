//! What is in a cell of a table, whatever file it comes from.

use std::borrow::Cow;

/// The content of one cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// What a text file holds, or a column of text.
    Text(Cow<'a, [u8]>),
    /// A number with a point, or none (`NaN`).
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// No value.
    Missing,
}

impl<'a> Cell<'a> {
    /// The finite number in the cell.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => parse_number(text),
            Self::Number(number) => Some(*number).filter(|number| number.is_finite()),
            Self::Integer(number) => Some(*number as f64),
            Self::Missing => None,
        }
    }

    /// Whether it stands for no value.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Text(text) => is_missing(text),
            Self::Number(number) => number.is_nan(),
            Self::Integer(_) => false,
            Self::Missing => true,
        }
    }

    /// Its content as text; empty where there is none.
    #[must_use]
    pub fn text(&self) -> Cow<'a, [u8]> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) if number.is_nan() => Cow::default(),
            Self::Number(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Missing => Cow::default(),
        }
    }
}

/// The finite number in a cell of text, spaces around it ignored.
#[must_use]
pub fn parse_number(cell: &[u8]) -> Option<f64> {
    let number = fast_float2::parse(cell.trim_ascii()).ok();
    // Spaces of other scripts, such as those that do not break.
    let number = number.or_else(|| str::from_utf8(cell).ok()?.trim().parse::<f64>().ok());
    number.filter(|number| number.is_finite())
}

/// Whether a cell of text stands for no value: empty, or `NA`, `N/A`, `NaN`, `null` in any case.
#[must_use]
pub fn is_missing(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    [&b""[..], b"na", b"n/a", b"nan", b"null"].iter().any(|name| cell.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    /// What the standard library makes of a cell.
    fn expected(text: &str) -> Option<f64> {
        text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        let odd = [
            "",
            " ",
            "1",
            "+1",
            "-1",
            " 2.5\t",
            ".5",
            "5.",
            "1e-3",
            "1E5",
            "-0",
            "1e400",
            "1e-400",
            "4.9e-324",
            "inf",
            "-Infinity",
            "nan",
            "1_000",
            "0x10",
            "1,5",
            "1 2",
            "--1",
            "e5",
            ".",
            "\u{a0}3.25\u{a0}",
            "\u{2003}7",
            "9007199254740993",
            "0.1",
            "2.2250738585072011e-308",
        ];
        for text in odd {
            let found = parse_number(text.as_bytes()).map(f64::to_bits);
            assert_eq!(found, expected(text).map(f64::to_bits), "{text:?}");
        }
        let mut generator = Generator::new(1, &[]);
        for _ in 0..10_000 {
            let number = generator.normal() * 10.0_f64.powf(60.0 * generator.normal());
            for text in [number.to_string(), format!("{number:e}"), format!("{number:.3}")] {
                let found = parse_number(text.as_bytes()).map(f64::to_bits);
                assert_eq!(found, expected(&text).map(f64::to_bits), "{text}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_no_number() {
        assert_eq!(parse_number(b"\xff1"), None);
    }
}
