//! Models that are not networks, on the features of a fold.

use crate::model::{
    FittedRegressor, Function, InputMap, InputScaling, KernelKind, KernelModel, LARGEST_INPUT,
    Linear, Neighbours, SMOOTH_BOUND,
};

use super::{
    graph::{Element, Graph, Value, integer},
    preprocessing::Features,
    trees,
};

/// The transformed target `[N, 1]` that a regressor gives.
pub(super) fn transformed(
    graph: &mut Graph,
    features: &Features,
    regressor: &FittedRegressor,
) -> Value {
    let own = match &regressor.function {
        Function::Linear(own) => linear(graph, features, own),
        Function::Kernel(own) => kernel(graph, features, own),
        Function::Neighbours(own) => neighbours(graph, features, own),
        Function::Trees(own) => trees::sum(graph, features, own),
    };
    let deviation = graph.scalar(regressor.target_deviation);
    let mean = graph.scalar(regressor.target_mean);
    let scaled = graph.op("Mul", &[&own, &deviation]);
    graph.op("Add", &[&scaled, &mean])
}

fn linear(graph: &mut Graph, features: &Features, own: &Linear) -> Value {
    let slopes = graph.double(&[own.coefficients.len(), 1], &own.coefficients);
    let intercept = graph.scalar(own.intercept);
    let sum = graph.op("MatMul", &[&features.double, &slopes]);
    graph.op("Add", &[&sum, &intercept])
}

/// Features in the units of a model: `[N, features]` with one map, `[M, N, features]` with several.
pub(super) fn mapped(graph: &mut Graph, features: &Features, maps: &[&InputMap]) -> Value {
    let size: &[usize] =
        if maps.len() == 1 { &[1, features.width] } else { &[maps.len(), 1, features.width] };
    let centre: Vec<f32> = maps.iter().flat_map(|map| map.centre.iter().copied()).collect();
    let inverse: Vec<f32> = maps.iter().flat_map(|map| map.inverse_scale.iter().copied()).collect();
    let (centre, inverse) = (graph.float(size, &centre), graph.float(size, &inverse));
    let centred = graph.op("Sub", &[&features.single, &centre]);
    let x = graph.op("Mul", &[&centred, &inverse]);
    match maps[0].scaling {
        InputScaling::Standard => {
            let low = graph.float(&[], &[-LARGEST_INPUT]);
            let high = graph.float(&[], &[LARGEST_INPUT]);
            graph.op("Clip", &[&x, &low, &high])
        }
        InputScaling::Robust => {
            let (third, one) = (graph.scalar_float(1.0 / SMOOTH_BOUND), graph.scalar_float(1.0));
            let share = graph.op("Mul", &[&x, &third]);
            let square = graph.op("Mul", &[&share, &share]);
            let square = graph.op("Add", &[&square, &one]);
            let root = graph.op("Sqrt", &[&square]);
            graph.op("Div", &[&x, &root])
        }
    }
}

fn kernel(graph: &mut Graph, features: &Features, own: &KernelModel) -> Value {
    let (points, width) = (own.coefficients.len(), features.width);
    let x = mapped(graph, features, &[&own.inputs]);
    let x = graph.cast(&x, Element::Double);
    let count = graph.scalar(width as f64);
    let products = {
        let by_feature: Vec<f64> = (0..width)
            .flat_map(|feature| (0..points).map(move |point| (feature, point)))
            .map(|(feature, point)| f64::from(own.points[point * width + feature]))
            .collect();
        let by_feature = graph.double(&[width, points], &by_feature);
        graph.op("MatMul", &[&x, &by_feature])
    };
    let product = graph.op("Div", &[&products, &count]);
    let form = match own.kernel.kind {
        KernelKind::Linear => product.clone(),
        KernelKind::Quadratic => {
            let (kernel_width, one) = (graph.scalar(own.kernel.width), graph.scalar(1.0));
            let share = graph.op("Div", &[&product, &kernel_width]);
            let above = graph.op("Add", &[&share, &one]);
            graph.op("Mul", &[&above, &above])
        }
        KernelKind::Gaussian | KernelKind::Laplace => {
            let distance = squared_distance(graph, (&x, &products), &count, own);
            decay(graph, &distance, own)
        }
    };
    let share = graph.scalar(own.kernel.linear);
    let line = graph.op("Mul", &[&product, &share]);
    let similarity = graph.op("Add", &[&form, &line]);
    let coefficients = graph.double(&[points, 1], &own.coefficients);
    let sum = graph.op("MatMul", &[&similarity, &coefficients]);
    let intercept = graph.scalar(own.intercept);
    graph.op("Add", &[&sum, &intercept])
}

