//! The simulated table as CSV text, row by row.

use std::io::{self, ErrorKind, Write};

use super::array::{DETECTORS, DetectorArray};
use super::counting::{COUNTING_TIME, count};
use super::drum::Drum;
use super::{SimulationPlan, Stream};
use crate::data::Generator;

/// Writes the set of `plan` to `out` as CSV: a header and [`SimulationPlan::rows`] rows of
/// `container`, `mass` in g, and `det1` to `det15` in counts/s. Equal plans give equal bytes.
///
/// The rows of a container are adjacent. Row by row the text goes to `out` at once, so `out`
/// should be buffered; the memory in use grows with the containers (some 20 bytes each), not with
/// the text.
///
/// # Errors
/// `InvalidInput` for a plan that [`SimulationPlan::validate`] refuses, or an error of `out`.
pub fn write_simulations(plan: &SimulationPlan, out: &mut impl Write) -> io::Result<()> {
    plan.validate().map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    let array = DetectorArray::draw(plan.seed);
    write_header(out)?;
    for (index, again) in plan.remeasured_containers().into_iter().enumerate() {
        let (positions, repeats) = if again { (plan.positions, plan.repeats) } else { (1, 1) };
        let container = Container::draw(plan, index + 1);
        for position in 0..positions {
            container.write_position(position, repeats, &array, out)?;
        }
    }
    Ok(())
}

fn write_header(out: &mut impl Write) -> io::Result<()> {
    write!(out, "container,mass")?;
    for detector in 1..=DETECTORS {
        write!(out, ",det{detector}")?;
    }
    writeln!(out)
}

/// A numbered drum on the turntable.
struct Container {
    seed: u64,
    number: usize,
    /// Its name in the table, such as `C001`.
    label: String,
    drum: Drum,
}

impl Container {
    fn draw(plan: &SimulationPlan, number: usize) -> Self {
        let width = plan.containers.to_string().len().max(3);
        let label = format!("C{number:0width$}");
        Self { seed: plan.seed, number, label, drum: Drum::draw(plan.seed, number, plan.density) }
    }

    /// Writes the `repeats` rows of one position: one geometry, counted again and again.
    fn write_position(
        &self,
        position: usize,
        repeats: usize,
        array: &DetectorArray,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let signals = array.signal_rates(&self.drum, self.angle(position));
        for repeat in 0..repeats {
            let mut noise = self.stream(Stream::Row, &[position, repeat]);
            self.write_row(&count(&signals, array, &mut noise), out)?;
        }
        Ok(())
    }

    fn write_row(&self, counts: &[u64; DETECTORS], out: &mut impl Write) -> io::Result<()> {
        write!(out, "{},{:.3}", self.label, self.drum.mass)?;
        for &count in counts {
            write!(out, ",{:.4}", count as f64 / COUNTING_TIME)?;
        }
        writeln!(out)
    }

    /// Angle of the turntable in radians; zero at the first position, random at the others.
    fn angle(&self, position: usize) -> f64 {
        if position == 0 {
            return 0.0;
        }
        2.0 * std::f64::consts::PI * self.stream(Stream::Turn, &[position]).uniform()
    }

    fn stream(&self, stream: Stream, within: &[usize]) -> Generator {
        let mut path = vec![stream as u64, self.number as u64];
        path.extend(within.iter().map(|&step| step as u64));
        Generator::new(self.seed, &path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(plan: &SimulationPlan) -> Vec<String> {
        let mut out = Vec::new();
        write_simulations(plan, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(String::from).collect()
    }

    fn signals(line: &str) -> Vec<f64> {
        line.split(',').skip(2).map(|field| field.parse().unwrap()).collect()
    }

    #[test]
    fn shipped_file_is_what_the_default_plan_writes() {
        let shipped = include_str!("../../../data/simulations.csv");
        assert!(lines(&SimulationPlan::default()).iter().eq(shipped.lines()));
    }

    #[test]
    fn equal_seeds_give_equal_tables_and_others_do_not() {
        let plan = SimulationPlan {
            containers: 9,
            remeasured: 3,
            positions: 2,
            repeats: 2,
            seed: 1,
            density: None,
        };
        assert_eq!(lines(&plan), lines(&plan.clone()));
        assert_ne!(lines(&plan), lines(&SimulationPlan { seed: 2, ..plan }));
    }

    #[test]
    fn header_names_the_fifteen_detectors() {
        let header = &lines(&SimulationPlan::default())[0];
        assert!(header.starts_with("container,mass,det1,det2,"));
        assert!(header.ends_with(",det14,det15"));
        assert_eq!(header.split(',').count(), 17);
    }

    #[test]
    fn container_is_the_same_whatever_the_size_of_the_set() {
        let small = SimulationPlan {
            containers: 6,
            remeasured: 0,
            positions: 1,
            repeats: 1,
            seed: 4,
            density: None,
        };
        let large = SimulationPlan { containers: 50, ..small.clone() };
        assert!(lines(&small)[5].starts_with("C005,"));
        assert_eq!(lines(&small)[5], lines(&large)[5]);
    }

    #[test]
    fn measuring_again_only_adds_rows() {
        let once = SimulationPlan {
            containers: 12,
            remeasured: 0,
            positions: 3,
            repeats: 2,
            seed: 4,
            density: None,
        };
        let again = lines(&SimulationPlan { remeasured: 5, ..once.clone() });
        assert_eq!(again.len(), 1 + 12 + 5 * 5);
        assert!(lines(&once).iter().all(|line| again.contains(line)));
        assert!(again.is_sorted_by_key(|line| line[..4].replace("cont", "C000")));
    }

    #[test]
    fn numbers_widen_with_the_count_of_containers() {
        let plan = SimulationPlan { containers: 1000, remeasured: 0, ..SimulationPlan::default() };
        let lines = lines(&plan);
        assert!(lines[1].starts_with("C0001,") && lines[1000].starts_with("C1000,"));
    }

    #[test]
    fn repeats_differ_only_by_noise_and_positions_by_more() {
        let plan = SimulationPlan {
            containers: 8,
            remeasured: 8,
            positions: 2,
            repeats: 2,
            seed: 4,
            density: None,
        };
        let rows: Vec<Vec<f64>> = lines(&plan)[1..].iter().map(|line| signals(line)).collect();
        let apart = |a: &[f64], b: &[f64]| {
            let relative = a.iter().zip(b).map(|(a, b)| ((a - b) / (a + b)).abs());
            relative.fold(0.0, f64::max)
        };
        // At worst all is background: 5 % between rows and 1.7 % of counting noise, 3.7 % (one
        // standard error) in (a - b) / (a + b).
        for rows in rows.chunks(4) {
            assert!(rows[0] != rows[1] && apart(&rows[0], &rows[1]) < 0.14);
        }
        assert!(rows.chunks(4).any(|rows| apart(&rows[0], &rows[2]) > 0.3));
    }

    #[test]
    fn refused_plan_writes_nothing() {
        let mut out = Vec::new();
        let plan = SimulationPlan { containers: 0, ..SimulationPlan::default() };
        let error = write_simulations(&plan, &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(out.is_empty());
    }
}
