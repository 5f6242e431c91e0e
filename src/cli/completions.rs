//! `massay completions`

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, emit};

/// Print shell completions.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// Shell to print them for
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArguments {
    pub(super) fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "massay", &mut script);
        emit(&String::from_utf8_lossy(&script))
    }
}
