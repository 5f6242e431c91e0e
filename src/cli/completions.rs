//! `massay completions`

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::CommandLine;

/// Print shell completions.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// Shell to print them for
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArguments {
    #[expect(clippy::unnecessary_wraps, reason = "every subcommand runs alike")]
    pub(super) fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "massay", &mut script);
        print!("{}", String::from_utf8_lossy(&script));
        Ok(())
    }
}