/// The mean squared difference of rows and points: `|x|^2 + |z|^2 - 2 x . z`, which double precision
/// affords for numbers of single precision.
fn squared_distance(
    graph: &mut Graph,
    (x, products): (&Value, &Value),
    count: &Value,
    own: &KernelModel,
) -> Value {
    let width = own.points.len() / own.coefficients.len().max(1);
    let norm = |point: &[f32]| point.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
    let norms: Vec<f64> = own.points.chunks_exact(width.max(1)).map(norm).collect();
    let norms = graph.double(&[1, norms.len()], &norms);
    let squares = graph.op("Mul", &[x, x]);
    let own_norm = graph.sum(&squares, 1);
    let two = graph.scalar(2.0);
    let twice = graph.op("Mul", &[products, &two]);
    let sum = graph.op("Add", &[&own_norm, &norms]);
    let distance = graph.op("Sub", &[&sum, &twice]);
    let zero = graph.scalar(0.0);
    let distance = graph.op("Max", &[&distance, &zero]);
    graph.op("Div", &[&distance, count])
}

fn decay(graph: &mut Graph, distance: &Value, own: &KernelModel) -> Value {
    let width = own.kernel.width;
    let exponent = if own.kernel.kind == KernelKind::Gaussian {
        let factor = graph.scalar(-0.5 / width.powi(2));
        graph.op("Mul", &[distance, &factor])
    } else {
        let root = graph.op("Sqrt", &[distance]);
        let factor = graph.scalar(-1.0 / width);
        graph.op("Mul", &[&root, &factor])
    };
    graph.op("Exp", &[&exponent])
}

/// The mean target of the nearest points by the inverse of their distance. Differences are taken one by
/// one: on a known row the distance must be 0 to the last bit.
fn neighbours(graph: &mut Graph, features: &Features, own: &Neighbours) -> Value {
    let (points, width) = (own.targets.len(), features.width);
    let x = mapped(graph, features, &[&own.inputs]);
    let x = graph.reshape(&x, &[-1, 1, width as i64]);
    let known = graph.float(&[1, points, width], &own.points);
    let off = graph.op("Sub", &[&x, &known]);
    // Squares are exact then, and rows as far as each other tie as they do in `predict`.
    let off = graph.cast(&off, Element::Double);
    let squares = graph.op("Mul", &[&off, &off]);
    let axes = graph.integers(&[2]);
    let distance = graph.op_with("ReduceSum", &[&squares, &axes], vec![integer("keepdims", 0)]);
    let count = graph.integers(&[own.count as i64]);
    let nearest = vec![integer("axis", 1), integer("largest", 0)];
    let [distance, places] = graph.node("", "TopK", &[&distance, &count], nearest);
    let root = graph.op("Sqrt", &[&distance]);
    let tiny = graph.scalar(1e-6);
    let root = graph.op("Add", &[&root, &tiny]);
    let targets = graph.double(&[points], &own.targets);
    let weights = graph.double(&[points], &own.weights);
    let targets = graph.op("Gather", &[&targets, &places]);
    let weights = graph.op("Gather", &[&weights, &places]);
    let weights = graph.op("Div", &[&weights, &root]);
    let weighted = graph.op("Mul", &[&weights, &targets]);
    let (sum, total) = (graph.sum(&weighted, 1), graph.sum(&weights, 1));
    let zero = graph.scalar(0.0);
    let exists = graph.op("Greater", &[&total, &zero]);
    let mean = graph.op("Div", &[&sum, &total]);
    graph.op("Where", &[&exists, &mean, &zero])
}
