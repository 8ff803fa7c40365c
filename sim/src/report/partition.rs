//! A run divided over several machines.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One part of a divided run: every `of`-th scenario, beginning with the `part`-th. The parts have no scenario in
/// common, and together have all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Which part, from 1.
    pub part: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Partition {
    /// Whether the scenario at a position, counted from 1, belongs to this part.
    pub fn has(self, position: usize) -> bool {
        self.part.checked_sub(1) == position.checked_sub(1).and_then(|index| index.checked_rem(self.of))
    }

    /// Whether there can be such a part.
    pub fn is_valid(self) -> bool {
        (1..=self.of).contains(&self.part)
    }
}

/// Why a text names no part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write K/N with 1 <= K <= N, as in 2/3 for the second of three parts")]
pub struct PartitionError;

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (part, of) = text.split_once('/').ok_or(PartitionError)?;
        let number = |text: &str| text.parse().map_err(|_| PartitionError);
        let partition = Self { part: number(part)?, of: number(of)? };
        if partition.is_valid() { Ok(partition) } else { Err(PartitionError) }
    }
}
