//! `quirknat schema`: the JSON Schema of scenario files.

use clap::Args;

use super::print;
use crate::exit::Failure;
use crate::scenario::language::schema::schema;

/// What to print. There is one schema.
#[derive(Debug, Args)]
#[command(
    after_help = "An editor that knows JSON Schema for TOML uses it for a file whose first line is\n  \
                        #:schema ./scenario.schema.json"
)]
pub struct SchemaArgs {}

/// Prints the schema.
pub fn run(_: &SchemaArgs) -> Result<(), Failure> {
    print(&format!("{:#}\n", schema()))
}
