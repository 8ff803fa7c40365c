//! The `quirknat` program.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use quirknat_sim::cli::Cli;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                // Where stderr is closed there is nobody to tell.
                let _ = writeln!(std::io::stderr(), "error: {message}");
            }
            failure.code()
        }
    }
}
