//! Regressors as named arrays, to be kept in files that other programs can read.

use std::{borrow::Cow, collections::BTreeMap};

use safetensors::{Dtype, SafeTensors, View};

use crate::model::{
    FittedRegressor, Function, InputMap, InputScaling, Kernel, KernelKind, KernelModel, Linear,
    Neighbours, RegressorKind, Tree, TreeEnsemble,
};

/// The arrays of one regressor by name.
pub(super) type Arrays = BTreeMap<String, Array>;

/// Numbers in a row, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    kind: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Array {
    fn dtype(&self) -> Dtype {
        self.kind
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Array {
    pub(in crate::train) fn doubles(values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { kind: Dtype::F64, shape: vec![values.len()], bytes }
    }

    /// A matrix, row-major.
    pub(in crate::train) fn matrix(values: &[f64], columns: usize) -> Self {
        let shape = vec![values.len() / columns.max(1), columns];
        Self { shape, ..Self::doubles(values) }
    }

    fn singles(values: impl Iterator<Item = f32>) -> Self {
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        Self { kind: Dtype::F32, shape: vec![bytes.len() / 4], bytes }
    }

    fn integers(values: impl Iterator<Item = i32>) -> Self {
        let bytes: Vec<u8> = values.flat_map(i32::to_le_bytes).collect();
        Self { kind: Dtype::I32, shape: vec![bytes.len() / 4], bytes }
    }

    pub(in crate::train) fn to_doubles(&self) -> Option<Vec<f64>> {
        let numbers = self.bytes.as_chunks::<8>().0.iter();
        (self.kind == Dtype::F64).then(|| numbers.map(|own| f64::from_le_bytes(*own)).collect())
    }

    fn to_singles(&self) -> Option<Vec<f32>> {
        let numbers = self.bytes.as_chunks::<4>().0.iter();
        (self.kind == Dtype::F32).then(|| numbers.map(|own| f32::from_le_bytes(*own)).collect())
    }

    fn to_integers(&self) -> Option<Vec<i32>> {
        let numbers = self.bytes.as_chunks::<4>().0.iter();
        (self.kind == Dtype::I32).then(|| numbers.map(|own| i32::from_le_bytes(*own)).collect())
    }
}

/// The arrays in `tensors` whose names start with `prefix`, without it.
pub(in crate::train) fn read(tensors: &SafeTensors<'_>, prefix: &str) -> Arrays {
    let own = tensors.iter().filter_map(|(name, view)| {
        let array =
            Array { kind: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
        Some((name.strip_prefix(prefix)?.to_owned(), array))
    });
    own.collect()
}

/// The arrays of a regressor.
pub(in crate::train) fn to_arrays(regressor: &FittedRegressor) -> Arrays {
    let units = [regressor.target_mean, regressor.target_deviation];
    let mut arrays = match &regressor.function {
        Function::Linear(linear) => linear_arrays(linear),
        Function::Kernel(kernel) => kernel_arrays(kernel),
        Function::Neighbours(neighbours) => neighbour_arrays(neighbours),
        Function::Trees(trees) => tree_arrays(trees),
    };
    arrays.push(("target_units", Array::doubles(&units)));
    arrays.into_iter().map(|(name, array)| (name.to_owned(), array)).collect()
}

/// The regressor of `kind` that `arrays` hold; `None` where some are missing or of another type.
pub(in crate::train) fn from_arrays(
    kind: RegressorKind,
    arrays: &Arrays,
) -> Option<FittedRegressor> {
    let has = |name: &str| arrays.contains_key(name);
    let function = if has("kernel") {
        Function::Kernel(kernel_of(arrays)?)
    } else if has("count") {
        Function::Neighbours(neighbours_of(arrays)?)
    } else if has("feature") {
        Function::Trees(trees_of(arrays)?)
    } else {
        let intercept = *arrays.get("intercept")?.to_doubles()?.first()?;
        let coefficients = arrays.get("coefficients")?.to_doubles()?;
        Function::Linear(Linear { intercept, coefficients })
    };
    let [target_mean, target_deviation] = arrays.get("target_units")?.to_doubles()?[..] else {
        return None;
    };
    Some(FittedRegressor { kind, function, target_mean, target_deviation })
}

fn linear_arrays(linear: &Linear) -> Vec<(&'static str, Array)> {
    vec![
        ("intercept", Array::doubles(&[linear.intercept])),
        ("coefficients", Array::doubles(&linear.coefficients)),
    ]
}

fn input_arrays(inputs: &InputMap) -> Vec<(&'static str, Array)> {
    let is_robust = inputs.scaling == InputScaling::Robust;
    vec![
        ("robust", Array::integers(std::iter::once(i32::from(is_robust)))),
        ("centre", Array::singles(inputs.centre.iter().copied())),
        ("inverse_scale", Array::singles(inputs.inverse_scale.iter().copied())),
    ]
}

fn inputs_of(arrays: &Arrays) -> Option<InputMap> {
    let is_robust = *arrays.get("robust")?.to_integers()?.first()? == 1;
    Some(InputMap {
        scaling: if is_robust { InputScaling::Robust } else { InputScaling::Standard },
        centre: arrays.get("centre")?.to_singles()?,
        inverse_scale: arrays.get("inverse_scale")?.to_singles()?,
    })
}

/// Forms of kernels, in the order of their numbers in a file.
const KERNELS: [KernelKind; 4] =
    [KernelKind::Gaussian, KernelKind::Laplace, KernelKind::Quadratic, KernelKind::Linear];

fn kernel_arrays(model: &KernelModel) -> Vec<(&'static str, Array)> {
    let Kernel { kind, width, linear } = model.kernel;
    let form = KERNELS.iter().position(|known| *known == kind).unwrap_or(0);
    let mut arrays = input_arrays(&model.inputs);
    arrays.push(("kernel", Array::doubles(&[form as f64, width, linear])));
    arrays.push(("points", Array::singles(model.points.iter().copied())));
    arrays.push(("coefficients", Array::doubles(&model.coefficients)));
    arrays.push(("intercept", Array::doubles(&[model.intercept])));
    arrays
}

fn kernel_of(arrays: &Arrays) -> Option<KernelModel> {
    let [form, width, linear] = arrays.get("kernel")?.to_doubles()?[..] else { return None };
    let kernel = Kernel { kind: *KERNELS.get(form as usize)?, width, linear };
    let points = arrays.get("points")?.to_singles()?;
    let coefficients = arrays.get("coefficients")?.to_doubles()?;
    let intercept = *arrays.get("intercept")?.to_doubles()?.first()?;
    Some(KernelModel::new((inputs_of(arrays)?, kernel), points, coefficients, intercept))
}

fn neighbour_arrays(model: &Neighbours) -> Vec<(&'static str, Array)> {
    let mut arrays = input_arrays(&model.inputs);
    arrays.push(("points", Array::singles(model.points.iter().copied())));
    arrays.push(("targets", Array::doubles(&model.targets)));
    arrays.push(("weights", Array::doubles(&model.weights)));
    arrays.push(("count", Array::integers(std::iter::once(model.count as i32))));
    arrays
}

fn neighbours_of(arrays: &Arrays) -> Option<Neighbours> {
    Some(Neighbours {
        inputs: inputs_of(arrays)?,
        points: arrays.get("points")?.to_singles()?,
        targets: arrays.get("targets")?.to_doubles()?,
        weights: arrays.get("weights")?.to_doubles()?,
        count: usize::try_from(*arrays.get("count")?.to_integers()?.first()?).ok()?,
    })
}

/// All nodes of all trees, one tree after the other.
fn tree_arrays(model: &TreeEnsemble) -> Vec<(&'static str, Array)> {
    let trees: Vec<Tree> = model.trees().collect();
    let trees = || trees.iter();
    vec![
        ("base", Array::doubles(&[model.base])),
        ("nodes", Array::integers(trees().map(|tree| tree.nodes() as i32))),
        ("feature", Array::integers(trees().flat_map(|tree| tree.feature.iter().copied()))),
        ("threshold", Array::singles(trees().flat_map(|tree| tree.threshold.iter().copied()))),
        ("left", Array::integers(trees().flat_map(|tree| tree.left.iter().map(|n| *n as i32)))),
        ("right", Array::integers(trees().flat_map(right_children))),
        ("value", Array::singles(trees().flat_map(|tree| tree.value.iter().copied()))),
    ]
}

/// The right child of each node is the one after the left; 0 in a leaf.
fn right_children(tree: &Tree) -> impl Iterator<Item = i32> + '_ {
    let right = |node| if tree.is_leaf(node) { 0 } else { tree.left[node] as i32 + 1 };
    (0..tree.nodes()).map(right)
}

fn trees_of(arrays: &Arrays) -> Option<TreeEnsemble> {
    let nodes = arrays.get("nodes")?.to_integers()?;
    let integers = |name: &str| arrays.get(name)?.to_integers();
    let singles = |name: &str| arrays.get(name)?.to_singles();
    let (feature, left, right) = (integers("feature")?, integers("left")?, integers("right")?);
    let (threshold, value) = (singles("threshold")?, singles("value")?);
    let is_next = |node: usize| feature[node] < 0 || right[node] == left[node].wrapping_add(1);
    let is_sound = feature.len() == left.len() && left.len() == right.len();
    if !is_sound || !(0..feature.len()).all(is_next) {
        return None;
    }
    let mut start = 0;
    let mut trees = Vec::with_capacity(nodes.len());
    for count in nodes {
        let own = start..start + usize::try_from(count).ok()?;
        start = own.end;
        trees.push(Tree {
            feature: feature.get(own.clone())?.to_vec(),
            threshold: threshold.get(own.clone())?.to_vec(),
            left: left.get(own.clone())?.iter().map(|place| *place as u32).collect(),
            value: value.get(own.clone())?.to_vec(),
        });
    }
    TreeEnsemble::read(*arrays.get("base")?.to_doubles()?.first()?, trees)
}
