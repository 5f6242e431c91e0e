//! Where intervals hold clearly less often than they promise, though on the whole they may keep their promise.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::RunReport;
use super::number_format::{percent, significant};
use crate::evaluate::Scores;

/// Probability that equally good intervals look like this in any of the places that are looked at.
const CHANCE: f64 = 0.01;

/// The fold or the range of the target in which the intervals of a run hold so seldom that chance does not explain it, as
/// `80.1 % where mass is from 49.0 to 120`: by the binomial distribution of as many containers, with Bonferroni's
/// correction for all folds of the first repeat and all ranges.
pub(super) fn weak_spot(report: &RunReport) -> Option<String> {
    let (data, evaluation) = (&report.data, &report.evaluation);
    let units = data.groups.unwrap_or(data.rows) as f64;
    let folds =
        evaluation.folds.iter().filter(|own| own.repeat == 0).map(|own| {
            (&own.scores, units / data.rows.max(1) as f64, format!("in fold {}", own.fold))
        });
    let ranges = evaluation.ranges.iter().map(|own| {
        let place = format!(
            "where {} is from {} to {}{}",
            data.target,
            significant(own.low, 3),
            significant(own.high, 3),
            data.unit_suffix()
        );
        (&own.scores, units / evaluation.pooled.rows.max(1) as f64, place)
    });
    let places: Vec<(&Scores, f64, String)> = folds.chain(ranges).collect();
    let chance = |(scores, share, _): &(&Scores, f64, String)| {
        chance(scores.coverage, scores.rows as f64 * share, evaluation.level)
    };
    let weakest = places.iter().min_by(|a, b| chance(a).total_cmp(&chance(b)))?;
    let is_clear = chance(weakest) * (places.len() as f64) < CHANCE;
    is_clear.then(|| format!("{} {}", percent(weakest.0.coverage, 1), weakest.2))
}

/// Probability that no more than the share `coverage` of so many units lies inside intervals that hold with `level`.
fn chance(coverage: f64, units: f64, level: f64) -> f64 {
    let units = units.round().max(1.0);
    let inside = (coverage * units).round();
    let law = Binomial::new(level, units as u64).ok().filter(|_| inside.is_finite());
    law.map_or(1.0, |law| law.cdf(inside as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::full_report;

    #[test]
    fn the_probability_equals_scipys() {
        // scipy.stats.binom.cdf(163, 204, 0.9) and of (8, 8, 0.9)
        assert!((chance(163.0 / 204.0, 204.0, 0.9) - 1.191_671_151_316_923_3e-5).abs() < 1e-12);
        assert!((chance(1.0, 8.0, 0.9) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_range_that_holds_too_seldom_is_named_and_chance_is_not() {
        let mut report = full_report(800, 4);
        report.data.groups = None;
        report.data.rows = 800;
        for own in &mut report.evaluation.folds {
            own.scores.coverage = 0.88;
        }
        for own in &mut report.evaluation.ranges {
            (own.scores.coverage, own.scores.rows) = (0.89, 200);
        }
        assert_eq!(weak_spot(&report), None);
        report.evaluation.ranges[0].scores.coverage = 0.78;
        let text = weak_spot(&report).unwrap().replace('\u{a0}', " ");
        assert!(text.starts_with("78.0 % where mass is from "), "{text}");
    }
}
