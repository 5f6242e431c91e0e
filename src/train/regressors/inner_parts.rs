//! Who trains and who judges: the inner parts, left out in turn.

/// For each judged part the rows that it holds, and the rows of all other parts; rows are places
/// among the training rows.
#[derive(Clone, Debug)]
pub(super) struct InnerParts {
    pub(super) held: Vec<Vec<u32>>,
    pub(super) training: Vec<Vec<u32>>,
}

impl InnerParts {
    /// The first `judged` parts of `parts`, which names the part of each row; all of them where there are fewer.
    pub(super) fn new(parts: &[u32], judged: usize) -> Self {
        let rows_where = |keep: &dyn Fn(u32) -> bool| -> Vec<u32> {
            (0..parts.len() as u32).filter(|row| keep(parts[*row as usize])).collect()
        };
        let judged = 0..judged.clamp(1, count_of(parts)) as u32;
        Self {
            held: judged.clone().map(|part| rows_where(&|own| own == part)).collect(),
            training: judged.map(|part| rows_where(&|own| own != part)).collect(),
        }
    }

    /// Number of judged parts.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Those of `rows` rows that no judged part holds.
    pub(super) fn never_held(&self, rows: usize) -> Vec<u32> {
        let mut is_held = vec![false; rows];
        self.held.iter().flatten().for_each(|row| is_held[*row as usize] = true);
        (0..rows as u32).filter(|row| !is_held[*row as usize]).collect()
    }
}

/// How many parts there are: fewer than were asked for where there are fewer groups.
pub(in crate::train) fn count_of(parts: &[u32]) -> usize {
    parts.iter().max().map_or(1, |part| *part as usize + 1)
}
