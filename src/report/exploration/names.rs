//! Column names cut to the room that a figure has for them.

use crate::report::plots::style::{px, text_width};

/// Characters of a name that are looked at; longer ones lose their middle first.
const LONGEST_NAME: usize = 200;

/// `name` on one line and at most `pixels` wide in text of `size` pixels; the middle makes way for an
/// ellipsis, because names of a family of columns differ at their ends.
pub(super) fn shortened(name: &str, pixels: f64, size: f64) -> String {
    // Pages may set a wider font than the one measured here.
    let fits = |text: &str| text_width(text, size) * 11 / 10 <= px(pixels);
    let mut characters: Vec<char> = name.chars().filter(|one| !one.is_control()).collect();
    let excess = characters.len().saturating_sub(LONGEST_NAME);
    let start = LONGEST_NAME.min(characters.len()) / 2;
    characters.drain(start..start + excess);
    let whole: String = characters.iter().collect();
    if excess == 0 && fits(&whole) {
        return whole;
    }
    let kept = (0..characters.len()).rev().map(|kept| without_middle(&characters, kept));
    kept.into_iter().find(|text| fits(text)).unwrap_or_else(|| "…".to_owned())
}

/// The first and last of `kept` characters around an ellipsis.
fn without_middle(characters: &[char], kept: usize) -> String {
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let start = characters[..head].iter();
    start.chain(&['…']).chain(&characters[characters.len() - tail..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plots::style::{SMALL_TEXT, register_fonts};

    #[test]
    fn long_names_keep_both_ends_and_fit() {
        register_fonts();
        let name = "count_rate_of_detector_in_upper_ring_17";
        let short = shortened(name, 90.0, SMALL_TEXT);
        assert!(short.starts_with("count") && short.ends_with("17"), "{short}");
        assert!(short.contains('…') && text_width(&short, SMALL_TEXT) <= px(90.0));
    }

    #[test]
    fn short_names_stay_and_control_characters_go() {
        register_fonts();
        assert_eq!(shortened("det\u{0}1\n", 90.0, SMALL_TEXT), "det1");
        assert_eq!(shortened("", 90.0, SMALL_TEXT), "");
        assert!(shortened(&"m".repeat(100_000), 90.0, SMALL_TEXT).chars().count() < 20);
    }
}
