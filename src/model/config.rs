//! What kind of model is trained, and its shape.

use serde::{Deserialize, Serialize};

use super::{Activation, Embedding, InputScaling, RegressorKind, StackShape};

/// The model.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `kind` | `ensemble` | `ensemble`, `mlp`, `ridge`, `kernel`, `tree`, `forest`, `extra-trees`, `boosting`, `neighbours` | what predicts |
/// | `hidden` | by recipe | 1 to 8 widths of 1..=4096 | width of each hidden layer |
/// | `activation` | by recipe | `relu`, `gelu`, `silu`, `mish`, `tanh` | nonlinearity |
/// | `parametric_activation` | by recipe | | each hidden unit learns how much of the nonlinearity it takes |
/// | `dropout` | by recipe | 0..0.9 | share of hidden activations dropped while training |
/// | `input_scaling` | by recipe | `standard`, `robust` | how features come to the network's units |
/// | `embedding` | by recipe | `none`, `pbld`, `piecewise` | what becomes of each feature before the first layer |
/// | `scaling_layer` | by recipe | | a learned factor on each input of the first layer |
/// | `parametrisation` | by recipe | `standard`, `ntk` | how weights start and how fast each kind of parameter learns |
/// | `linear_skip` | by recipe | | the network learns what a ridge regression leaves over |
/// | `copies` | 1 | 1..=64 | members of a batch ensemble inside each network (TabM) |
/// | `members` | by recipe | 1..=100 | networks per fold; their mean predicts |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Kind of model.
    pub kind: ModelKind,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Nonlinearity after each hidden layer.
    pub activation: Activation,
    /// Whether each hidden unit learns how much of the nonlinearity it takes.
    pub parametric_activation: bool,
    /// Share of hidden activations dropped while training.
    pub dropout: f64,
    /// How features come to the network's units.
    pub input_scaling: InputScaling,
    /// What becomes of each feature before the first layer.
    pub embedding: Embedding,
    /// A learned factor on each input of the first layer.
    pub scaling_layer: bool,
    /// How weights start and how fast each kind of parameter learns.
    pub parametrisation: Parametrisation,
    /// Whether networks learn what a ridge regression leaves over.
    pub linear_skip: bool,
    /// Members of a batch ensemble inside each network.
    pub copies: usize,
    /// Networks per fold.
    pub members: usize,
}

/// A kind of model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ModelKind {
    /// A weighted mean of several kinds, the weights found within each fold's training rows.
    #[default]
    Ensemble,
    /// A stack of multilayer perceptrons.
    Mlp,
    /// Any other.
    Regressor(RegressorKind),
}

impl ModelKind {
    /// Every kind that is trained by itself.
    #[must_use]
    pub fn single() -> Vec<Self> {
        std::iter::once(Self::Mlp).chain(RegressorKind::ALL.map(Self::Regressor)).collect()
    }

    /// The kinds that predict together: itself, or those of the ensemble, which leaves one tree and
    /// the nearest neighbours out: what they find, forests and kernels find better.
    #[must_use]
    pub fn parts(self) -> Vec<Self> {
        use RegressorKind::{Neighbours, Tree};
        let is_left_out = |kind: &Self| [Tree, Neighbours].map(Self::Regressor).contains(kind);
        match self {
            Self::Ensemble => {
                Self::single().into_iter().filter(|kind| !is_left_out(kind)).collect()
            }
            single => vec![single],
        }
    }

    /// What it is where it is no network and no ensemble.
    #[must_use]
    pub fn regressor(self) -> Option<RegressorKind> {
        match self {
            Self::Regressor(kind) => Some(kind),
            Self::Ensemble | Self::Mlp => None,
        }
    }

    /// Its name, as typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ensemble => "ensemble",
            Self::Mlp => "mlp",
            Self::Regressor(kind) => kind.name(),
        }
    }
}

impl From<ModelKind> for String {
    fn from(kind: ModelKind) -> Self {
        kind.name().to_owned()
    }
}

impl TryFrom<String> for ModelKind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let known = || std::iter::once(Self::Ensemble).chain(Self::single());
        known().find(|kind| kind.name() == name).ok_or_else(|| {
            let names: Vec<String> = known().map(|kind| format!("`{}`", kind.name())).collect();
            format!("unknown variant `{name}`, expected one of {}", names.join(", "))
        })
    }
}

/// How weights start and how fast each kind of parameter learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parametrisation {
    /// He's initial weights, one learning rate for all matrices and biases.
    #[default]
    Standard,
    /// As if each matrix were divided by the root of its fan-in (neural tangent kernel; Jacot,
    /// Gabriel and Hongler, 2018): wide layers learn as fast as narrow ones. Initial weights are
    /// scaled until every unit has deviation 1 on the training rows, and biases put the kink of
    /// each unit amid them (Holzmüller, Grinsztajn and Steinwart, 2024).
    Ntk,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            kind: ModelKind::default(),
            hidden: vec![64, 64],
            activation: Activation::default(),
            parametric_activation: false,
            dropout: 0.1,
            input_scaling: InputScaling::Standard,
            embedding: Embedding::None,
            scaling_layer: false,
            parametrisation: Parametrisation::Standard,
            linear_skip: false,
            copies: 1,
            members: 5,
        }
    }
}

impl ModelConfig {
    /// The shape of a network for `inputs` features.
    #[must_use]
    pub fn shape(&self, inputs: usize) -> StackShape {
        StackShape {
            inputs,
            hidden: self.hidden.clone(),
            activation: self.activation,
            parametric: self.parametric_activation,
            embedding: self.embedding,
            scaled: self.scaling_layer,
            copies: self.copies,
        }
    }
}
