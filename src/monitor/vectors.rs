//! Known answers of `SciPy` and Evidently, for tests.

use serde_json::Value;

/// Two samples and what others' libraries say of them.
pub(super) struct Vectors {
    /// The first sample, sorted.
    pub(super) reference: Vec<f64>,
    /// The second sample, sorted.
    pub(super) current: Vec<f64>,
    all: Value,
}

impl Vectors {
    pub(super) fn read() -> Self {
        let text = include_str!("../../tests/fixtures/drift_vectors.json");
        let all: Value = serde_json::from_str(text).unwrap();
        let sample = |name: &str| {
            let values = all[name].as_array().unwrap().iter();
            let mut values: Vec<f64> = values.map(|own| own.as_f64().unwrap()).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        Self { reference: sample("reference"), current: sample("current"), all }
    }

    /// The number at a JSON pointer.
    pub(super) fn number(&self, pointer: &str) -> f64 {
        self.all.pointer(pointer).and_then(Value::as_f64).unwrap()
    }
}

/// The large samples: quantiles of two normal distributions.
pub(super) fn large() -> (Vec<f64>, Vec<f64>) {
    use statrs::distribution::{ContinuousCDF, Normal};
    let quantiles = |mean: f64, deviation: f64| {
        let normal = Normal::new(mean, deviation).unwrap();
        (0..1200).map(|i| normal.inverse_cdf((f64::from(i) + 0.5) / 1200.0)).collect()
    };
    (quantiles(100.0, 15.0), quantiles(103.0, 18.0))
}
