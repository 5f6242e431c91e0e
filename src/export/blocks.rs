//! Feature blocks as operators on cleaned rows, in double precision.

use std::f64::consts::TAU;

use crate::features::{
    FittedBlock, NormalScores, Pairs, PrincipalComponents, RingAsymmetries, Sorted,
};

use super::graph::{Element, Graph, Value, integer};

/// The columns `[N, count]` of `block` for cleaned `rows` of `width` columns, and their number.
pub(super) fn columns(
    graph: &mut Graph,
    rows: &Value,
    width: usize,
    block: &FittedBlock,
) -> (Value, usize) {
    let inner = |graph: &mut Graph, of: &FittedBlock| columns(graph, rows, width, of);
    match block {
        FittedBlock::Raw(_) => (rows.clone(), width),
        FittedBlock::Total(total) => (sum_of(graph, rows, &total.columns), 1),
        FittedBlock::Summary(summary) => (summarised(graph, rows, &summary.columns), 4),
        FittedBlock::Shares(shares) => {
            let parts = graph.columns(rows, &shares.columns);
            let sizes = graph.op("Abs", &[&parts]);
            let whole = graph.sum(&sizes, 1);
            (share(graph, &parts, &whole), shares.columns.len())
        }
        FittedBlock::Ratios(ratios) => {
            let sides: Vec<Value> =
                ratios.sides.iter().map(|(_, side)| sum_of(graph, rows, side)).collect();
            let sides = graph.concat(&sides.iter().collect::<Vec<_>>(), 1);
            let (first, second): (Vec<usize>, Vec<usize>) = ratios.pairs().unzip();
            (compared(graph, &sides, &first, &second), first.len())
        }
        FittedBlock::Sorted(sorted) => sorted_rings(graph, rows, sorted),
        FittedBlock::RingSums(rings) => {
            let sums: Vec<Value> =
                rings.rings.iter().map(|ring| sum_of(graph, rows, ring)).collect();
            (graph.concat(&sums.iter().collect::<Vec<_>>(), 1), sums.len())
        }
        FittedBlock::RingAsymmetries(rings) => asymmetries(graph, rows, rings),
        FittedBlock::Log1p(log) => {
            let (values, count) = inner(graph, &log.of);
            (signed_log1p(graph, &values), count)
        }
        FittedBlock::Normal(normal) => {
            let (values, count) = inner(graph, &normal.of);
            (normal_scores(graph, &values, normal), count)
        }
        FittedBlock::Pairs(pairs) => {
            let values = inner(graph, &pairs.of).0;
            products(graph, &values, pairs)
        }
        FittedBlock::Pca(components) => {
            let values = inner(graph, &components.of).0;
            projected(graph, &values, components)
        }
    }
}

fn sum_of(graph: &mut Graph, rows: &Value, places: &[usize]) -> Value {
    let picked = graph.columns(rows, places);
    graph.sum(&picked, 1)
}

/// `part / whole`, 0 where the whole is not above 0.
fn share(graph: &mut Graph, part: &Value, whole: &Value) -> Value {
    let zero = graph.scalar(0.0);
    let exists = graph.op("Greater", &[whole, &zero]);
    let shares = graph.op("Div", &[part, whole]);
    graph.op("Where", &[&exists, &shares, &zero])
}

/// Mean, deviation, largest and smallest value of a row.
fn summarised(graph: &mut Graph, rows: &Value, places: &[usize]) -> Value {
    let picked = graph.columns(rows, places);
    let count = graph.scalar(places.len().max(1) as f64);
    let largest = graph.reduce("ReduceMax", &picked, 1);
    let smallest = graph.reduce("ReduceMin", &picked, 1);
    let parts = graph.op("Div", &[&picked, &count]);
    let mean = graph.sum(&parts, 1);
    let above = graph.op("Sub", &[&largest, &mean]);
    let below = graph.op("Sub", &[&mean, &smallest]);
    let farthest = graph.op("Max", &[&above, &below]);
    let off = graph.op("Sub", &[&picked, &mean]);
    let off = graph.op("Div", &[&off, &farthest]);
    let squares = graph.op("Mul", &[&off, &off]);
    let squares = graph.sum(&squares, 1);
    let variance = graph.op("Div", &[&squares, &count]);
    let root = graph.op("Sqrt", &[&variance]);
    let deviation = graph.op("Mul", &[&farthest, &root]);
    let zero = graph.scalar(0.0);
    let varies = graph.op("Greater", &[&farthest, &zero]);
    let deviation = graph.op("Where", &[&varies, &deviation, &zero]);
    graph.concat(&[&mean, &deviation, &largest, &smallest], 1)
}

