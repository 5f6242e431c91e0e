//! The weights that a network starts from.

use crate::{
    data::Generator,
    features::FeatureMatrix,
    model::{BINS, LayerValues, MemberWeights, Parametrisation, StackShape},
};

use super::{MemberTask, stack_trainer::TrainingContext};

const WEIGHT_STREAM: u64 = 5;

/// Training rows that initial weights are fitted to at most.
const MOST_ROWS: usize = 1024;

/// Training rows that place the bias of a unit.
const BIAS_ROWS: usize = 5;

/// Draws the weights of `task`: a function of the seed, the network's place and its training rows
/// alone.
pub(super) fn weights(context: &TrainingContext<'_>, task: &MemberTask) -> MemberWeights {
    let [repeat, fold, member] = task.stream();
    let mut generator = Generator::new(context.config.seed, &[WEIGHT_STREAM, repeat, fold, member]);
    let active = task.scaling.inputs.inverse_scale.iter().filter(|scale| **scale != 0.0).count();
    let mut weights = MemberWeights::draw(context.shape, active, &mut generator);
    let rows = sample(context, task, &mut generator);
    place_bins(context.shape, &rows, &mut weights);
    if context.parametrisation == Parametrisation::Ntk {
        fit_to_rows(context.shape, &rows, &mut weights, &mut generator);
    }
    weights
}

/// Some training rows in the network's units.
fn sample(
    context: &TrainingContext<'_>,
    task: &MemberTask,
    generator: &mut Generator,
) -> FeatureMatrix {
    let matrix = &context.table.features.distinct()[task.matrix];
    let mut rows = task.train.clone();
    generator.shuffle(&mut rows);
    let mut values = Vec::new();
    for row in rows.iter().take(MOST_ROWS) {
        task.scaling.inputs.scale(matrix.row(*row as usize), &mut values);
    }
    FeatureMatrix::new(matrix.columns(), values)
}

/// Puts the bins of a piecewise-linear embedding between quantiles of `rows`.
fn place_bins(shape: &StackShape, rows: &FeatureMatrix, weights: &mut MemberWeights) {
    let [left, inverse] = ["embedding.left", "embedding.inverse_width"];
    let Some(left) = offset(shape, left) else { return };
    let Some(inverse) = offset(shape, inverse) else { return };
    for feature in 0..shape.inputs {
        let mut values: Vec<f32> = (0..rows.rows()).map(|row| rows.row(row)[feature]).collect();
        values.sort_by(f32::total_cmp);
        let quantile = |bin: usize| values[bin * (values.len() - 1) / BINS];
        for bin in 0..BINS {
            let width = quantile(bin + 1) - quantile(bin);
            weights.0[left + feature * BINS + bin] = quantile(bin);
            weights.0[inverse + feature * BINS + bin] = if width > 0.0 { 1.0 / width } else { 0.0 };
        }
    }
}

/// Where the values of a parameter start.
fn offset(shape: &StackShape, name: &str) -> Option<usize> {
    let own = shape.placed().find(|(parameter, _)| parameter.name == name);
    own.map(|(_, place)| place.start)
}

/// Scales the matrix of each layer until every unit has deviation 1 on `rows`, and sets its bias to
/// minus a random average of its values on five of them, layer by layer from the input.
fn fit_to_rows(
    shape: &StackShape,
    rows: &FeatureMatrix,
    weights: &mut MemberWeights,
    generator: &mut Generator,
) {
    for layer in 0..shape.depth() {
        let outputs = LayerValues::of(shape, weights, rows.values(), layer).outputs;
        fit_layer(shape, layer, &outputs, weights, generator);
    }
}

fn fit_layer(
    shape: &StackShape,
    layer: usize,
    outputs: &[f32],
    weights: &mut MemberWeights,
    generator: &mut Generator,
) {
    let units = shape.layer(layer).1;
    let rows = outputs.len() / units;
    let batch = rows / shape.copies;
    let names = [format!("layer{layer}.weight"), format!("layer{layer}.bias")];
    let [Some(weight), Some(bias)] = names.map(|name| offset(shape, &name)) else { return };
    let (matrix_rows, columns) = if shape.copies > 1 && layer + 1 == shape.depth() {
        (1, shape.layer(layer).0)
    } else {
        (shape.layer(layer).0, units)
    };
    for unit in 0..units {
        let own: Vec<f64> = (0..rows).map(|row| f64::from(outputs[row * units + unit])).collect();
        let deviation = deviation(&own);
        // Where nothing varies there is nothing to scale, and each layer would multiply what rounding leaves.
        let scale = if deviation > 1e-6 { 1.0 / deviation } else { 1.0 };
        if columns == units {
            for row in 0..matrix_rows {
                weights.0[weight + row * columns + unit] *= scale as f32;
            }
        } else {
            let all = &mut weights.0[weight..weight + shape.copies * columns];
            for value in all {
                *value *= scale as f32;
            }
        }
        for copy in 0..shape.copies {
            let centre = random_average(&own[copy * batch..(copy + 1) * batch], generator);
            weights.0[bias + copy * units + unit] = (-centre * scale) as f32;
        }
    }
}

fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}

/// An average of five values drawn at random, with exponentially distributed weights.
fn random_average(values: &[f64], generator: &mut Generator) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for _ in 0..BIAS_ROWS {
        let weight = generator.exponential();
        sum += weight * values[generator.below(values.len())];
        total += weight;
    }
    sum / total
}
