//! The `quirknat` program.

use std::io::Write;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::Parser;
use quirknat_sim::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.choose_colours();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let stderr = std::io::stderr();
            let coloured = AutoStream::choice(&stderr) != ColorChoice::Never;
            if let Some(message) = failure.message(coloured) {
                let style = if coloured { AnsiColor::Red.on_default().bold() } else { Style::new() };
                // Where stderr is closed there is nobody to tell.
                let _ = writeln!(stderr.lock(), "{style}error:{style:#} {message}");
            }
            failure.code()
        }
    }
}
