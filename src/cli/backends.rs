//! `massay backends`, and the flag that chooses one.

use std::fmt::Write;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::model::{Backend, BackendKind};

use super::emit;

/// List the compute backends of this machine, the automatic choice first.
#[derive(Debug, Args)]
pub(super) struct BackendsArguments {}

impl BackendsArguments {
    #[expect(clippy::unused_self, reason = "every subcommand runs alike")]
    pub(super) fn run(self) -> Result<()> {
        let mut text = String::new();
        for (index, backend) in Backend::available().iter().enumerate() {
            let mark = if index == 0 { "*" } else { " " };
            let (kind, name, reason) = (backend.kind.name(), &backend.name, &backend.reason);
            writeln!(text, "{mark} {kind:<8} {name:<32} {reason}")?;
        }
        emit(&(text + "\n* is what `--backend auto` takes\n"))
    }
}

/// The flag `--backend` of commands that predict and do not train.
#[derive(Debug, Args)]
pub(super) struct PredictingBackend {
    /// Where to compute; on a GPU a few rows wait longer for its driver than for their answer
    #[arg(long, value_enum, value_name = "BACKEND", default_value_t = BackendKind::Cpu)]
    pub(super) backend: BackendKind,
}

/// The flag `--backend` of commands that train.
#[derive(Debug, Args)]
pub(super) struct BackendArgument {
    /// Where to compute [default: auto]
    #[arg(long, value_enum, value_name = "BACKEND")]
    pub(super) backend: Option<BackendKind>,
}

impl ValueEnum for BackendKind {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Wgpu, Self::Ndarray, Self::Cpu]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let help = match self {
            Self::Auto => "a GPU where there is one, the CPU otherwise",
            Self::Wgpu => "a GPU (Vulkan, Metal, DirectX)",
            Self::Ndarray => "the CPU through burn-ndarray",
            Self::Cpu => "the CPU by arithmetic of our own, the faster of the two",
        };
        let value = clap::builder::PossibleValue::new(self.name()).help(help);
        // The name that it had while burn-flex computed some of the networks.
        Some(if *self == Self::Cpu { value.alias("flex") } else { value })
    }
}
