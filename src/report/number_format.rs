//! Numbers as people read them: a few significant digits, a real minus sign, powers of ten.

/// Exponents shown without a power of ten.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -4..6;

/// `value` rounded to `digits` significant digits, e.g. `12.3`, `−0.00450` or `6.02×10²³`.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return special(value);
    }
    let scientific = format!("{:.*e}", digits.max(1) - 1, value.abs());
    let (mantissa, exponent) = split_exponent(&scientific);
    let text = if PLAIN_EXPONENTS.contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        format!("{:.decimals$}", value.abs())
    } else {
        format!("{mantissa}×10{}", superscript(exponent))
    };
    with_sign(value, &text)
}

/// Most decimals that keep a share from being rounded up to 100 %.
const MOST_DECIMALS: usize = 4;

/// `share` in percent, e.g. `91.3 %`; whole percents where `decimals` is 0. What is less than all is not rounded up
/// to 100 %: it gets the decimals that it takes, as far as anybody reads them.
pub(crate) fn percent(share: f64, decimals: usize) -> String {
    if !share.is_finite() {
        return special(share);
    }
    let size = (share * 100.0).abs();
    let is_rounded_up = |text: &String| size < 100.0 && text.starts_with("100");
    let mut shown = (decimals..=MOST_DECIMALS).map(|decimals| format!("{size:.decimals$}"));
    let text =
        shown.find(|text| !is_rounded_up(text)).unwrap_or_else(|| format!("{:.decimals$}", 100.0));
    let text = text + "\u{a0}%";
    let rounds_to_zero = !text.contains(|digit: char| ('1'..='9').contains(&digit));
    with_sign(if rounds_to_zero { 0.0 } else { share }, &text)
}

/// A count with thin gaps between the thousands, e.g. `20 000`.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, e.g. `1 row` or `104 rows`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let noun = if number == 1 { noun.to_owned() } else { plural(noun) };
    format!("{} {noun}", count(number))
}

/// Several of what an English noun names, e.g. `batches`, `assays`, `symmetries`, `series`.
pub(super) fn plural(noun: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| noun.ends_with(ending));
    if ends(&["ss", "x", "z", "ch", "sh"]) {
        format!("{noun}es")
    } else if ends(&["s"]) {
        noun.to_owned()
    } else if ends(&["y"]) && !ends(&["ay", "ey", "iy", "oy", "uy"]) {
        format!("{}ies", &noun[..noun.len() - 1])
    } else {
        format!("{noun}s")
    }
}

/// `exponent` in raised digits, e.g. `⁻⁵`.
pub(super) fn superscript(exponent: i32) -> String {
    exponent.to_string().chars().map(raised).collect()
}

/// `text` with a minus sign where `value` is negative.
pub(super) fn with_sign(value: f64, text: &str) -> String {
    if value < 0.0 { format!("−{text}") } else { text.to_owned() }
}

fn special(value: f64) -> String {
    match value {
        _ if value.is_nan() => "–".to_owned(),
        _ if value.is_infinite() => with_sign(value, "∞"),
        _ => "0".to_owned(),
    }
}

fn split_exponent(scientific: &str) -> (&str, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa, exponent.parse().unwrap_or_default())
}

fn raised(character: char) -> char {
    match character {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => {
            char::from_u32(u32::from(digit) - u32::from('4') + u32::from('⁴')).unwrap_or(digit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_asked_digits() {
        let shown: Vec<String> = [12.3456, 0.012_345, 999.96, 123_456.0, -2.0, 0.0]
            .iter()
            .map(|&value| significant(value, 4))
            .collect();
        assert_eq!(shown, ["12.35", "0.01235", "1000", "123456", "−2.000", "0"]);
    }

    #[test]
    fn huge_and_tiny_numbers_use_powers_of_ten() {
        assert_eq!(significant(6.022_14e23, 3), "6.02×10²³");
        assert_eq!(significant(-1.5e-9, 2), "−1.5×10⁻⁹");
    }

    #[test]
    fn what_is_not_a_number_shows_as_a_dash() {
        assert_eq!(significant(f64::NAN, 3), "–");
        assert_eq!(significant(f64::INFINITY, 3), "∞");
        assert_eq!(percent(f64::NAN, 1), "–");
    }

    #[test]
    fn percents_and_counts_read_well() {
        assert_eq!(percent(0.913, 0), "91\u{a0}%");
        assert_eq!(percent(-0.000_01, 1), "0.0\u{a0}%");
        assert_eq!(
            (percent(0.996, 0), percent(1.0, 0)),
            ("99.6\u{a0}%".into(), "100\u{a0}%".into())
        );
        assert_eq!(percent(0.999_97, 1), "99.997\u{a0}%");
        assert_eq!(percent(1.0 - 1e-12, 0), "100\u{a0}%");
        assert_eq!(percent(1.0 - 1e-12, 1), "100.0\u{a0}%");
        assert_eq!(count(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(104, "row"), "104 rows");
    }

    #[test]
    fn nouns_have_their_plurals() {
        let plurals =
            ["lot", "batch", "box", "assay", "survey", "symmetry", "series", "glass"].map(plural);
        let expected =
            ["lots", "batches", "boxes", "assays", "surveys", "symmetries", "series", "glasses"];
        assert_eq!(plurals, expected);
        assert_eq!(
            (counted(1, "batch"), counted(2, "batch")),
            ("1 batch".into(), "2 batches".into())
        );
    }
}