/// `a / (|a| + |b|)` of pairs of columns.
fn compared(graph: &mut Graph, sides: &Value, first: &[usize], second: &[usize]) -> Value {
    let (a, b) = (graph.columns(sides, first), graph.columns(sides, second));
    let (size, other) = (graph.op("Abs", &[&a]), graph.op("Abs", &[&b]));
    let whole = graph.op("Add", &[&size, &other]);
    share(graph, &a, &whole)
}

fn sorted_rings(graph: &mut Graph, rows: &Value, sorted: &Sorted) -> (Value, usize) {
    let ring = |ring: &Vec<usize>| {
        let picked = graph.columns(rows, ring);
        let count = graph.integers(&[ring.len() as i64]);
        let [values, _] = graph.node("", "TopK", &[&picked, &count], vec![integer("axis", 1)]);
        values
    };
    let rings: Vec<Value> = sorted.rings.iter().map(ring).collect();
    let count = sorted.rings.iter().map(Vec::len).sum();
    (graph.concat(&rings.iter().collect::<Vec<_>>(), 1), count)
}

/// The size of each ring's first harmonic over the sum of its signals.
fn asymmetries(graph: &mut Graph, rows: &Value, rings: &RingAsymmetries) -> (Value, usize) {
    let one = |ring: &Vec<usize>| {
        let picked = graph.columns(rows, ring);
        let angle = |place: usize| TAU * place as f64 / ring.len() as f64;
        let waves: Vec<f64> = (0..ring.len())
            .flat_map(|place| {
                let (sine, cosine) = libm::sincos(angle(place));
                [cosine, sine]
            })
            .collect();
        let waves = graph.double(&[ring.len(), 2], &waves);
        let harmonic = graph.op("MatMul", &[&picked, &waves]);
        let squares = graph.op("Mul", &[&harmonic, &harmonic]);
        let square = graph.sum(&squares, 1);
        let size = graph.op("Sqrt", &[&square]);
        let sizes = graph.op("Abs", &[&picked]);
        let whole = graph.sum(&sizes, 1);
        share(graph, &size, &whole)
    };
    let all: Vec<Value> = rings.rings.iter().map(one).collect();
    (graph.concat(&all.iter().collect::<Vec<_>>(), 1), all.len())
}

/// `sign(x) ln(1 + |x|)`: where `1 + |x|` loses digits of a small x, its logarithm is off by the same
/// factor as its excess over 1 (Goldberg, 1991).
fn signed_log1p(graph: &mut Graph, values: &Value) -> Value {
    let one = graph.scalar(1.0);
    let size = graph.op("Abs", &[values]);
    let above = graph.op("Add", &[&size, &one]);
    let log = graph.op("Log", &[&above]);
    let excess = graph.op("Sub", &[&above, &one]);
    let is_tiny = graph.op("Equal", &[&above, &one]);
    let is_endless = graph.op("IsInf", &[&excess]);
    let factor = graph.op("Div", &[&size, &excess]);
    let exact = graph.op("Mul", &[&log, &factor]);
    let exact = graph.op("Where", &[&is_tiny, &size, &exact]);
    let exact = graph.op("Where", &[&is_endless, &log, &exact]);
    let sign = graph.op("Sign", &[values]);
    graph.op("Mul", &[&exact, &sign])
}

/// The columns in standard units.
fn standardised(graph: &mut Graph, values: &Value, units: &[(f64, f64)]) -> Value {
    let (mean, inverse): (Vec<f64>, Vec<f64>) = units.iter().copied().unzip();
    let size = [1, units.len()];
    let (mean, inverse) = (graph.double(&size, &mean), graph.double(&size, &inverse));
    let places: Vec<usize> = (0..units.len()).collect();
    let values = graph.columns(values, &places);
    let centred = graph.op("Sub", &[&values, &mean]);
    graph.op("Mul", &[&centred, &inverse])
}

