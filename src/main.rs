//! The `massay` program.

use std::process::ExitCode;

/// Training allocates and frees the same large buffers in every step, which this allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    massay::cli::main()
}
