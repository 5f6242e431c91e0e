//! The weights of one network on the host: how members are drawn, saved and put in stacks.

use std::f64::consts::PI;

use crate::data::Generator;

use super::{Embedding, ParameterShape, Role, StackShape};

/// The weights of one network: parameter by parameter in the order of [`StackShape::parameters`],
/// each row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberWeights(pub Vec<f32>);

impl MemberWeights {
    /// Draws initial weights: matrices N(0, 2 / `fan_in`) (He et al., 2015), the output layer
    /// N(0, 1 / `fan_in`), biases 0, factors 1. Of the features only `active` ever differ from 0:
    /// the others do not count, so that a network starts alike however wide its neighbours are.
    #[must_use]
    pub fn draw(shape: &StackShape, active: usize, generator: &mut Generator) -> Self {
        let mut values = Vec::with_capacity(shape.size());
        for parameter in shape.parameters() {
            if parameter.name == "layer0.input" {
                values.extend(copy_factors(shape, &parameter, generator));
                continue;
            }
            let draw = initial_value(shape, active, &parameter);
            values.extend((0..parameter.size()).map(|_| draw(generator) as f32));
        }
        Self(values)
    }
}

/// How each value of a parameter is drawn. Frequencies are N(0, 0.1^2), phases uniform, mixtures of
/// waves and lines uniform within one over the root of what they add up; mixtures of bins are 0.
fn initial_value(
    shape: &StackShape,
    active: usize,
    parameter: &ParameterShape,
) -> Box<dyn Fn(&mut Generator) -> f64> {
    match (parameter.role, parameter.name.as_str()) {
        (Role::Matrix, _) => {
            let deviation = matrix_deviation(shape, active, parameter);
            Box::new(move |generator| deviation * generator.normal())
        }
        (Role::Scale | Role::Slope | Role::Copy, _) => Box::new(|_| 1.0),
        (Role::Embedding, "embedding.frequency") => Box::new(|generator| 0.1 * generator.normal()),
        (Role::Embedding, "embedding.phase") => Box::new(|generator| generator.between(-PI, PI)),
        (Role::Embedding, "embedding.mixture") if shape.embedding == Embedding::Piecewise => {
            Box::new(|_| 0.0)
        }
        (Role::Embedding, _) => Box::new(|generator| generator.between(-0.25, 0.25)),
        (Role::Bias | Role::Constant, _) => Box::new(|_| 0.0),
    }
}

/// The standard deviation of the initial values of a matrix.
fn matrix_deviation(shape: &StackShape, active: usize, parameter: &ParameterShape) -> f64 {
    let is_output = parameter.name == format!("layer{}.weight", shape.depth() - 1);
    let fan_in = if parameter.name == "layer0.weight" {
        shape.embedding.width(active.max(1))
    } else if is_output && shape.copies > 1 {
        parameter.columns
    } else {
        parameter.rows
    };
    let gain: f64 = if is_output { 1.0 } else { 2.0 };
    (gain / fan_in as f64).sqrt()
}

/// Factors of each copy on the inputs of the first layer: a random sign, or a normal number shared
/// by all numbers of an embedded feature.
fn copy_factors(
    shape: &StackShape,
    parameter: &ParameterShape,
    generator: &mut Generator,
) -> Vec<f32> {
    let copies = parameter.rows;
    let mut draw = || match shape.embedding {
        Embedding::None => (if generator.uniform() < 0.5 { -1.0 } else { 1.0 }) as f32,
        Embedding::Pbld | Embedding::Piecewise => generator.normal() as f32,
    };
    let width = shape.embedding.width(1);
    let mut factors = Vec::with_capacity(parameter.size());
    for _ in 0..copies {
        let own: Vec<f32> = (0..shape.inputs).map(|_| draw()).collect();
        match shape.embedding {
            // Mixtures feature by feature, then the features themselves.
            Embedding::Pbld => {
                factors.extend(own.iter().flat_map(|f| std::iter::repeat_n(*f, width - 1)));
                factors.extend(own);
            }
            _ => factors.extend(own.iter().flat_map(|f| std::iter::repeat_n(*f, width))),
        }
    }
    factors
}