fn products(graph: &mut Graph, values: &Value, pairs: &Pairs) -> (Value, usize) {
    let standard = standardised(graph, values, &pairs.units);
    let (first, second): (Vec<usize>, Vec<usize>) = pairs.places().unzip();
    let (a, b) = (graph.columns(&standard, &first), graph.columns(&standard, &second));
    (graph.op("Mul", &[&a, &b]), first.len())
}

fn projected(
    graph: &mut Graph,
    values: &Value,
    components: &PrincipalComponents,
) -> (Value, usize) {
    let standard = standardised(graph, values, &components.units);
    let (inputs, outputs) = (components.units.len(), components.loadings.len());
    let loadings: Vec<f64> = (0..inputs)
        .flat_map(|input| components.loadings.iter().map(move |loading| loading[input]))
        .collect();
    let loadings = graph.double(&[inputs, outputs], &loadings);
    (graph.op("MatMul", &[&standard, &loadings]), outputs)
}

/// The place of each value among the knots of its column, as a normal quantile.
fn normal_scores(graph: &mut Graph, values: &Value, normal: &NormalScores) -> Value {
    let (columns, knots) = (normal.knots.len(), normal.scores.len());
    let table = graph.double(&[1, columns, knots], &normal.knots.concat());
    let x = graph.reshape(values, &[-1, columns as i64, 1]);
    let below = count(graph, "Less", &table, &x);
    let up_to = count(graph, "LessOrEqual", &table, &x);
    let one = graph.integers(&[1]);
    let is_knot = graph.op("Less", &[&below, &up_to]);
    // On a knot, or on a stretch of equal ones: the middle of the stretch.
    let twice = graph.op("Add", &[&below, &up_to]);
    let twice = graph.op("Sub", &[&twice, &one]);
    let middles: Vec<f64> = (0..2 * knots).map(|twice| normal.middle(twice)).collect();
    let middles = graph.double(&[middles.len()], &middles);
    let highest = 2 * knots as i64 - 1;
    let place = limited(graph, &twice, highest);
    let on_knot = graph.op("Gather", &[&middles, &place]);
    let between = interpolated(graph, values, &below, normal);
    graph.op("Where", &[&is_knot, &on_knot, &between])
}

/// How many knots `[1, C, K]` are `kind` than the values `[N, C, 1]`, as `[N, C]`.
fn count(graph: &mut Graph, kind: &str, knots: &Value, x: &Value) -> Value {
    let is_below = graph.op(kind, &[knots, x]);
    let ones = graph.cast(&is_below, Element::Int64);
    let axes = graph.integers(&[2]);
    graph.op_with("ReduceSum", &[&ones, &axes], vec![integer("keepdims", 0)])
}

/// Positions within 0 and `highest`.
fn limited(graph: &mut Graph, places: &Value, highest: i64) -> Value {
    let (low, high) = (graph.integers(&[0]), graph.integers(&[highest]));
    let places = graph.op("Max", &[places, &low]);
    graph.op("Min", &[&places, &high])
}

/// The score between the knots around each value; the outermost score beyond them.
fn interpolated(graph: &mut Graph, values: &Value, below: &Value, normal: &NormalScores) -> Value {
    let (columns, knots) = (normal.knots.len(), normal.scores.len());
    let one = graph.integers(&[1]);
    let left = graph.op("Sub", &[below, &one]);
    let left = limited(graph, &left, knots as i64 - 1);
    let right = limited(graph, below, knots as i64 - 1);
    let starts: Vec<i64> = (0..columns).map(|column| (column * knots) as i64).collect();
    let starts = graph.integers(&starts);
    let flat = graph.double(&[columns * knots], &normal.knots.concat());
    let scores = graph.double(&[knots], &normal.scores);
    let at = |graph: &mut Graph, place: &Value| {
        let flat_place = graph.op("Add", &[place, &starts]);
        (graph.op("Gather", &[&flat, &flat_place]), graph.op("Gather", &[&scores, place]))
    };
    let (from, low) = at(graph, &left);
    let (to, high) = at(graph, &right);
    let stretch = graph.op("Sub", &[&to, &from]);
    let off = graph.op("Sub", &[values, &from]);
    let rise = graph.op("Sub", &[&high, &low]);
    let part = share(graph, &off, &stretch);
    let step = graph.op("Mul", &[&part, &rise]);
    graph.op("Add", &[&low, &step])
}
