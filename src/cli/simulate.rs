//! `massay simulate`

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    data::simulate::{SimulationPlan, write_simulations},
    train::write_atomically,
};

use super::say;

/// Generate a synthetic drum-assay data set.
///
/// Without options: the 104 rows that ship with the project, 84 containers of which 20 are
/// measured at two positions. The same options give the same bytes on every machine.
#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// Containers
    #[arg(long, value_name = "N")]
    containers: Option<usize>,
    /// Containers that are measured more than once [default: all, where positions or repeats are given]
    #[arg(long, value_name = "N")]
    remeasured: Option<usize>,
    /// Turntable positions of a container that is measured more than once
    #[arg(long, value_name = "N")]
    positions: Option<usize>,
    /// Counts of each of these positions
    #[arg(long, value_name = "N")]
    repeats: Option<usize>,
    /// Start of every random number
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Density of every filling, g/cm³ [default: drawn, 0.1 to 1 and a little beyond]
    #[arg(long, value_name = "DENSITY", allow_negative_numbers = true)]
    density: Option<f64>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

impl SimulateArguments {
    pub(super) fn run(self) -> Result<()> {
        let plan = self.plan();
        plan.validate()?;
        match &self.out {
            None => {
                let mut output = BufWriter::new(io::stdout().lock());
                write_simulations(&plan, &mut output)?;
                output.flush()?;
            }
            Some(path) => {
                write_file(&plan, path, self.force)?;
                say(&format!("wrote {} rows to {}", plan.rows(), path.display()));
            }
        }
        Ok(())
    }

    /// The shipped design, or as many containers as asked for, each measured alike.
    fn plan(&self) -> SimulationPlan {
        let shipped = SimulationPlan::default();
        let seed = self.seed.unwrap_or(shipped.seed);
        let designed = [self.containers, self.remeasured, self.positions, self.repeats];
        if designed.iter().all(Option::is_none) {
            return SimulationPlan { seed, density: self.density, ..shipped };
        }
        let containers = self.containers.unwrap_or(shipped.containers);
        SimulationPlan {
            containers,
            remeasured: self.remeasured.unwrap_or(containers),
            positions: self.positions.unwrap_or(1),
            repeats: self.repeats.unwrap_or(1),
            seed,
            density: self.density,
        }
    }
}

fn write_file(plan: &SimulationPlan, path: &Path, force: bool) -> Result<()> {
    if path.exists() && !force {
        bail!("{}: exists already\n\nhint: replace it with `--force`", path.display());
    }
    let cannot = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    write_atomically(path, |file| write_simulations(plan, file)).with_context(cannot)
}
