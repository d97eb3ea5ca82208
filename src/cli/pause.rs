//! Flags of `pause` and `resume`.

use clap::Args;

/// Flags of `pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// The attached table
    pub table: String,
    /// Take its triggers away as well, for a migration that changes the type of a column that they watch
    #[arg(long)]
    pub triggers: bool,
}

/// Flags of `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The paused table
    pub table: String,
}
