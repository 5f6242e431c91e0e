//! Tables and their profiles for the tests of this folder.

use crate::data::explore::{
    ColumnProfile, ColumnRole, Finding, FindingKind, GroupProfile, Profile, Severity,
};
use crate::data::{DataConfig, Dataset, DetectorArray, MissingCells, TableSchema};
use crate::report::exploration::Exploration;

/// A table with all that an exploration needs.
pub(super) struct SampleTable {
    pub(super) dataset: Dataset,
    pub(super) profile: Profile,
    pub(super) findings: Vec<Finding>,
    pub(super) schema: Option<TableSchema>,
}

impl SampleTable {
    /// A table of the given features and a target.
    pub(super) fn new(features: Vec<(String, Vec<f64>)>, target: Vec<f64>) -> Self {
        let (feature_names, features) = features.into_iter().unzip();
        Self::of(Dataset {
            path: "table.csv".to_owned(),
            sha256: "0".repeat(64),
            target_name: "mass".to_owned(),
            target,
            feature_names,
            features,
            weights: None,
            uncertainty: None,
            groups: None,
            order: None,
            text: Vec::new(),
        })
    }

    /// The simulations that massay ships.
    pub(super) fn shipped() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/simulations.csv").into();
        let config = DataConfig { path, ..DataConfig::default() };
        let mut dataset = Dataset::read(&config, "", MissingCells::Keep).unwrap();
        dataset.path = "data/simulations.csv".to_owned();
        Self::of(dataset)
    }

    /// `n_features` that fall off from one to the next and grow with the target, with noise.
    pub(super) fn grown(rows: usize, n_features: usize) -> Self {
        let wave = |row: usize, salt: usize| {
            let mixed = (row as u64 * 131 + salt as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            (mixed >> 11) as f64 / (1u64 << 53) as f64
        };
        let target: Vec<f64> = (0..rows).map(|row| 0.5 * 200f64.powf(wave(row, 0))).collect();
        let feature = |index: usize| {
            let signal = |row: usize| {
                let noise = 8f64.powf(wave(row, index + 1) * (1.0 + 0.02 * index as f64));
                10.0 / (1.0 + index as f64) * target[row] * noise
            };
            (format!("det{}", index + 1), (0..rows).map(signal).collect())
        };
        let features = (0..n_features).map(feature).collect();
        Self::new(features, target)
    }

    fn of(dataset: Dataset) -> Self {
        let profile = profile(&dataset);
        Self { dataset, profile, findings: Vec::new(), schema: None }
    }

    /// States that the features stand in rings of a size.
    pub(super) fn in_rings(mut self, size: usize) -> Self {
        let rings = self.dataset.feature_names.chunks(size).map(<[String]>::to_vec).collect();
        let array = Some(DetectorArray { rings, symmetries: Vec::new() });
        self.schema = Some(TableSchema { columns: Vec::new(), array });
        self
    }

    /// With one finding of each severity about the first feature.
    pub(super) fn with_findings(mut self) -> Self {
        let name = self.dataset.feature_names[0].clone();
        let severities = [Severity::Note, Severity::Warning, Severity::Error];
        self.findings = severities.map(|severity| finding(severity, &name)).into();
        self
    }

    pub(super) fn exploration(&self) -> Exploration<'_> {
        Exploration {
            dataset: &self.dataset,
            profile: &self.profile,
            findings: &self.findings,
            schema: self.schema.as_ref(),
            unit: Some("g".to_owned()),
            version: "0.1.0".to_owned(),
        }
    }
}

fn finding(severity: Severity, column: &str) -> Finding {
    Finding {
        kind: FindingKind::DeadDetector,
        severity,
        columns: vec![column.to_owned()],
        rows: vec![3, 17, 45],
        count: 12,
        what: format!("Detector {column} reads zero in 12 of 104 rows."),
        why: "A dead detector looks like a small mass to a model.".to_owned(),
        training: "It keeps the column and flags rows whose signals do not fit together."
            .to_owned(),
    }
}

fn profile(dataset: &Dataset) -> Profile {
    let target =
        column(&dataset.target_name, ColumnRole::Target, (&dataset.target, &dataset.target));
    let features = dataset.feature_names.iter().zip(&dataset.features);
    let features =
        features.map(|(name, values)| column(name, ColumnRole::Feature, (values, &dataset.target)));
    let all: Vec<&Vec<f64>> = std::iter::once(&dataset.target).chain(&dataset.features).collect();
    let pearson =
        all.iter().map(|left| all.iter().map(|right| pearson(left, right)).collect()).collect();
    let groups = dataset.groups.as_ref().map(|groups| GroupProfile {
        column: groups.column.clone(),
        groups: groups.names.len(),
        repeated: 0,
        largest: 1,
    });
    let columns = std::iter::once(target).chain(features).collect();
    Profile { rows: dataset.rows(), groups, columns, pearson }
}

fn column(name: &str, role: ColumnRole, (values, target): (&[f64], &[f64])) -> ColumnProfile {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let some = |value: f64| value.is_finite().then_some(value);
    let mean = sorted.iter().sum::<f64>() / count;
    let moment = |power: i32| sorted.iter().map(|x| (x - mean).powi(power)).sum::<f64>();
    let mut distinct = sorted.clone();
    distinct.dedup();
    ColumnProfile {
        name: name.to_owned(),
        role,
        unit: (role == ColumnRole::Target).then(|| "g".to_owned()),
        missing: values.len() - sorted.len(),
        zeros: sorted.iter().filter(|value| **value == 0.0).count(),
        distinct: distinct.len(),
        mean: some(mean),
        deviation: some((moment(2) / (count - 1.0)).sqrt()),
        minimum: sorted.first().copied(),
        lower_quartile: quantile(&sorted, 0.25),
        median: quantile(&sorted, 0.5),
        upper_quartile: quantile(&sorted, 0.75),
        maximum: sorted.last().copied(),
        skewness: some((moment(3) / count) / (moment(2) / count).powf(1.5)),
        pearson: pearson(values, target),
        spearman: pearson(&ranks(values), &ranks(target)),
    }
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

/// Ranks by value; ties by place, which is enough for a sample.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![f64::NAN; values.len()];
    for (rank, row) in order.into_iter().enumerate().filter(|(_, row)| values[*row].is_finite()) {
        ranks[row] = rank as f64;
    }
    ranks
}

fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    let pairs = left.iter().zip(right).filter(|(x, y)| x.is_finite() && y.is_finite());
    let pairs: Vec<(f64, f64)> = pairs.map(|(x, y)| (*x, *y)).collect();
    let mean =
        |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / pairs.len() as f64;
    let (x_mean, y_mean) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|(x, y)| term(x - x_mean, y - y_mean)).sum()
    };
    let correlation = sum(&|x, y| x * y) / (sum(&|x, _| x * x).sqrt() * sum(&|_, y| y * y).sqrt());
    (pairs.len() >= 3 && correlation.is_finite()).then_some(correlation)
}
