//! Synthetic assays: drums of element X counted by fifteen detectors, as CSV text.
//!
//! Every drum, every turn of a drum and every count draws from its own stream of the seed, so a
//! container holds the same things whatever the size of the set. Invariant: every number comes
//! from [`Generator`](super::Generator), IEEE arithmetic and the `libm` crate, so a
//! plan gives the same bytes on every machine.

mod array;
mod attenuation;
mod counting;
mod drum;
mod geometry;
mod plan;
mod poisson;
mod table;

pub use plan::{SimulateError, SimulationPlan};
pub use table::write_simulations;

/// What a random stream is for: the first step of its address under the seed.
#[derive(Clone, Copy)]
enum Stream {
    /// Detector efficiencies and backgrounds.
    Array,
    /// Contents of one container: (container).
    Drum,
    /// Angle of one position on the turntable: (container, position).
    Turn,
    /// Noise of one row: (container, position, repeat).
    Row,
    /// Which containers are measured again.
    Remeasured,
}
