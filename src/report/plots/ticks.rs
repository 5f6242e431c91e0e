//! Tick marks: round positions with labels that share their decimals.

use crate::report::number_format::{superscript, with_sign};

/// One tick mark.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Tick {
    /// Where it stands.
    pub position: f64,
    /// What it says.
    pub label: String,
}

/// Ticks that are asked for at most, where fewer gave no two.
const FINEST: usize = 64;

/// About `target` ticks at multiples of 1, 2 or 5 times a power of ten within `[low, high]`; at least two, without which
/// nobody can read a scale, but for ends that are equal.
pub(in crate::report) fn linear_ticks(low: f64, high: f64, target: usize) -> Vec<Tick> {
    let step = round_step((high - low) / target.max(1) as f64);
    if !(step > 0.0 && step.is_finite()) {
        return Vec::new();
    }
    let slack = 1e-9;
    let (first, last) = ((low / step - slack).ceil(), (high / step + slack).floor());
    if last <= first && target < FINEST {
        return linear_ticks(low, high, 2 * target.max(1));
    }
    let n_ticks = ((last - first) as usize).min(4 * target) + 1;
    let positions = (0..n_ticks).map(|index| (first + index as f64) * step);
    let largest = low.abs().max(high.abs());
    positions.map(|position| Tick { position, label: label(position, step, largest) }).collect()
}

/// About `target` ticks for a logarithmic axis: powers of ten, with 2 and 5 between them on short axes.
/// Both ends must be positive.
pub(in crate::report) fn log_ticks(low: f64, high: f64, target: usize) -> Vec<Tick> {
    let decades = high.log10() - low.log10();
    if decades < 0.7 {
        return linear_ticks(low, high, target);
    }
    let digits: &[f64] = match target as f64 / decades {
        per_decade if per_decade >= 2.5 => &[1.0, 2.0, 5.0],
        per_decade if per_decade >= 1.6 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let stride = (decades / target.max(1) as f64).ceil().max(1.0) as usize;
    decade_ticks(low, high, digits, stride)
}

fn decade_ticks(low: f64, high: f64, digits: &[f64], stride: usize) -> Vec<Tick> {
    let (slack, stride) = (1e-9, stride as i32);
    let first = (low.log10().floor() as i32).div_euclid(stride) * stride;
    let last = high.log10().ceil() as i32;
    let powers = (first..=last).step_by(stride as usize);
    powers
        .flat_map(|power| digits.iter().map(move |digit| (*digit, power)))
        .map(|(digit, power)| (digit * 10f64.powi(power), digit, power))
        .filter(|(position, _, _)| (low * (1.0 - slack)..=high * (1.0 + slack)).contains(position))
        .map(|(position, digit, power)| Tick { position, label: decade_label(digit, power) })
        .collect()
}

/// The smallest of 1, 2, 5, 10 times a power of ten that is at least `rough`.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let mantissa = [1.0, 2.0, 5.0].into_iter().find(|&digit| digit * power >= rough * (1.0 - 1e-9));
    mantissa.unwrap_or(10.0) * power
}

/// `position` with as many decimals as `step` needs; with a power of ten where the axis is far from 1.
fn label(position: f64, step: f64, largest: f64) -> String {
    if position.abs() < step / 2.0 {
        return "0".to_owned();
    }
    let finest = exponent_of(step);
    let common = exponent_of(largest);
    let text = if (-4..6).contains(&common) {
        format!("{:.*}", (-finest).max(0) as usize, position.abs())
    } else {
        let mantissa = position.abs() / 10f64.powi(common);
        format!("{mantissa:.*}×10{}", (common - finest).max(0) as usize, superscript(common))
    };
    with_sign(position, &text)
}

fn decade_label(digit: f64, power: i32) -> String {
    match (digit, power) {
        (_, -3..5) => format!("{:.*}", (-power).max(0) as usize, digit * 10f64.powi(power)),
        (1.0, _) => format!("10{}", superscript(power)),
        _ => format!("{digit}×10{}", superscript(power)),
    }
}

fn exponent_of(value: f64) -> i32 {
    (value.log10() + 1e-9).floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_labels_share_their_decimals() {
        assert_eq!(labels(&linear_ticks(0.0, 0.61, 4)), ["0", "0.2", "0.4", "0.6"]);
        assert_eq!(labels(&linear_ticks(-3.0, 3.0, 3)), ["−2", "0", "2"]);
        assert_eq!(labels(&linear_ticks(0.97, 1.0, 3)), ["0.97", "0.98", "0.99", "1.00"]);
        // A step of 5 would give one tick alone.
        assert_eq!(labels(&linear_ticks(-4.4, 3.6, 2)), ["−4", "−2", "0", "2"]);
    }

    #[test]
    fn far_away_axes_use_powers_of_ten() {
        assert_eq!(labels(&linear_ticks(0.0, 3.0e7, 3)), ["0", "1×10⁷", "2×10⁷", "3×10⁷"]);
        assert_eq!(labels(&linear_ticks(0.0, 1.0e-9, 2)), ["0", "0.5×10⁻⁹", "1.0×10⁻⁹"]);
    }

    #[test]
    fn logarithmic_labels_are_plain_near_one() {
        assert_eq!(labels(&log_ticks(0.5, 120.0, 4)), ["1", "3", "10", "30", "100"]);
        assert_eq!(labels(&log_ticks(1e-9, 1e9, 4)), ["10⁻⁵", "1", "10⁵"]);
    }

    #[test]
    fn impossible_ranges_have_no_ticks() {
        assert!(linear_ticks(1.0, 1.0, 5).is_empty());
        assert!(linear_ticks(f64::NAN, 1.0, 5).is_empty());
    }
}
