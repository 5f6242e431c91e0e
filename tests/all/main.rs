//! Everything that is tested through the public interface or the program itself.

mod backends;
mod checkpoint;
mod command_line;
mod coverage;
mod layers;
mod resume;
mod stack;
mod support;
mod tables;
