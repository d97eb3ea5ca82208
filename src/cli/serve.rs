//! Flags of what goes out: where pictures are stored, and what is shown over HTTP.

use clap::Args;

/// Where pictures go.
#[derive(Debug, Clone, Default, Args)]
pub struct StorageFlags {
    /// s3://bucket/prefix, or a folder [also: BUCKET_NAME]
    #[arg(long, value_name = "URL", env = "TINTYPE_STORAGE")]
    pub storage: Option<String>,
    /// How the world reaches the store, such as https://cdn.example/og
    #[arg(long, value_name = "URL", env = "TINTYPE_PUBLIC_BASE_URL")]
    pub public_base_url: Option<String>,
}

/// What a worker shows.
#[derive(Debug, Clone, Default, Args)]
pub struct HttpFlags {
    /// Serve the live page, health and metrics at HOST:PORT, or at a port of this machine [default: nowhere]
    #[arg(long, value_name = "ADDR", env = "TINTYPE_HTTP", help_heading = "HTTP")]
    pub http: Option<String>,
    /// What lets visitors retry rows, and see any where others than this machine can come; 16 characters at least [also: TINTYPE_HTTP_TOKEN_FILE]
    #[arg(long, value_name = "TOKEN", env = "TINTYPE_HTTP_TOKEN", hide_env_values = true, help_heading = "HTTP")]
    pub http_token: Option<String>,
    /// Serve health and metrics alone, which needs no token
    #[arg(long, env = "TINTYPE_HTTP_PROBES", help_heading = "HTTP")]
    pub http_probes: bool,
    /// What the addresses of cards on demand are signed with, 16 characters at least; none are drawn without it [also: TINTYPE_CARD_SECRET_FILE]
    #[arg(long, value_name = "SECRET", env = "TINTYPE_CARD_SECRET", hide_env_values = true, help_heading = "HTTP")]
    pub card_secret: Option<String>,
}
