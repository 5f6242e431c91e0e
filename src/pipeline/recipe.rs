//! The network recipe that suits a table's size, beneath what was set by hand.

use super::{Params, ParamsError};
use crate::{features::TargetTransform, train::Recipe};

/// Networks learn as well from fewer rows with half as many units, and predict three times as fast.
const FEW: usize = 300;

/// Tables from so many rows on are medium, and large.
const MEDIUM: usize = 2_000;
const LARGE: usize = 20_000;

/// What all sizes have in common: `RealMLP` with tuned defaults (Holzmüller, Grinsztajn and
/// Steinwart, 2024) with half as many units, which costs a third of the time.
const COMMON: [&str; 16] = [
    "model.hidden=[128, 128, 128]",
    "model.activation=mish",
    "model.parametric_activation=true",
    "model.dropout=0.15",
    "model.input_scaling=robust",
    "model.embedding=pbld",
    "model.scaling_layer=true",
    "model.parametrisation=ntk",
    "train.epochs=256",
    "train.patience=0",
    "train.batch_size=256",
    "train.learning_rate=0.2",
    "train.schedule=cycles",
    "train.weight_decay=0.02",
    "train.beta_2=0.95",
    "train.regularisation=fading",
];

/// Fills in every parameter of the recipe that was not set by hand, for a table of `rows` rows.
///
/// # Errors
/// When a parameter is out of range.
pub(super) fn resolve(params: &Params, rows: usize) -> Result<Params, ParamsError> {
    let recipe = match params.train.recipe {
        Recipe::Auto if rows < MEDIUM => Recipe::Small,
        Recipe::Auto if rows < LARGE => Recipe::Medium,
        Recipe::Auto => Recipe::Large,
        named => named,
    };
    // The more rows there are, the less is won by averaging networks, and the more each one costs.
    let own: &[&str] = match recipe {
        Recipe::Auto | Recipe::None => return Ok(params.clone()),
        // A linear truth is what few rows lose first; in logarithms a line leads far astray beyond the
        // known rows.
        Recipe::Small if params.target.transform == TargetTransform::None => {
            &["model.members=5", "model.linear_skip=true"]
        }
        Recipe::Small => &["model.members=5"],
        Recipe::Medium => &["model.members=3"],
        Recipe::Large => &["model.members=2", "train.epochs=128", "train.batch_size=512"],
    };
    let narrow: &[&str] = if rows < FEW { &["model.hidden=[64, 64, 64]"] } else { &[] };
    let mut resolved = params.with(COMMON.iter().chain(narrow).chain(own))?;
    resolved.train.recipe = recipe;
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters of which `sets` were set by hand.
    fn params(sets: &[&str]) -> Params {
        let given = sets.iter().filter_map(|set| set.split('=').next()).map(str::to_owned);
        Params { given: given.collect(), ..Params::default().with(sets).unwrap() }
    }

    #[test]
    fn the_number_of_rows_chooses_and_what_was_set_stays() {
        let params = params(&["train.epochs=9", "model.hidden=[8]"]);
        let members = [(100, 5), (3_000, 3), (30_000, 2)];
        for (rows, expected) in members {
            let resolved = resolve(&params, rows).unwrap();
            assert_eq!(resolved.model.members, expected);
            assert_eq!((resolved.train.epochs, &resolved.model.hidden[..]), (9, &[8][..]));
            assert_eq!(resolved.train.learning_rate, 0.2);
        }
    }

    #[test]
    fn few_rows_ask_for_narrower_networks() {
        let hidden = |sets: &[&str], rows| resolve(&params(sets), rows).unwrap().model.hidden;
        assert_eq!((hidden(&[], 104), hidden(&[], 300)), (vec![64; 3], vec![128; 3]));
        assert_eq!(hidden(&["model.hidden=[8]"], 104), [8]);
    }

    #[test]
    fn few_rows_keep_a_linear_truth_but_not_in_logarithms() {
        let skips = |sets: &[&str], rows| resolve(&params(sets), rows).unwrap().model.linear_skip;
        assert!(skips(&[], 100) && !skips(&[], 3_000));
        assert!(!skips(&["target.transform=log"], 100));
        assert!(!skips(&["model.linear_skip=false"], 100));
    }

    #[test]
    fn no_recipe_changes_nothing() {
        let params = params(&["train.recipe=none"]);
        assert_eq!(resolve(&params, 100).unwrap(), params);
    }
}
