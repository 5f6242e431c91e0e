//! Everything that is tested through the public interface or the program itself.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::format_push_string, reason = "test tables are written line by line")]
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "massay names the files")]

mod backends;
mod checkpoint;
mod command_line;
mod coverage;
mod dvc;
mod explore;
mod explore_command;
mod export;
mod killed_promotion;
mod layers;
mod mlflow;
mod mlflow_server;
mod models;
mod monitoring;
mod parquet_tables;
mod preparation;
mod python;
mod readme;
mod registry;
mod report;
mod resume;
mod runs;
mod serve;
mod stack;
mod support;
mod tables;
mod tune;
