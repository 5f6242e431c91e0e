//! One-way analysis of variance with random effects: whether rows of one group are alike.

/// Mean squares between and within groups (Shrout and Fleiss, 1979, case 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneWay {
    /// Mean square between groups.
    pub between: f64,
    /// Mean square within groups.
    pub within: f64,
    /// Degrees of freedom of both.
    pub freedom: [f64; 2],
    /// The size that unequal groups stand for.
    size: f64,
}

impl OneWay {
    /// Of `values`, row by row, and the number of the group of each.
    #[must_use]
    pub fn of(ids: &[u32], values: &[f64]) -> Self {
        let groups = ids.iter().max().map_or(0, |last| *last as usize + 1);
        let (mut sums, mut sizes) = (vec![0.0; groups], vec![0.0_f64; groups]);
        for (id, value) in ids.iter().zip(values) {
            sums[*id as usize] += value;
            sizes[*id as usize] += 1.0;
        }
        let rows = values.len() as f64;
        let centre = sums.iter().sum::<f64>() / rows;
        let means: Vec<f64> = sums.iter().zip(&sizes).map(|(sum, size)| sum / size).collect();
        let known = || means.iter().zip(&sizes).filter(|(_, size)| **size > 0.0);
        let between = known().map(|(mean, size)| size * (mean - centre).powi(2)).sum::<f64>();
        let off = ids.iter().zip(values).map(|(id, value)| (value - means[*id as usize]).powi(2));
        let within = off.sum::<f64>();
        let groups = known().count() as f64;
        let freedom = [groups - 1.0, rows - groups];
        let squared_sizes = sizes.iter().map(|size| size * size).sum::<f64>();
        let size = (rows - squared_sizes / rows) / freedom[0];
        Self { between: between / freedom[0], within: within / freedom[1], freedom, size }
    }

    /// Intraclass correlation, `(B - W) / (B + (n - 1) W)`: 1 where the rows of a group are equal, 0 where they differ as
    /// strangers do.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        (self.between - self.within) / (self.between + (self.size - 1.0) * self.within)
    }
}
