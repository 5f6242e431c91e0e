//! What to make of a run, written from its numbers by fixed rules: no sentence that a number does not carry.

use super::number_format::{counted, percent, significant};
use super::page::{capitalised, r2_text};
use super::plots::relative_error::limits;
use super::{PastRun, RunReport, weak_spot::weak_spot, worth::Worth};
use crate::evaluate::{Bounds, DroppedColumn, Importance};

/// Bounds of the coverage that are further apart tell nothing of the intervals.
const WIDEST_COVERAGE: f64 = 0.2;

/// An importance below this share of the error is not worth a sentence.
const NEGLIGIBLE: f64 = 0.01;

/// An importance within this many standard errors of 0 is not shown to be one.
const ERRORS: f64 = 2.0;

/// The conclusions, the most important first.
pub(super) fn conclusions(report: &RunReport) -> Vec<String> {
    let mut all = vec![accuracy(report)];
    let is_worth_something = report.worth() == Worth::Shown;
    if is_worth_something {
        let board = report.leaderboard.as_ref().filter(|board| !board.is_alone());
        all.extend(board.map(|board| format!("{}.", board.sentence())));
    }
    all.extend(worth(report));
    all.extend(intervals(report));
    all.extend(leakage(report));
    // What a model does that knows nothing says nothing of the columns.
    if is_worth_something {
        all.extend(report.trust.detection.map(|limit| limits(report, &limit)));
        all.extend(columns(report));
        all.extend(losses(report));
    }
    all.extend(more_groups(report));
    all.extend(progress(report));
    all
}

/// `(95 %: low to high)` behind a number.
pub(super) fn bounds_text(bounds: Bounds, confidence: f64, show: impl Fn(f64) -> String) -> String {
    format!("{}: {} to {}", percent(confidence, 0), show(bounds.low), show(bounds.high))
}

fn accuracy(report: &RunReport) -> String {
    let (scores, unit) = (&report.evaluation.pooled, report.data.unit_suffix());
    let amount = |value: f64| significant(value, 3);
    let bounds = report.trust.bounds.as_ref();
    let rmse_bounds = bounds.map_or_else(String::new, |own| {
        format!(" ({})", bounds_text(own.rmse, own.confidence, amount))
    });
    let unseen = match (&report.data.group, report.is_cross_validated()) {
        (Some(group), true) => format!("a {group} that the model has not seen"),
        _ => "a row that the model has not seen".to_owned(),
    };
    let explained = scores.r2.filter(|r2| *r2 > 0.0).map_or_else(String::new, |r2| {
        let own = bounds.and_then(|own| Some((own.r2?, own.confidence)));
        let bounds = own.map_or_else(String::new, |(bounds, confidence)| {
            format!("; {}", bounds_text(bounds, confidence, r2_text))
        });
        format!(
            ", and {} of the variance of {} is explained (R² {}{bounds})",
            percent(r2, 0),
            report.data.target,
            r2_text(r2)
        )
    });
    format!(
        "Expect an error of about {}{unit}{rmse_bounds} for {unseen}{explained}.",
        amount(scores.rmse)
    )
}

/// That the model is worth nothing, or is not shown to be worth anything, unless a warning above says so.
fn worth(report: &RunReport) -> Option<String> {
    let own = report.worth_sentence().filter(|own| !report.warnings.contains(own))?;
    Some(format!("{}.", capitalised(&own)))
}

fn intervals(report: &RunReport) -> Option<String> {
    let bounds = report.trust.bounds.as_ref()?;
    let (level, found) = (report.evaluation.level, report.evaluation.pooled.coverage);
    let wide = bounds.coverage.high - bounds.coverage.low > WIDEST_COVERAGE;
    let verdict = match (bounds.coverage.low > level, bounds.coverage.high < level) {
        (true, _) => "The intervals are wider than they need to be".to_owned(),
        (_, true) => "The intervals promise more than they hold".to_owned(),
        _ if wide => format!("There are too few {} to judge the intervals", report.data.units()),
        _ => "The intervals keep their promise, as far as the table tells".to_owned(),
    };
    let share = |value: f64| percent(value, 1);
    let but = weak_spot(report).map_or_else(String::new, |own| format!(", but only {own}"));
    Some(format!(
        "{verdict}: {} of the true values lie inside their {} interval ({}){but}.",
        share(found),
        percent(level, 0),
        bounds_text(bounds.coverage, bounds.confidence, share)
    ))
}

