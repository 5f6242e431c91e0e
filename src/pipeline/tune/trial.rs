//! One set of parameters that is tried.

use toml::{Table, Value};

use crate::{model::ModelConfig, train::TrainConfig};

use super::{
    super::{Params, ParamsError},
    space::{Space, TuneConfig},
};

/// One set of parameters that is tried.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trial {
    /// 0 for the parameters as they stand.
    pub(super) number: usize,
    /// The parameters of the space with their values.
    pub(super) values: Vec<(String, Value)>,
    /// All parameters.
    pub(super) params: Params,
}

impl Trial {
    /// The parameters as they stand.
    pub(super) fn untouched(params: &Params, space: &Space) -> Self {
        let table = Table::try_from(params).unwrap_or_default();
        let value = |name: &str| {
            let (section, key) = name.split_once('.')?;
            table.get(section)?.get(key).cloned()
        };
        let values = space.0.iter().filter_map(|(name, _)| Some((name.clone(), value(name)?)));
        Self { number: 0, values: values.collect(), params: params.clone() }
    }

    /// `params` with `values` in their place.
    pub(super) fn new(
        number: usize,
        values: Vec<(String, Value)>,
        params: &Params,
    ) -> Result<Self, ParamsError> {
        let sets: Vec<String> =
            values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let params = params.with_all(sets.iter().map(String::as_str))?;
        Ok(Self { number, values, params })
    }

    /// What trials share whose networks can be one stack: everything that is not each network's own.
    pub(super) fn stack(&self) -> (ModelConfig, TrainConfig) {
        let model = ModelConfig { dropout: 0.0, linear_skip: false, ..self.params.model.clone() };
        let train = TrainConfig {
            learning_rate: 0.0,
            weight_decay: 0.0,
            beta_2: 0.0,
            ..self.params.train.clone()
        };
        (model, train)
    }

    /// The parameters as a file that `train` takes: every value that is not the plain default, so that
    /// no recipe changes them.
    pub(super) fn to_toml(&self) -> String {
        let mut params = self.params.clone();
        params.train.recipe = crate::train::Recipe::None;
        params.tune = TuneConfig::default();
        let defaults = Table::try_from(Params::default()).unwrap_or_default();
        let mut table = Table::try_from(&params).unwrap_or_default();
        for (section, values) in &mut table {
            let usual = defaults.get(section).and_then(Value::as_table);
            if let Some((values, usual)) = values.as_table_mut().zip(usual) {
                let is_named = |key: &str| section == "data" && ["path", "target"].contains(&key);
                values.retain(|key, value| is_named(key) || usual.get(key) != Some(value));
            }
        }
        table.retain(|_, section| section.as_table().is_none_or(|section| !section.is_empty()));
        toml::to_string(&table).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_trial_brings_its_parameters_back() {
        let sets = ["data.target=y", "train.recipe=small", "target.minimum=0.0"];
        let params = Params::default().with_all(sets).unwrap();
        let values = vec![
            ("model.hidden".to_owned(), Value::Array(vec![Value::Integer(9)])),
            ("train.learning_rate".to_owned(), Value::Float(0.0123)),
        ];
        let trial = Trial::new(3, values, &params).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("params.toml");
        std::fs::write(&file, trial.to_toml()).unwrap();
        let mut read = Params::load(Some(&file), &[]).unwrap();
        assert_eq!(read.train.recipe, crate::train::Recipe::None);
        read.train.recipe = trial.params.train.recipe;
        (read.given, read.is_from_file) = (trial.params.given.clone(), false);
        assert_eq!(read, trial.params);
        assert!(!trial.to_toml().contains("epochs"), "{}", trial.to_toml());
    }
}
