//! Small networks on a graphics adapter, each trained by the units of one cube: a launch takes all of them through
//! some epochs, whatever their number of layers, and nothing comes back in between but losses.
//!
//! What they compute is what [`forward`](super::stack::forward) states in tensors; tests hold them to the arithmetic of
//! the CPU step by step.

mod backward;
mod forward;
mod kernel;
mod layout;
mod product;

use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_cubecl::{cubecl::prelude::*, tensor::CubeTensor};
use rayon::prelude::*;

use super::{
    InputMap, MemberWeights, StackShape,
    device_kernels::{STRIDE_NUMBERS, cube, cube_of_indices, writable},
};

pub(crate) use layout::PassShape;
use layout::{Layout, UNITS};

/// Most products of one network's rows and weights in a step: beyond that many cubes for each network pay.
const MOST_WORK: usize = 1 << 23;

/// Most of them in an epoch of all networks that one after the other take the place of a few: systems end launches that
/// last for seconds.
const MOST_OF_EPOCH: usize = 1 << 33;
const SIDE_BY_SIDE: usize = 32;

/// Most bytes of one buffer, which every adapter of the last ten years has room for.
const MOST_BYTES: usize = 1 << 27;

/// Networks of one shape with their optimiser's moments, in the memory of an adapter.
pub(crate) struct DeviceNetworks {
    layout: Layout,
    networks: usize,
    /// Most steps of an epoch, and most passes that judge it.
    passes: [usize; 2],
    device: Device,
    /// `[tables * rows, inputs]`.
    features: CubeTensor,
    /// Centre and inverse scale of each network, `[networks, 2, inputs]`.
    scaling: CubeTensor,
    /// Which parameter each weight belongs to.
    parameters: CubeTensor,
    /// `[networks, room]`, as [`Layout`] has it.
    memory: CubeTensor,
    /// The weights after each of the last epochs, `[epochs, networks, weights]`.
    snapshots: CubeTensor,
    /// `[networks, weights]`.
    best: CubeTensor,
    judges: Passes,
}

/// Rows of passes, one after the other: how many there are, and where their features stand; and the numbers of them.
#[derive(Clone, Default)]
struct Passes {
    rows: Vec<i32>,
    numbers: Vec<f32>,
}

/// One pass of one network.
pub(crate) struct DeviceStep<'a> {
    layout: &'a Layout,
    rows: &'a mut [i32],
    numbers: &'a mut [f32],
}

impl DeviceNetworks {
    /// Networks of `shape` that learn from `features`, `[rows, inputs]`, which each scales for itself, by passes of up
    /// to `rows`: in an epoch so many steps and so many that judge it, `passes`. `None` where the kernel does not know
    /// one of their layers or they are too large for it.
    pub(crate) fn new(
        shape: &StackShape,
        (rows, pass, passes): (usize, PassShape, [usize; 2]),
        scaling: &[&InputMap],
        features: &Tensor<2>,
    ) -> Option<Self> {
        let (networks, first) = (scaling.len(), scaling.first()?);
        let layout = Layout::new(shape, (rows, pass), first.scaling)?;
        let own = |map: &&InputMap| [map.centre.clone(), map.inverse_scale.clone()].concat();
        let work = layout.weights * rows;
        let of_epoch = work * passes.iter().sum::<usize>() * networks.div_ceil(SIDE_BY_SIDE);
        let numbers_of_epoch =
            passes[0] * (layout.record + layout.rows) + 2 * passes[1] * layout.rows;
        let fits = work <= MOST_WORK
            && of_epoch <= MOST_OF_EPOCH
            && 4 * networks * layout.room.max(numbers_of_epoch) <= MOST_BYTES
            && scaling.iter().all(|map| map.scaling == first.scaling);
        if !fits {
            return None;
        }
        let device = features.device();
        let weights = networks * layout.weights;
        let mut own = Self {
            networks,
            passes,
            features: cube(features.clone()),
            scaling: numbers(scaling.iter().flat_map(own).collect(), &device),
            parameters: indices(Layout::parameter_of_each(shape), &device),
            memory: numbers(vec![0.0], &device),
            snapshots: numbers(vec![0.0], &device),
            best: numbers(vec![0.0; weights], &device),
            judges: Passes::default(),
            device,
            layout,
        };
        let kept = if passes[1] > 0 { own.epochs_at_once() } else { 1 };
        own.snapshots = numbers(vec![0.0; kept * weights], &own.device);
        Some(own)
    }

