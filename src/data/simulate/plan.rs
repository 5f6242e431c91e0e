//! What to simulate: how many containers, which are measured again, and from which seed.

use thiserror::Error;

use super::Stream;
use super::drum::Drum;
use crate::data::Generator;

/// Most rows that one plan may ask for.
const MOST_ROWS: usize = 100_000_000;

/// The design of a simulated data set.
///
/// | field | default | range | effect |
/// |---|---|---|---|
/// | `containers` | 84 | at least 1 | drums with different contents |
/// | `remeasured` | 20 | 0 to `containers` | drums with more than one row, spread over the masses |
/// | `positions` | 2 | at least 1 | turntable angles of a remeasured drum |
/// | `repeats` | 1 | at least 1 | counts of a remeasured drum at each angle |
/// | `seed` | 7 | any | the set itself |
/// | `density` | drawn | 0.001 to 20 | density of every filling, g/cm³, instead of 0.1 to 1 |
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationPlan {
    /// Number of containers.
    pub containers: usize,
    /// Number of containers that are measured more than once.
    pub remeasured: usize,
    /// Turntable positions of each remeasured container; the first is the one all containers have.
    pub positions: usize,
    /// Counts of each remeasured container at each position.
    pub repeats: usize,
    /// Seed of every random number in the set.
    pub seed: u64,
    /// Density of every filling, g/cm³; `None` draws one for each container.
    pub density: Option<f64>,
}

/// Why a plan cannot be simulated.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SimulateError {
    /// A count that must be positive is zero.
    #[error("`{name}` is 0, expected at least 1")]
    Zero {
        /// The field of the plan.
        name: &'static str,
    },
    /// More containers are to be measured again than there are.
    #[error(
        "`remeasured` is {remeasured}, expected at most the number of containers, {containers}\n\n\
         hint: `--containers {remeasured}` or more leaves room for them"
    )]
    TooManyRemeasured {
        /// Containers to be measured again.
        remeasured: usize,
        /// Containers in the plan.
        containers: usize,
    },
    /// No filling has this density.
    #[error("`density` is {density}, expected 0.001 to 20 g/cm³")]
    Density {
        /// The density.
        density: f64,
    },
    /// The table would be too long.
    #[error(
        "the plan has {rows} rows, expected at most 100000000\n\n\
         hint: rows = containers - remeasured + remeasured * positions * repeats"
    )]
    TooManyRows {
        /// Rows of the plan.
        rows: usize,
    },
}

impl Default for SimulationPlan {
    fn default() -> Self {
        Self { containers: 84, remeasured: 20, positions: 2, repeats: 1, seed: 7, density: None }
    }
}

impl SimulationPlan {
    /// Number of rows: `containers - remeasured + remeasured * positions * repeats`.
    #[must_use]
    pub fn rows(&self) -> usize {
        let again = self.remeasured.saturating_mul(self.positions).saturating_mul(self.repeats);
        self.containers.saturating_sub(self.remeasured).saturating_add(again)
    }

    /// Checks the counts of the plan against each other and against the largest table.
    ///
    /// # Errors
    /// A count of zero (other than `remeasured`), more remeasured containers than containers, a density
    /// that nothing has, or more than 10^8 rows.
    pub fn validate(&self) -> Result<(), SimulateError> {
        let Self { containers, remeasured, positions, repeats, .. } = *self;
        let counts = [("containers", containers), ("positions", positions), ("repeats", repeats)];
        if let Some(&(name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(SimulateError::Zero { name });
        }
        if remeasured > containers {
            return Err(SimulateError::TooManyRemeasured { remeasured, containers });
        }
        if let Some(density) = self.density
            && !(0.001..=20.0).contains(&density)
        {
            return Err(SimulateError::Density { density });
        }
        match self.rows() {
            rows if rows > MOST_ROWS => Err(SimulateError::TooManyRows { rows }),
            _ => Ok(()),
        }
    }

    /// Whether each container is measured again, by its number less one.
    ///
    /// The containers in order of mass are cut into `remeasured` equal parts, and one container
    /// is drawn from each part.
    pub(super) fn remeasured_containers(&self) -> Vec<bool> {
        let mut remeasured = vec![false; self.containers];
        if self.remeasured == 0 {
            return remeasured;
        }
        let order = self.containers_by_mass();
        let mut generator = Generator::new(self.seed, &[Stream::Remeasured as u64]);
        for part in 0..self.remeasured {
            let start = part * self.containers / self.remeasured;
            let end = (part + 1) * self.containers / self.remeasured;
            remeasured[order[start + generator.below(end - start)]] = true;
        }
        remeasured
    }

    fn containers_by_mass(&self) -> Vec<usize> {
        let masses: Vec<f64> = (1..=self.containers).map(|n| Drum::mass(self.seed, n)).collect();
        let mut order: Vec<usize> = (0..self.containers).collect();
        order.sort_by(|&a, &b| masses[a].total_cmp(&masses[b]));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_plan_has_104_rows() {
        assert_eq!(SimulationPlan::default().rows(), 104);
        assert_eq!(SimulationPlan::default().validate(), Ok(()));
    }

    #[test]
    fn rows_count_every_position_and_repeat() {
        let plan = SimulationPlan {
            containers: 10,
            remeasured: 4,
            positions: 3,
            repeats: 5,
            seed: 1,
            density: None,
        };
        assert_eq!(plan.rows(), 66);
        assert_eq!(SimulationPlan { remeasured: 0, ..plan.clone() }.rows(), 10);
        assert_eq!(SimulationPlan { remeasured: 10, ..plan }.rows(), 150);
    }

    #[test]
    fn impossible_plans_are_refused() {
        let plan = SimulationPlan::default();
        let zero = SimulationPlan { repeats: 0, ..plan.clone() };
        assert_eq!(zero.validate(), Err(SimulateError::Zero { name: "repeats" }));
        let many = SimulationPlan { remeasured: 85, ..plan.clone() };
        let expected = SimulateError::TooManyRemeasured { remeasured: 85, containers: 84 };
        assert_eq!(many.validate(), Err(expected));
        let huge = SimulationPlan { positions: usize::MAX, ..plan };
        assert_eq!(huge.validate(), Err(SimulateError::TooManyRows { rows: usize::MAX }));
    }

    #[test]
    fn remeasured_containers_are_spread_over_the_masses() {
        let plan = SimulationPlan::default();
        let flags = plan.remeasured_containers();
        let chosen: Vec<bool> = plan.containers_by_mass().iter().map(|&i| flags[i]).collect();
        for quarter in chosen.chunks(21) {
            assert_eq!(quarter.iter().filter(|&&again| again).count(), 5);
        }
    }
}
