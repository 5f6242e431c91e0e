//! Scores fold by fold: whether the pooled number hides a bad fold.

use plotters::style::RGBColor;

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{LEGEND_HEIGHT, Mark, legend};
use super::panel::Panel;
use super::style::{BLUE, INK, VERMILLION, fill, line};
use super::ticks::Tick;
use crate::evaluate::{FoldScores, Scores};
use crate::report::number_format::significant;
use crate::report::{ReportError, RunReport};

/// Half the width of a bar, in steps between bars.
const HALF_BAR: f64 = 0.36;

/// Lowest coefficient of determination that a bar shows in full.
const LOWEST_R2: f64 = -1.0;

/// One panel: a score of every fold, the pooled score, the nominal value.
struct Measure {
    name: String,
    values: Vec<Option<f64>>,
    pooled: Option<f64>,
    nominal: Option<f64>,
    /// In full, and shorter.
    show: [fn(f64) -> String; 2],
}

/// Draws the figure.
pub(super) fn draw(report: &RunReport) -> Result<Figure, ReportError> {
    let positions = positions(&report.evaluation.folds);
    let measures = measures(report);
    let svg = sheet((720, 260 + LEGEND_HEIGHT as u32), |area| {
        let rest = legend(
            area,
            &[
                (Mark::Bar, BLUE, "one fold"),
                (Mark::Line, INK, "all folds pooled"),
                (Mark::Dashes, VERMILLION, "nominal coverage"),
            ],
        )?;
        let panels = rest.split_evenly((1, measures.len()));
        panels.iter().zip(&measures).try_for_each(|(panel, measure)| {
            draw_measure(panel, measure, (&positions, fold_axis(&report.evaluation.folds)))
        })
    })?;
    Ok(Figure { name: "scores_by_fold", title: "Scores by fold", caption: caption(report), svg })
}

fn measures(report: &RunReport) -> [Measure; 3] {
    let evaluation = &report.evaluation;
    let values = |score: fn(&Scores) -> Option<f64>| {
        let score = move |scores| score(scores).filter(|value| value.is_finite());
        (
            evaluation.folds.iter().map(|fold| score(&fold.scores)).collect(),
            score(&evaluation.pooled),
        )
    };
    let measure = |name: String, score: fn(&Scores) -> Option<f64>, show, nominal| {
        let (values, pooled) = values(score);
        Measure { name, values, pooled, nominal, show }
    };
    let unit = report.data.unit_in_brackets();
    [
        measure(
            format!("RMSE{unit}"),
            |scores| Some(scores.rmse),
            [|rmse| significant(rmse, 3), |rmse| significant(rmse, 2)],
            None,
        ),
        measure(
            "R²".to_owned(),
            |scores| scores.r2,
            [|r2| format!("{r2:.2}").replace('-', "−"); 2],
            None,
        ),
        measure(
            "coverage (%)".to_owned(),
            |scores| Some(scores.coverage * 100.0),
            [|percents| format!("{percents:.0}"); 2],
            Some(evaluation.level * 100.0),
        ),
    ]
}

/// Where each fold's bar stands: one step apart, with a gap between repeats.
fn positions(folds: &[FoldScores]) -> Vec<f64> {
    let first = folds.first().map_or(0, |fold| fold.repeat);
    let gap = |fold: &FoldScores| fold.repeat.saturating_sub(first) as f64 * 0.8;
    folds.iter().enumerate().map(|(index, fold)| index as f64 + gap(fold)).collect()
}

/// Numbers the folds, or the repeats where there are several.
fn fold_axis(folds: &[FoldScores]) -> (String, Axis) {
    let positions = positions(folds);
    let high = positions.last().copied().unwrap_or(0.0) + 0.7;
    let is_repeated = folds.iter().any(|fold| fold.repeat != folds[0].repeat);
    let (name, ticks) = if is_repeated {
        ("repeat (one bar per fold)", repeat_ticks(folds, &positions))
    } else {
        let ticks = folds.iter().zip(&positions);
        let tick = |(fold, position): (&FoldScores, &f64)| Tick {
            position: *position,
            label: fold.fold.to_string(),
        };
        ("fold", ticks.map(tick).collect())
    };
    (name.to_owned(), Axis::categories(-0.7, high, thinned(ticks)))
}

