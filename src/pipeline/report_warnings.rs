//! What the reader must know before trusting the scores, as the scores themselves tell.

use crate::{
    evaluate::{OddFold, ScoreBounds},
    report::{RunReport, percent, significant},
};

/// Validation losses this many times the training loss show networks that know their rows by heart.
const OVERFIT: f64 = 5.0;

/// Warnings that only the finished evaluation can give, worst first.
pub(super) fn warnings_of(report: &RunReport) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(report.worth_sentence());
    warnings.extend(loses(report));
    warnings.extend(coverage(report));
    warnings.extend(report.trust.odd_folds.iter().map(|own| odd_fold(report, own)));
    warnings
}

/// That a plain linear model does better, and whether networks learned their rows by heart.
fn loses(report: &RunReport) -> Option<String> {
    let baseline = report.baseline.as_ref()?;
    let (own, other) = (report.evaluation.pooled.rmse, baseline.scores.rmse);
    baseline.error_ratio(&report.evaluation.pooled).filter(|ratio| *ratio > 1.0)?;
    let [shown, other] = [own, other].map(|rmse| significant(rmse, 3));
    // No reader sees a difference between numbers that look alike.
    if shown == other {
        return None;
    }
    let by_heart = loss_ratio(report).filter(|ratio| *ratio > OVERFIT).map_or_else(
        String::new,
        |ratio| {
            format!(
                "; the networks know their training rows by heart (their loss on other rows is {} times as large)",
                significant(ratio, 2)
            )
        },
    );
    let unit = report.data.unit_suffix();
    Some(format!(
        "{} does better than the model: RMSE {other}{unit} against {shown}{unit}{by_heart}",
        baseline.name,
    ))
}

/// Validation loss over training loss at the epochs that were kept, all networks together.
fn loss_ratio(report: &RunReport) -> Option<f64> {
    let kept = |repeat: usize, fold: usize| {
        let folds = &report.evaluation.folds;
        folds.iter().find(|own| (own.repeat, own.fold) == (repeat, fold)).map(|own| own.best_epoch)
    };
    let mut sums = (0.0, 0.0);
    for own in &report.history {
        if let (Some(epoch), Some(loss)) = (kept(own.repeat, own.fold), own.validation_loss)
            && epoch == own.epoch
        {
            sums = (sums.0 + loss, sums.1 + own.train_loss);
        }
    }
    (sums.1 > 0.0).then(|| sums.0 / sums.1)
}

/// That intervals hold clearly less than they promise.
fn coverage(report: &RunReport) -> Option<String> {
    let bounds: &ScoreBounds = report.trust.bounds.as_ref()?;
    let level = report.evaluation.level;
    (bounds.coverage.high < level).then(|| {
        format!(
            "intervals are too narrow: {} of the true values lie inside their {} interval",
            percent(report.evaluation.pooled.coverage, 0),
            percent(level, 0)
        )
    })
}

fn odd_fold(report: &RunReport, own: &OddFold) -> String {
    let several = report.evaluation.folds.iter().any(|fold| fold.repeat > 0);
    let repeat = if several { format!("repeat {} ", own.repeat) } else { String::new() };
    let (size, ratio) =
        if own.ratio > 1.0 { ("larger", own.ratio) } else { ("smaller", 1.0 / own.ratio) };
    format!(
        "{repeat}fold {} is unlike the others: its errors are {} times {size} (p = {}); look for drift or for \
         rows of another kind in it",
        own.fold,
        significant(ratio, 2),
        significant(own.p_value, 1)
    )
}