    /// Epochs of one launch: as many as their passes, and the weights after each where something judges them, have
    /// room.
    pub(crate) fn epochs_at_once(&self) -> usize {
        let Layout { rows, weights, record, .. } = &self.layout;
        let [steps, judges] = self.passes;
        let of_passes = steps * (record + rows + 1);
        let of_weights = if judges > 0 { *weights } else { 0 };
        (MOST_BYTES / 16 / (self.networks * (of_passes + of_weights)).max(1)).max(1)
    }

    /// Most steps of one network in an epoch.
    pub(crate) fn steps(&self) -> usize {
        self.passes[0]
    }

    /// Sets weights, both moments and the best weights of each network.
    pub(crate) fn set(&mut self, networks: impl Iterator<Item = [Vec<f32>; 4]>) {
        let (mut memory, mut all) = (Vec::new(), Vec::new());
        for (network, [weights, first, second, best]) in networks.enumerate() {
            memory.extend([weights, first, second].concat());
            memory.resize((network + 1) * self.layout.room, 0.0);
            all.extend(best);
        }
        self.memory = numbers(memory, &self.device);
        self.best = numbers(all, &self.device);
    }

    /// Lets `fill` write what judges each network after an epoch, pass by pass.
    pub(crate) fn set_judges(&mut self, fill: impl Fn(usize, usize, DeviceStep<'_>)) {
        let (judged, size) = (self.passes[1], 2 * self.layout.rows);
        let line = self.layout.rows + 1;
        let mut passes = Passes {
            rows: vec![0; self.networks * judged * line],
            numbers: vec![0.0; self.networks * judged * size],
        };
        let parts = passes.rows.chunks_exact_mut(line).zip(passes.numbers.chunks_exact_mut(size));
        for (place, (rows, numbers)) in parts.enumerate() {
            let step = DeviceStep { layout: &self.layout, rows, numbers };
            fill(place / judged, place % judged, step);
        }
        self.judges = passes;
    }

    /// Takes all networks through some `epochs`, whose steps `fill` writes for each epoch and network; a step without
    /// rows is none. Returns the weighted loss of each pass, `[epochs, networks, steps + judges]`.
    pub(crate) fn learn(
        &mut self,
        epochs: usize,
        fill: impl Fn(usize, usize, Vec<DeviceStep<'_>>) + Sync,
    ) -> Vec<f32> {
        let Passes { rows, numbers: own } = self.passes(epochs, fill);
        let (rows, own) = (indices(rows, &self.device), numbers(own, &self.device));
        let [steps, judged] = self.passes;
        let losses = vec![0.0; epochs * self.networks * (steps + judged)];
        let losses = numbers(losses, &self.device);
        kernel::learn::launch(
            &self.memory.client.clone(),
            CubeCount::new_1d(self.networks as u32),
            CubeDim::new_1d(UNITS as u32),
            self.features.clone().into_buffer_arg(),
            self.scaling.clone().into_buffer_arg(),
            self.parameters.clone().into_buffer_arg(),
            rows.into_buffer_arg(),
            own.into_buffer_arg(),
            self.memory.clone().into_buffer_arg(),
            self.snapshots.clone().into_buffer_arg(),
            losses.clone().into_buffer_arg(),
            epochs,
            steps,
            judged,
            self.layout.clone(),
        );
        host(losses)
    }

    /// The steps of some epochs, and what judges them.
    fn passes(
        &self,
        epochs: usize,
        fill: impl Fn(usize, usize, Vec<DeviceStep<'_>>) + Sync,
    ) -> Passes {
        let (layout, networks) = (&self.layout, self.networks);
        let (line, steps) = (layout.rows + 1, self.passes[0]);
        let mut rows = vec![0; epochs * networks * steps * line];
        let mut numbers = vec![0.0; epochs * networks * steps * layout.record];
        let parts = rows.par_chunks_exact_mut(steps * line);
        let parts = parts.zip(numbers.par_chunks_exact_mut(steps * layout.record)).enumerate();
        parts.for_each(|(place, (rows, numbers))| {
            let steps = rows.chunks_exact_mut(line).zip(numbers.chunks_exact_mut(layout.record));
            let steps = steps.map(|(rows, numbers)| DeviceStep { layout, rows, numbers });
            fill(place / networks, place % networks, steps.collect());
        });
        rows.extend_from_slice(&self.judges.rows);
        numbers.extend_from_slice(&self.judges.numbers);
        Passes { rows, numbers }
    }

    /// Takes the weights that networks had after one of the last epochs for their best.
    pub(crate) fn keep(&mut self, after: &[Option<usize>]) {
        let chosen = after.iter().map(|epoch| epoch.map_or(-1, |epoch| epoch as i32));
        // Without a judge only the last epoch's weights are there.
        let chosen = chosen.map(|epoch| if self.passes[1] == 0 { epoch.min(0) } else { epoch });
        let chosen = indices(chosen.collect(), &self.device);
        kernel::keep::launch(
            &self.memory.client.clone(),
            CubeCount::new_1d(self.networks as u32),
            CubeDim::new_1d(UNITS as u32),
            chosen.into_buffer_arg(),
            self.snapshots.clone().into_buffer_arg(),
            self.best.clone().into_buffer_arg(),
            self.layout.weights,
        );
    }

    /// Weights and both moments of each network.
    pub(crate) fn numbers(&self) -> Vec<[MemberWeights; 3]> {
        let all = host(self.memory.clone());
        let part = |own: &[f32], part: usize| {
            MemberWeights(own[part * self.layout.weights..][..self.layout.weights].to_vec())
        };
        all.chunks_exact(self.layout.room).map(|own| [0, 1, 2].map(|i| part(own, i))).collect()
    }

    /// The best weights of each network.
    pub(crate) fn best(&self) -> Vec<MemberWeights> {
        let all = host(self.best.clone());
        all.chunks_exact(self.layout.weights).map(|own| MemberWeights(own.to_vec())).collect()
    }
}

impl DeviceStep<'_> {
    /// Sets the rows, whose features stand `first` rows behind the first of all, with target and weight of each.
    pub(crate) fn set_rows(
        &mut self,
        first: usize,
        rows: &[u32],
        wanted: impl Fn(u32) -> (f32, f32),
    ) {
        self.rows[0] = rows.len() as i32;
        let (targets, weights) = self.numbers.split_at_mut(self.layout.rows);
        for (slot, row) in rows.iter().enumerate() {
            self.rows[slot + 1] = (first + *row as usize) as i32;
            (targets[slot], weights[slot]) = wanted(*row);
        }
    }

    /// Sets what drives each parameter, as [`adam`](super::device_kernels::adam) takes it.
    pub(crate) fn set_strides(&mut self, strides: impl Iterator<Item = [f32; STRIDE_NUMBERS]>) {
        let own = self.numbers[2 * self.layout.rows..].chunks_exact_mut(STRIDE_NUMBERS);
        own.zip(strides).for_each(|(own, stride)| own.copy_from_slice(&stride));
    }

    /// The masks of a hidden layer, `[rows, width]`; none where nothing is masked.
    pub(crate) fn mask(&mut self, layer: usize) -> Option<&mut [f32]> {
        let layer = self.layout.hidden[layer];
        let count = self.layout.rows * layer.outputs;
        self.layout.pass.masked.then(|| &mut self.numbers[layer.mask..][..count])
    }
}

fn numbers(values: Vec<f32>, device: &Device) -> CubeTensor {
    let count = values.len();
    writable(cube(Tensor::<1>::from_data(TensorData::new(values, [count]), device)))
}

fn indices(values: Vec<i32>, device: &Device) -> CubeTensor {
    let count = values.len();
    cube_of_indices(Tensor::<1, Int>::from_data(TensorData::new(values, [count]), device))
}

fn host(tensor: CubeTensor) -> Vec<f32> {
    let data = Tensor::<1>::from_primitive::<burn::backend::Wgpu>(tensor).into_data();
    data.as_slice::<f32>().map(<[f32]>::to_vec).unwrap_or_default()
}

#[cfg(test)]
mod tests;
