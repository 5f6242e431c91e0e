//! One launch: some epochs of all networks, each by the units of one cube.
#![expect(clippy::needless_pass_by_value, reason = "a kernel owns what it is compiled for")]

use burn_cubecl::cubecl::{self, prelude::*};

use super::{
    backward, forward,
    layout::{LEFT_ROOM, Layout, RIGHT_ROOM, UNITS},
    product::Tiles,
};

/// `rows` holds, epoch by epoch, network by network and step by step, the number of rows and their places; behind them
/// the same of what judges. `numbers` holds the records of the same passes.
#[cube(launch)]
pub(super) fn learn(
    features: &[f32],
    scaling: &[f32],
    parameters: &[i32],
    rows: &[i32],
    numbers: &[f32],
    memory: &mut [f32],
    snapshots: &mut [f32],
    losses: &mut [f32],
    epochs: usize,
    steps: usize,
    judged: usize,
    #[comptime] layout: Layout,
) {
    let mut tiles =
        Tiles { left: Shared::new_slice(LEFT_ROOM), right: Shared::new_slice(RIGHT_ROOM) };
    let network = CUBE_POS;
    let networks = CUBE_COUNT;
    let own = network * comptime!(layout.room);
    let passes = steps + judged;
    let line = comptime!(layout.rows + 1);
    for epoch in 0..epochs {
        for pass in 0..passes {
            let learns = pass < steps;
            let trained = epochs * networks * steps;
            let step = (epoch * networks + network) * steps + pass;
            let judge = network * judged + pass - steps;
            let first = select(learns, step * line, (trained + judge) * line);
            let record = select(
                learns,
                step * comptime!(layout.record),
                trained * comptime!(layout.record) + judge * comptime!(2 * layout.rows),
            );
            let mut loss = 0.0f32;
            if rows[first] > 0 {
                forward::gather(
                    features,
                    scaling,
                    rows,
                    memory,
                    network,
                    own,
                    first + 1,
                    comptime!(&layout),
                );
                forward::embed(memory, own, comptime!(&layout));
                #[unroll]
                for layer in 0..comptime!(layout.hidden.len()) {
                    let this = comptime!(layout.hidden[layer]);
                    forward::hidden(
                        numbers,
                        memory,
                        &mut tiles,
                        own,
                        record,
                        learns,
                        this,
                        comptime!(&layout),
                    );
                }
                loss =
                    forward::losses(numbers, memory, &mut tiles, own, record, comptime!(&layout));
                if learns {
                    backward::output(memory, own, comptime!(&layout));
                    #[unroll]
                    for layer in 0..comptime!(layout.hidden.len()) {
                        let layer = comptime!(layout.hidden.len() - 1 - layer);
                        backward::hidden(memory, &mut tiles, own, layer, comptime!(&layout));
                    }
                    backward::embedding(memory, own, comptime!(&layout));
                    let strides = record + comptime!(2 * layout.rows);
                    backward::adam(numbers, parameters, memory, own, strides, comptime!(&layout));
                }
            }
            if UNIT_POS == 0 {
                losses[(epoch * networks + network) * passes + pass] = loss;
            }
        }
        let count = comptime!(layout.weights);
        // Without a judge only the weights after the last epoch are asked for.
        let kept = select(judged == 0, 0usize, epoch);
        for place in range_stepped(UNIT_POS as usize, count, UNITS) {
            snapshots[(kept * networks + network) * count + place] = memory[own + place];
        }
    }
}

/// Copies the weights after the epoch that is chosen for each network, from 0, to its best; -1 chooses none.
#[cube(launch)]
pub(super) fn keep(chosen: &[i32], snapshots: &[f32], best: &mut [f32], weights: usize) {
    let epoch = chosen[CUBE_POS];
    if epoch >= 0 {
        let from = (epoch as usize * CUBE_COUNT + CUBE_POS) * weights;
        for place in range_stepped(UNIT_POS as usize, weights, UNITS) {
            best[CUBE_POS * weights + place] = snapshots[from + place];
        }
    }
}
