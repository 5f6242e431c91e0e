//! Where the numbers of one network stand in the memory of an adapter.

use crate::model::{
    Activation, Embedding, InputScaling, StackShape, device_kernels::STRIDE_NUMBERS,
};

/// What the kernel is compiled for. Places count from the beginning of a network's own memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Layout {
    pub(super) inputs: usize,
    /// Inputs of the first layer.
    pub(super) width: usize,
    pub(super) pass: PassShape,
    /// Rows that a pass has room for.
    pub(super) rows: usize,
    pub(super) scaling: InputScaling,
    pub(super) activation: Activation,
    /// Frequency, phase, mixture and shift of a periodic embedding.
    pub(super) waves: Option<[usize; 4]>,
    pub(super) scale: Option<usize>,
    pub(super) hidden: Vec<HiddenLayer>,
    pub(super) output: OutputLayer,
    /// Numbers of all parameters; both moments of each stand behind them.
    pub(super) weights: usize,
    pub(super) gradient: usize,
    pub(super) features: usize,
    pub(super) embedded: usize,
    /// Slopes by outputs, by the values between two layers, and by how much of a nonlinearity is taken.
    pub(super) by_output: usize,
    pub(super) by_values: [usize; 2],
    pub(super) by_excess: [usize; 2],
    /// Numbers of one network in all.
    pub(super) room: usize,
    /// Numbers of one pass that learns: targets and weights of its rows, strides of the parameters, masks.
    pub(super) record: usize,
}

/// What the networks do with some rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PassShape {
    /// Bits of the residual up to which the loss is a square; none where it is one everywhere.
    pub(crate) huber: Option<u32>,
    /// Whether hidden values are multiplied by masks while they learn.
    pub(crate) masked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct HiddenLayer {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) weight: usize,
    pub(super) bias: usize,
    pub(super) slope: Option<usize>,
    /// What it is given.
    pub(super) given: usize,
    /// What it gives, and the slopes of that by what its nonlinearity is given and by how much of it is taken.
    pub(super) values: usize,
    pub(super) slopes: usize,
    pub(super) excess: usize,
    /// Its masks, among the numbers of a pass.
    pub(super) mask: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OutputLayer {
    pub(super) inputs: usize,
    pub(super) weight: usize,
    pub(super) bias: usize,
    pub(super) given: usize,
}

/// Hands out places one after the other.
struct Places(usize);

impl Places {
    fn take(&mut self, count: usize) -> usize {
        self.0 += count;
        self.0 - count
    }
}

impl Layout {
    /// For networks of `shape` and passes of up to `rows`; `None` where the kernel does not know one of their layers.
    pub(super) fn new(
        shape: &StackShape,
        (rows, pass): (usize, PassShape),
        scaling: InputScaling,
    ) -> Option<Self> {
        if shape.copies > 1 || shape.embedding == Embedding::Piecewise {
            return None;
        }
        let mut starts = shape.placed().map(|(_, own)| own.start);
        let mut next = || starts.next().unwrap_or_default();
        let waves = (shape.embedding == Embedding::Pbld).then(|| std::array::from_fn(|_| next()));
        let scale = shape.scaled.then(&mut next);
        let weights = shape.size();
        // Few sizes, so that few kernels are compiled.
        let (rows, width) = (rows.next_multiple_of(HIGH), shape.layer(0).0);
        let mut room = Places(3 * weights);
        let gradient = room.take(weights);
        let features = room.take(rows * shape.inputs);
        let embedded = if waves.is_some() { room.take(rows * width) } else { features };
        let mut given = if scale.is_some() { room.take(rows * width) } else { embedded };
        let mut record = Places(2 * rows + shape.parameters().len() * STRIDE_NUMBERS);
        let layer = |layer: usize| {
            let (inputs, outputs) = shape.layer(layer);
            let (weight, bias) = (next(), next());
            let slope = shape.parametric.then(&mut next);
            let mut kept = || room.take(rows * outputs);
            let (values, slopes) = (kept(), kept());
            let excess = if slope.is_some() { kept() } else { slopes };
            let mask = record.take(if pass.masked { rows * outputs } else { 0 });
            let own = HiddenLayer {
                inputs,
                outputs,
                weight,
                bias,
                slope,
                given,
                values,
                slopes,
                excess,
                mask,
            };
            given = values;
            own
        };
        let hidden: Vec<HiddenLayer> = (0..shape.hidden.len()).map(layer).collect();
        let inputs = shape.layer(shape.hidden.len()).0;
        let output = OutputLayer { inputs, weight: next(), bias: next(), given };
        let by_output = room.take(rows);
        let widest = rows * shape.hidden.iter().copied().max().unwrap_or(0).max(width);
        let by_values = [room.take(widest), room.take(widest)];
        let by_excess =
            if shape.parametric { [room.take(widest), room.take(widest)] } else { by_values };
        Some(Self {
            inputs: shape.inputs,
            width,
            pass,
            rows,
            scaling,
            activation: shape.activation,
            waves,
            scale,
            hidden,
            output,
            weights,
            gradient,
            features,
            embedded,
            by_output,
            by_values,
            by_excess,
            room: room.0,
            record: record.0,
        })
    }

