//! Random choices of columns without replacement.

use crate::data::Generator;

/// The columns of a node in random order, drawn one at a time.
///
/// Columns that are constant in a node do not use up the wanted number, as in Breiman's forests
/// and scikit-learn's.
pub(crate) struct ColumnDraw {
    pub(crate) generator: Generator,
    order: Vec<usize>,
    wanted: usize,
}

impl ColumnDraw {
    /// Draws the `fraction` (at least one) of `columns`.
    pub(crate) fn new(generator: Generator, columns: usize, fraction: f64) -> Self {
        Self { generator, order: (0..columns).collect(), wanted: share(columns, fraction) }
    }

    /// Calls `look` on random columns until `wanted` of them were worth a look.
    pub(crate) fn visit(&mut self, mut look: impl FnMut(usize, &mut Generator) -> bool) {
        let mut found = 0;
        for position in 0..self.order.len() {
            if found == self.wanted {
                return;
            }
            let other = position + self.generator.below(self.order.len() - position);
            self.order.swap(position, other);
            found += usize::from(look(self.order[position], &mut self.generator));
        }
    }
}

/// The `fraction` of `count`, rounded, at least one and at most `count`.
pub(crate) fn share(count: usize, fraction: f64) -> usize {
    ((count as f64 * fraction).round() as usize).clamp(1, count.max(1))
}

/// A random choice of the `fraction` of `items`, in their order.
pub(crate) fn choose<T: Copy>(items: &[T], fraction: f64, generator: &mut Generator) -> Vec<T> {
    let mut wanted = share(items.len(), fraction);
    let mut chosen = Vec::with_capacity(wanted);
    for (place, item) in items.iter().enumerate() {
        if generator.below(items.len() - place) < wanted {
            chosen.push(*item);
            wanted -= 1;
        }
    }
    chosen
}