/// One tick in the middle of each repeat's bars.
fn repeat_ticks(folds: &[FoldScores], positions: &[f64]) -> Vec<Tick> {
    let repeats = folds.chunk_by(|left, right| left.repeat == right.repeat);
    let mut start = 0;
    repeats
        .map(|folds| {
            let (first, last) = (positions[start], positions[start + folds.len() - 1]);
            start += folds.len();
            Tick { position: f64::midpoint(first, last), label: folds[0].repeat.to_string() }
        })
        .collect()
}

/// Every n-th tick, so that about ten remain.
fn thinned(ticks: Vec<Tick>) -> Vec<Tick> {
    let stride = ticks.len().div_ceil(10).max(1);
    ticks.into_iter().step_by(stride).collect()
}

fn draw_measure(
    area: &Area<'_>,
    measure: &Measure,
    (positions, (x_name, x)): (&[f64], (String, Axis)),
) -> Drawn {
    let drawn = |value: f64| value.max(LOWEST_R2);
    let known = measure.values.iter().copied().flatten();
    let lines = measure.pooled.into_iter().chain(measure.nominal);
    let y = Axis::from_zero(known.chain(lines).map(drawn), 5);
    let panel = Panel { heading: measure.name.clone(), x_name, y_name: String::new(), x, y };
    let mut chart = panel.draw(area)?;
    // All bars say what they are, or none.
    let has_room = |show: &fn(f64) -> String| {
        let mut known = measure.values.iter().copied().flatten();
        known.all(|value| chart.has_room_for(&show(value), 2.0 * HALF_BAR))
    };
    let show = measure.show.into_iter().find(has_room);
    for (position, value) in positions.iter().zip(&measure.values) {
        let Some(value) = *value else { continue };
        let (left, right) = (position - HALF_BAR, position + HALF_BAR);
        chart.bar((left, 0.0), (right, drawn(value)), fill(BLUE, 0.55))?;
        if let Some(show) = show {
            let place = (*position, note_height(drawn(value), chart.ends().y.1));
            chart.note(&show(value), place)?;
        }
    }
    let (left, right) = chart.ends().x;
    let mut level = |height: Option<f64>, color: RGBColor, dashed: bool| match height {
        Some(height) if dashed => chart.dashes((left, height), (right, height), color),
        Some(height) => {
            chart.path([(left, drawn(height)), (right, drawn(height))], line(color, 1.0, 1.5))
        }
        None => Ok(()),
    };
    level(measure.pooled, INK, false)?;
    level(measure.nominal, VERMILLION, true)
}

/// Notes stand at the foot of their bar, or on top of a bar that is shorter than they are.
fn note_height(bar: f64, top: f64) -> f64 {
    if bar < top / 8.0 { bar.max(0.0) } else { 0.0 }
}

fn caption(report: &RunReport) -> String {
    let folds = &report.evaluation.folds;
    let unknown = folds.iter().any(|fold| fold.scores.r2.is_none());
    let low = folds.iter().any(|fold| fold.scores.r2.is_some_and(|r2| r2 < LOWEST_R2));
    let missing = if unknown { " A fold whose targets do not vary has no R²." } else { "" };
    let cut = if low { " R² below −1 is drawn at −1." } else { "" };
    format!(
        "Each bar is one held-out fold, numbered as in predictions.csv; bars of very different height \
         mean that the pooled number depends on which rows are held out.{missing}{cut}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(count: usize) -> Vec<Tick> {
        let tick = |index: usize| Tick { position: index as f64, label: index.to_string() };
        (0..count).map(tick).collect()
    }

    #[test]
    fn many_folds_keep_few_labels() {
        assert_eq!(thinned(ticks(5)).len(), 5);
        assert_eq!(thinned(ticks(30)).len(), 10);
    }
}