    /// Where the first layer finds what it is given.
    pub(super) fn given(&self) -> usize {
        self.hidden.first().map_or(self.output.given, |layer| layer.given)
    }

    /// Which parameter each weight belongs to.
    pub(super) fn parameter_of_each(shape: &StackShape) -> Vec<i32> {
        let parts = shape.placed().enumerate();
        parts.flat_map(|(index, (_, own))| own.map(move |_| index as i32)).collect()
    }
}

/// A product of matrices: `[rows, inner]` times `[inner, columns]`, one or the other stored the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) columns: usize,
    pub(super) left_turned: bool,
    pub(super) right_turned: bool,
}

/// One of the two: lines, rows or columns, of `inner` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Factor {
    pub(super) lines: usize,
    pub(super) inner: usize,
    pub(super) tile_lines: usize,
    /// Whether the numbers of a line stand beside each other.
    pub(super) deep: bool,
}

/// Rows and columns of the units that train one network together, and cut the tiles of products among themselves.
pub(super) const HIGH: usize = 16;
pub(super) const BROAD: usize = 16;
pub(super) const UNITS: usize = HIGH * BROAD;

/// Numbers of the inner dimension that are staged at once.
pub(super) const DEPTH: usize = 32;

/// Most rows and columns of one unit.
const MOST_TALL: usize = 4;
const MOST_WIDE: usize = 8;

/// Shared numbers of the largest tiles, one more in each line so that lines begin in different banks.
pub(super) const LEFT_ROOM: usize = DEPTH * (MOST_TALL * HIGH + 1);
pub(super) const RIGHT_ROOM: usize = DEPTH * (MOST_WIDE * BROAD + 1);

impl Product {
    /// Rows of one unit: so many that the fewest units have none.
    pub(super) fn tall(&self) -> usize {
        least_padded(self.rows, HIGH, MOST_TALL)
    }

    /// Columns of one unit.
    pub(super) fn wide(&self) -> usize {
        least_padded(self.columns, BROAD, MOST_WIDE)
    }

    pub(super) fn tile_rows(&self) -> usize {
        self.tall() * HIGH
    }

    pub(super) fn tile_columns(&self) -> usize {
        self.wide() * BROAD
    }

    pub(super) fn left(&self) -> Factor {
        let (lines, tile_lines) = (self.rows, self.tile_rows());
        Factor { lines, inner: self.inner, tile_lines, deep: !self.left_turned }
    }

    pub(super) fn right(&self) -> Factor {
        let (lines, tile_lines) = (self.columns, self.tile_columns());
        Factor { lines, inner: self.inner, tile_lines, deep: self.right_turned }
    }
}

fn least_padded(count: usize, units: usize, most: usize) -> usize {
    let padded = |own: &usize| count.next_multiple_of(own * units);
    (1..=most).rev().min_by_key(padded).unwrap_or(1)
}