fn leakage(report: &RunReport) -> Option<String> {
    let (leakage, group) = (report.leakage.as_ref()?, report.data.group.as_ref()?);
    Some(format!("{}.", leakage.sentence(group).replace("R2", "R²").replace('`', "")))
}

/// Which column the model needs most, and how many it does not show to need.
fn columns(report: &RunReport) -> Option<String> {
    let insights = report.insights.as_ref()?;
    let least = NEGLIGIBLE * report.evaluation.pooled.rmse;
    let matters = |own: &&Importance| own.rmse_increase > (ERRORS * own.standard_error).max(least);
    let first = insights.columns.first().filter(matters)?;
    // What was passed over moves predictions less than all that was looked at.
    let idle = insights.columns.iter().filter(|own| !matters(own)).count();
    let idle = if idle == 0 { 0 } else { idle + insights.passed_over() };
    let others = match idle {
        0 => String::new(),
        _ => format!(
            "; {} of {} {} it by less than {}, or by no more than chance does",
            idle,
            counted(insights.columns.len() + insights.passed_over(), "column"),
            if idle == 1 { "changes" } else { "change" },
            percent(NEGLIGIBLE, 0)
        ),
    };
    Some(format!(
        "The model leans on {} most: with its values from other {} the error grows by {}{}{others}.",
        first.set.name,
        report.data.units(),
        significant(first.rmse_increase, 2),
        report.data.unit_suffix()
    ))
}

/// What the loss of one column costs, and whether it would be no loss.
fn losses(report: &RunReport) -> Vec<String> {
    let Some(retraining) = &report.retraining else { return Vec::new() };
    let single: Vec<&DroppedColumn> =
        retraining.dropped.iter().filter(|own| own.set.columns.len() == 1).collect();
    let by_mean =
        |a: &&&DroppedColumn, b: &&&DroppedColumn| a.difference.mean.total_cmp(&b.difference.mean);
    let (Some(worst), Some(best)) = (single.iter().max_by(by_mean), single.iter().min_by(by_mean))
    else {
        return Vec::new();
    };
    // Of many columns one looks clear by chance: each gets its share of the significance (Bonferroni).
    let is_clear = |own: &DroppedColumn| own.difference.is_clear_among(single.len());
    let unit = report.data.unit_suffix();
    let amount =
        |own: &DroppedColumn| format!("{}{unit}", significant(own.difference.mean.abs(), 2));
    let mut all = Vec::new();
    if worst.difference.mean > 0.0 && is_clear(worst) {
        all.push(format!(
            "Without {} the model, trained anew, errs by {} more: clearly worse.",
            worst.set.name,
            amount(worst)
        ));
    } else {
        let most = if worst.difference.mean > 0.0 {
            format!(" ({} more without {})", amount(worst), worst.set.name)
        } else {
            String::new()
        };
        all.push(format!(
            "No single column is shown to be indispensable: trained without any one of them, the model errs by no more \
             than chance allows{most}."
        ));
    }
    if best.difference.mean < 0.0 && is_clear(best) {
        all.push(format!(
            "Without {} the model, trained anew, errs by {} less: clearly better, so try to leave it out.",
            best.set.name,
            amount(best)
        ));
    }
    all
}

/// Whether more groups would help.
fn more_groups(report: &RunReport) -> Option<String> {
    let (gain, is_clear) = report.retraining.as_ref()?.last_gain()?;
    let what = report.data.units();
    Some(if is_clear && gain > 0.0 {
        format!(
            "More {what} would help: with the last fifth of them the error still fell by {}, more than chance allows.",
            percent(gain, 0)
        )
    } else {
        format!(
            "More {what} of the same kind would hardly help: the last fifth of them changed the error by {}, \
             which is no more than chance allows.",
            percent(-gain, 0)
        )
    })
}

