//! Names of columns, groups and runs, cut to the room that there is for them. The middle makes way for an ellipsis,
//! because names of one family differ at their ends.

use std::collections::HashMap;

use super::plots::style::{px, text_width};

/// Characters of a name that are looked at; longer ones lose their middle first.
const LONGEST_NAME: usize = 200;

/// `name` on one line and at most `most` characters long.
#[must_use]
pub fn abbreviated(name: &str, most: usize) -> String {
    cut(&printable(name), most)
}

/// `names` as [`abbreviated`], but for those that would look alike: of them what all share makes way for what they differ
/// in.
#[must_use]
pub fn told_apart<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<String> {
    let names: Vec<Vec<char>> = names.into_iter().map(printable).collect();
    let mut labels: Vec<String> = names.iter().map(|name| cut(name, most)).collect();
    let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, label) in labels.iter().enumerate() {
        alike.entry(label.clone()).or_default().push(place);
    }
    for places in alike.into_values().filter(|places| places.len() > 1) {
        let own: Vec<&[char]> = places.iter().map(|place| names[*place].as_slice()).collect();
        let (before, behind) = shared(&own);
        if own.iter().all(|name| name.len() == before) {
            continue;
        }
        let end = if behind > 0 { "…" } else { "" };
        for (place, name) in places.iter().zip(own) {
            let differing = cut(&name[before..name.len() - behind], most.saturating_sub(2));
            let room = most.saturating_sub(differing.chars().count() + 2);
            let start: String = name[..before.min(room)].iter().collect();
            labels[*place] = format!("{start}…{differing}{end}");
        }
    }
    labels
}

/// How many characters all names have in common at their start, and at their end beside these.
fn shared(names: &[&[char]]) -> (usize, usize) {
    let first = names[0];
    let alike = |pairs: &mut dyn Iterator<Item = (&char, &char)>| {
        pairs.take_while(|(own, other)| own == other).count()
    };
    let start = |other: &&[char]| alike(&mut first.iter().zip(*other));
    let end = |other: &&[char]| alike(&mut first.iter().rev().zip(other.iter().rev()));
    let shortest = names.iter().map(|name| name.len()).min().unwrap_or(0);
    let before = names.iter().map(start).min().unwrap_or(0);
    let behind = names.iter().map(end).min().unwrap_or(0);
    (before, behind.min(shortest - before))
}

fn cut(name: &[char], most: usize) -> String {
    if name.len() <= most {
        return name.iter().collect();
    }
    without_middle(name, most.saturating_sub(1))
}

/// `name` on one line and at most `pixels` wide in text of `size` pixels on a page, which may set a wider font than the
/// one measured here.
pub(super) fn shortened(name: &str, pixels: f64, size: f64) -> String {
    fitted(name, px(pixels) * 10 / 11, size)
}

/// `name` on one line and at most `room` drawing units wide in text of `size` pixels; without control characters,
/// which SVG forbids.
pub(super) fn fitted(name: &str, room: i32, size: f64) -> String {
    let mut characters = printable(name);
    let excess = characters.len().saturating_sub(LONGEST_NAME);
    let start = LONGEST_NAME.min(characters.len()) / 2;
    characters.drain(start..start + excess);
    let fits = |text: &str| text_width(text, size) <= room;
    let whole: String = characters.iter().collect();
    if excess == 0 && fits(&whole) {
        return whole;
    }
    let kept = (0..characters.len()).rev().map(|kept| without_middle(&characters, kept));
    kept.into_iter().find(|text| fits(text)).unwrap_or_else(|| "…".to_owned())
}

fn printable(name: &str) -> Vec<char> {
    name.chars().filter(|one| !one.is_control()).collect()
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
    use crate::report::plots::style::{SMALL_TEXT, TEXT, register_fonts};

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

    #[test]
    fn names_are_cut_in_their_middle_by_characters() {
        assert_eq!(abbreviated("mass\u{0}\n (g)", 8), "mass (g)");
        assert_eq!(abbreviated("counts of detector 17", 9), "coun…r 17");
        assert_eq!(abbreviated("counts", 1), "…");
    }

    #[test]
    fn names_that_differ_in_their_middle_stay_apart() {
        let names: Vec<String> = (9..12)
            .map(|place| format!("the counts of detector {place} in arbitrary units"))
            .collect();
        let labels = told_apart(names.iter().map(String::as_str).chain(["b", "b"]), 20);
        assert_eq!(labels[2..], ["the counts of de…11…", "b", "b"]);
        assert!(labels.iter().all(|label| label.chars().count() <= 20), "{labels:?}");
        assert_eq!(labels.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        // The very same name, twice, and names that end where others go on.
        let same = "x".repeat(30);
        assert_eq!(told_apart([same.as_str(), same.as_str()], 5), ["xx…xx", "xx…xx"]);
        let longer = format!("{same}x");
        assert_eq!(told_apart([same.as_str(), longer.as_str()], 5), ["xxx…", "xx…x"]);
    }

    #[test]
    fn headings_fit_exactly() {
        register_fonts();
        let cut = fitted(&"m".repeat(400), px(200.0), TEXT);
        assert!(cut.contains('…') && text_width(&cut, TEXT) <= px(200.0), "{cut}");
    }
}
