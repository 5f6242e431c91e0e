//! Where the value of a parameter stands on its axis.

use super::{Setting, Tuning};
use crate::report::plots::axis::Axis;
use crate::report::plots::ticks::Tick;

/// Longest name of a choice on an axis, in characters.
const LONGEST_NAME: usize = 14;

/// The values of one parameter over all trials.
pub(super) struct Place<'a> {
    tuning: &'a Tuning,
    index: usize,
    /// What a list had to choose from, in the order of the first trial that has it.
    choices: Vec<String>,
}

impl<'a> Place<'a> {
    pub(super) fn new(tuning: &'a Tuning, index: usize) -> Self {
        let mut choices = Vec::new();
        for trial in &tuning.trials {
            let name = trial.values[index].to_string();
            if !choices.contains(&name) {
                choices.push(name);
            }
        }
        choices.sort();
        Self { tuning, index, choices }
    }

    /// Its name without the section, which the reader knows.
    pub(super) fn name(&self) -> &str {
        let name = &self.tuning.searched[self.index].name;
        name.rsplit('.').next().unwrap_or(name)
    }

    /// Where a trial stands: its value, or the number of its choice.
    pub(super) fn of(&self, trial: usize) -> f64 {
        match &self.tuning.trials[trial].values[self.index] {
            Setting::Number(number) if self.tuning.searched[self.index].is_number => *number,
            other => {
                let name = other.to_string();
                self.choices.iter().position(|choice| *choice == name).unwrap_or(0) as f64
            }
        }
    }

    pub(super) fn axis(&self, n_ticks: usize) -> Axis {
        let searched = &self.tuning.searched[self.index];
        let values = (0..self.tuning.trials.len()).map(|trial| self.of(trial));
        match (searched.is_number, searched.is_logarithmic) {
            (true, true) => Axis::logarithmic(values, n_ticks),
            (true, false) => Axis::linear(values, n_ticks),
            (false, _) => Axis::categories(-0.5, self.choices.len() as f64 - 0.5, self.ticks()),
        }
    }

    fn ticks(&self) -> Vec<Tick> {
        let tick = |(index, name): (usize, &String)| Tick {
            position: index as f64,
            label: shortened(name),
        };
        self.choices.iter().enumerate().map(tick).collect()
    }

    /// Where a trial stands between the ends of the axis, 0 to 1.
    pub(super) fn share(&self, trial: usize) -> f64 {
        share_of(&self.axis(2), self.of(trial))
    }

    /// The marks of an axis of its own: labels with their shares of it.
    pub(super) fn marks(&self) -> Vec<(f64, String)> {
        let axis = self.axis(4);
        let share = |tick: &Tick| (share_of(&axis, tick.position), tick.label.clone());
        axis.ticks().iter().map(share).collect()
    }
}

/// Where a value stands between the ends of `axis`, 0 to 1.
fn share_of(axis: &Axis, value: f64) -> f64 {
    let scale = |value: f64| if axis.is_logarithmic() { value.ln() } else { value };
    let (low, high) = (scale(axis.low()), scale(axis.high()));
    (scale(value) - low) / (high - low)
}

/// `[128, 128, 128]` as `3×128`, other lists without their brackets, cut where they are too long.
pub(super) fn shortened(name: &str) -> String {
    let plain = name.trim_matches(|bracket| bracket == '[' || bracket == ']');
    let parts: Vec<&str> = plain.split(", ").collect();
    let is_list = name.starts_with('[');
    if is_list && parts.len() > 1 && parts.iter().all(|part| *part == parts[0]) {
        return format!("{}×{}", parts.len(), parts[0]);
    }
    if plain.chars().count() <= LONGEST_NAME {
        return plain.to_owned();
    }
    plain.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_told_shortly() {
        assert_eq!(shortened("[128, 128, 128]"), "3×128");
        assert_eq!(shortened("[64, 32]"), "64, 32");
        assert_eq!(shortened("pbld"), "pbld");
        assert_eq!(shortened("[256, 128, 64, 32, 16]"), "256, 128, 64,…");
    }
}
