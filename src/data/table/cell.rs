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
    let text = std::str::from_utf8(cell).ok()?;
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Whether a cell of text stands for no value: empty, or `NA`, `N/A`, `NaN`, `null` in any case.
#[must_use]
pub fn is_missing(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    [&b""[..], b"na", b"n/a", b"nan", b"null"].iter().any(|name| cell.eq_ignore_ascii_case(name))
}