/// Where the run stands among others on the same table.
fn progress(report: &RunReport) -> Option<String> {
    let on_same = |run: &&PastRun| {
        run.data_sha256 == report.data.sha256 && run.name != report.name && run.rmse.is_finite()
    };
    let others: Vec<&PastRun> = report.milestones.runs.iter().filter(on_same).collect();
    let best = others.iter().min_by(|a, b| a.rmse.total_cmp(&b.rmse))?;
    let own = report.evaluation.pooled.rmse;
    let unit = report.data.unit_suffix();
    let amount = |value: f64| format!("{}{unit}", significant(value, 3));
    if amount(own) == amount(best.rmse) {
        return None;
    }
    Some(if own < best.rmse {
        format!(
            "Of {} on this table it has the smallest error; the next best, {}, has an RMSE of {}.",
            counted(others.len() + 1, "run"),
            best.name,
            amount(best.rmse)
        )
    } else {
        format!(
            "Of {} on this table, {} has the smallest error: RMSE {} against {} here.",
            counted(others.len() + 1, "run"),
            best.name,
            amount(best.rmse),
            amount(own)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evaluate::Difference,
        report::sample_report::{full_report, sample_report},
    };

    fn of(report: &RunReport) -> String {
        conclusions(report).join("\n").replace('\u{a0}', " ")
    }

    #[test]
    fn every_number_leads_to_its_sentence() {
        let text = of(&full_report(80, 4));
        let expected = [
            "for a container that the model has not seen",
            "is explained (R² 0.970; 95 %: ",
            "The detection limit lies far below the smallest judged value, 0.50 g",
            "leans on detector_1 most: with its values from other containers the error grows by 4.0 g; 1 of 2 columns changes it by less than 1 %",
            "Without detector_1 the model, trained anew, errs by 3.0 g more: clearly worse.",
            "More containers would help: with the last fifth of them the error still fell by 30 %, more than chance allows.",
            "Of 2 runs on this table it has the smallest error; the next best, before, has an RMSE of 12.0 g.",
        ];
        for sentence in expected {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_concluded() {
        let text = of(&sample_report(20, 2));
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn a_model_that_knows_nothing_is_called_so_and_no_column_is_praised() {
        let mut report = full_report(80, 4);
        report.leaderboard = None;
        report.evaluation.pooled.r2 = Some(-0.012);
        report.trust.bounds.as_mut().unwrap().r2 = Some(Bounds { low: -0.3, high: 0.3 });
        let text = of(&report);
        assert!(
            text.contains(
                "The errors are no smaller than the spread of mass in these rows (R² −0.012)"
            ),
            "{text}"
        );
        assert!(["explained", "leans on", "detection limit"].iter().all(|own| !text.contains(own)));
        report.evaluation.pooled.r2 = Some(0.1);
        report.trust.bounds.as_mut().unwrap().r2 = Some(Bounds { low: -0.1, high: 0.3 });
        let text = of(&report);
        assert!(text.contains("These rows do not show that the model knows"), "{text}");
        assert!(!text.contains("leans on"));
        report.warnings.extend(report.worth_sentence());
        assert!(!of(&report).contains("These rows do not show"));
    }

    #[test]
    fn the_rules_see_the_other_side_too() {
        let mut report = full_report(80, 4);
        let retraining = report.retraining.as_mut().unwrap();
        retraining.dropped[0].difference.p_value = 0.4;
        retraining.last = Some(Difference { mean: -0.1, standard_error: 0.4, p_value: 0.8 });
        let bounds = report.trust.bounds.as_mut().unwrap();
        (bounds.coverage.low, bounds.coverage.high) = (0.5, 0.7);
        report.milestones.runs[0].rmse = 0.1;
        let text = of(&report);
        let expected = [
            "No single column is shown to be indispensable: trained without any one of them, the model errs by no more \
             than chance allows (3.0 g more without detector_1).",
            "would hardly help: the last fifth of them changed the error by 2 %",
            "The intervals promise more than they hold",
            "before has the smallest error: RMSE 0.100 g",
        ];
        for sentence in expected {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
        let dropped = &mut report.retraining.as_mut().unwrap().dropped;
        (dropped[0].difference.mean, dropped[0].difference.p_value) = (-3.0, 1e-4);
        assert!(
            of(&report).contains("Without detector_1 the model, trained anew, errs by 3.0 g less")
        );
        let bounds = report.trust.bounds.as_mut().unwrap();
        (bounds.coverage.low, bounds.coverage.high) = (0.68, 0.96);
        report.insights.as_mut().unwrap().columns[0].rmse_increase = 1e-9;
        let text = of(&report);
        assert!(
            text.contains("too few containers to judge the intervals") && !text.contains("leans")
        );
    }
}
