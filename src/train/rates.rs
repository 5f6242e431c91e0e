//! How fast each kind of parameter learns and decays.

use crate::model::{Parametrisation, Role, StackShape};

/// Factors on the learning rate and on the decay of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    /// Onto the learning rate.
    pub(super) rate: f64,
    /// Onto learning rate times weight decay.
    pub(super) decay: f64,
}

/// The rule of each parameter of `shape`, in their order.
///
/// Learned factors are fast and embeddings, biases and slopes slow (Holzmüller, Grinsztajn and
/// Steinwart, 2024, whose code applies the factor twice to the decay). A matrix divided by the root
/// of its fan-in is, for an optimiser that does not see the scale of gradients, one that learns
/// slower by that root.
pub(super) fn rules(shape: &StackShape, parametrisation: Parametrisation) -> Vec<Rule> {
    let is_ntk = parametrisation == Parametrisation::Ntk;
    let rule = |role: Role, fan_in: usize| match role {
        Role::Constant => Rule { rate: 0.0, decay: 0.0 },
        Role::Embedding | Role::Slope => Rule { rate: 0.1, decay: 0.01 },
        Role::Scale => Rule { rate: 6.0, decay: 36.0 },
        Role::Matrix if is_ntk => Rule { rate: 1.0 / (fan_in as f64).sqrt(), decay: 1.0 },
        Role::Matrix => Rule { rate: 1.0, decay: 1.0 },
        Role::Copy => Rule { rate: 1.0, decay: 0.0 },
        Role::Bias => Rule { rate: if is_ntk { 0.1 } else { 1.0 }, decay: 0.0 },
    };
    let parameters = shape.parameters();
    let last = parameters.len() - 2;
    let fan_in = |(index, rows, columns): (usize, usize, usize)| {
        // The outputs of a batch ensemble stand side by side.
        if index == last && shape.copies > 1 { columns } else { rows }
    };
    let parts = parameters.iter().enumerate();
    parts.map(|(index, p)| rule(p.role, fan_in((index, p.rows, p.columns)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Embedding};

    #[test]
    fn matrices_learn_by_their_fan_in_and_biases_do_not_decay() {
        let shape = StackShape {
            embedding: Embedding::Pbld,
            scaled: true,
            ..StackShape::plain(4, vec![9], Activation::Mish)
        };
        let rules = rules(&shape, Parametrisation::Ntk);
        let rates: Vec<f64> = rules.iter().map(|rule| rule.rate).collect();
        assert_eq!(rates, [0.1, 0.1, 0.1, 0.1, 6.0, 0.25, 0.1, 1.0 / 3.0, 0.1]);
        assert_eq!((rules[5].decay, rules[6].decay), (1.0, 0.0));
    }
}
