//! Settings: a flag, then `TINTYPE_*`, then the ecosystem's own names, then `tintype.toml`. One small struct a concern, checked
//! once; the only reader of the environment (clap reads `TINTYPE_*` for the flags). A secret may also stand in a file named by
//! the variable with `_FILE` behind its name. (What is for tests alone is read in `failpoint.rs`, OpenTelemetry's variables by its
//! library and `trace.rs`.)

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;

use crate::{
    capture::{self, guard},
    card::{Format, Looks},
    cli::{BrowserFlags, Global, HttpFlags, LooksFlag, PictureFormat, PoolFlags, Run, StorageFlags},
    db::{ConnectSettings, LibpqEnv},
    error::Error,
    failpoint, http,
    maintenance::Rhythm,
    page::Secrets,
    storage::{AccessKey, StorageSettings},
    worker::WorkerOptions,
};

/// Jobs in flight for each card that may be drawn at once: most of a job is waiting for the store and the database.
const SLOTS_A_CARD: usize = 8;

/// The same for each capture that is made at once: the next one is at hand when it ends.
const SLOTS_A_CAPTURE: usize = 2;

/// What `tintype.toml` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database_url: Option<String>,
    listen_url: Option<String>,
    connections: Option<usize>,
    storage: Option<String>,
    public_base_url: Option<String>,
    path_style: Option<bool>,
    concurrency: Option<usize>,
    looks: Option<PathBuf>,
    format: Option<String>,
    prune_after: Option<String>,
    http: Option<String>,
    http_probes: Option<bool>,
}

/// The settings of the file: name, flag, other names in the environment, and what it is for.
pub const SETTINGS: [(&str, &str, &str, &str); 12] = [
    ("database_url", "--database-url", "TINTYPE_DATABASE_URL, DATABASE_URL, PG*", "the application's database"),
    ("listen_url", "--listen-url", "TINTYPE_LISTEN_URL", "another way to it for LISTEN"),
    (
        "connections",
        "--connections",
        "TINTYPE_CONNECTIONS",
        "how many connections a process holds, the one that listens aside; 3",
    ),
    ("storage", "--storage", "TINTYPE_STORAGE, BUCKET_NAME", "where pictures go"),
    ("public_base_url", "--public-base-url", "TINTYPE_PUBLIC_BASE_URL", "how the world reaches the store"),
    ("path_style", "", "", "whether the bucket stands in the path of its address; true where an endpoint is given"),
    ("concurrency", "--concurrency", "TINTYPE_CONCURRENCY", "cards drawn at once"),
    ("looks", "--looks", "TINTYPE_LOOKS", "the directory with looks and templates"),
    ("format", "--format", "TINTYPE_FORMAT", "the format of a worker's pictures"),
    ("prune_after", "--prune-after", "TINTYPE_PRUNE_AFTER", "after how long pictures that no row shows are deleted"),
    ("http", "--http", "TINTYPE_HTTP", "where the live page, health and metrics are served"),
    ("http_probes", "--http-probes", "TINTYPE_HTTP_PROBES", "whether health and metrics alone are"),
];

/// Everything outside the command line: the environment and the file.
#[derive(Debug)]
pub struct Config {
    file: File,
}

impl Config {
    /// Reads the settings file: the one named, which must exist, else `tintype.toml` where there is one.
    pub fn load(global: &Global) -> Result<Self, Error> {
        let default = PathBuf::from("tintype.toml");
        let path = match &global.config {
            Some(path) => path,
            None if default.exists() => &default,
            None => return Ok(Self { file: File::default() }),
        };
        let text = read(path, "--config or TINTYPE_CONFIG")?;
        // Without the line itself, which may hold a password.
        let file = toml::from_str(&text).map_err(|error| Error::Config {
            what: format!("{}, line {}: {}", path.display(), line_of(&text, &error), error.message()),
            hint: format!("known settings: {}", SETTINGS.map(|(name, ..)| name).join(", ")),
        })?;
        Ok(Self { file })
    }

    /// How to reach the database.
    pub fn connection(&self, global: &Global) -> Result<(ConnectSettings, LibpqEnv), Error> {
        let url = match given(global.database_url.as_ref()) {
            Some(url) => Some(url),
            None => secret("TINTYPE_DATABASE_URL")?.or(secret("DATABASE_URL")?).or(self.file.database_url.clone()),
        };
        let listen_url = match given(global.listen_url.as_ref()) {
            Some(url) => Some(url),
            None => secret("TINTYPE_LISTEN_URL")?.or(self.file.listen_url.clone()),
        };
        let defaults = ConnectSettings::default();
        let pool_size = global.connections.map(usize::from).or(self.file.connections).unwrap_or(defaults.pool_size);
        Ok((ConnectSettings { url, listen_url, pool_size, ..defaults }, LibpqEnv::from_lookup(variable)))
    }

    /// Where pictures go.
    pub fn storage(&self, flags: &StorageFlags) -> Result<StorageSettings, Error> {
        let url = given(flags.storage.as_ref())
            .or_else(|| variable("BUCKET_NAME").map(|bucket| format!("s3://{bucket}")))
            .or(self.file.storage.clone());
        let Some(url) = url else {
            return Err(Error::Config {
                what: "no storage is named".to_owned(),
                hint: "--storage s3://bucket/prefix, or --storage ./pictures --public-base-url https://…, or TINTYPE_STORAGE"
                    .to_owned(),
            });
        };
        Ok(StorageSettings {
            url,
            public_base_url: given(flags.public_base_url.as_ref()).or(self.file.public_base_url.clone()),
            endpoint_url: variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")),
            path_style: self.file.path_style,
            region: None,
            credentials: access_key()?,
        })
    }

    /// Where looks are found besides the built-in ones. The directory must exist, whether or not any of its looks is wanted.
    pub fn looks(&self, flag: &LooksFlag) -> Result<Looks, Error> {
        let directory = flag.looks.as_ref().filter(|path| !path.as_os_str().is_empty()).or(self.file.looks.as_ref());
        match directory {
            Some(path) if !path.is_dir() => Err(Error::Config {
                what: format!("{} is not a directory", path.display()),
                hint: "--looks or TINTYPE_LOOKS names a directory with a file NAME.toml for each look".to_owned(),
            }),
            directory => Ok(Looks::new(directory.cloned())),
        }
    }

    /// What is shown over HTTP; `None`: nothing.
    pub fn http(&self, flags: &HttpFlags) -> Result<Option<http::Settings>, Error> {
        let Some(address) = given(flags.http.as_ref()).or(self.file.http.clone()) else { return Ok(None) };
        let secret =
            |flag: &Option<String>, name| given(flag.as_ref()).map_or_else(|| secret(name), |text| Ok(Some(text)));
        let token = secret(&flags.http_token, "TINTYPE_HTTP_TOKEN")?;
        let card_secret = secret(&flags.card_secret, "TINTYPE_CARD_SECRET")?;
        let probes = flags.http_probes || self.file.http_probes.unwrap_or_default();
        Ok(Some(http::Settings::new(&address, token, card_secret, probes)?))
    }

    /// The secrets that sources may name for their pages: `TINTYPE_SECRET_NAME`, or a file named by `TINTYPE_SECRET_NAME_FILE`.
    pub fn secrets(&self) -> Result<Secrets, Error> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let names =
            names.filter_map(|name| name.strip_prefix(SECRET).map(|name| name.trim_end_matches("_FILE").to_owned()));
        let read = |name: String| Ok(secret(&format!("{SECRET}{name}"))?.map(|value| (name, value)));
        let all: Vec<_> = names.map(read).collect::<Result<_, Error>>()?;
        Ok(Secrets::new(all.into_iter().flatten()))
    }

    /// How the browser is kept.
    pub fn browser(&self, flags: &BrowserFlags) -> Result<capture::Settings, Error> {
        Ok(capture::Settings {
            browser: flags.browser.clone().filter(|path| !path.as_os_str().is_empty()),
            search_path: program_path(),
            sandbox: !flags.no_sandbox,
            ready: 0, // tintype capture takes one picture
            block_list: Arc::new(block_list(&flags.block_lists)?),
            ..capture::Settings::default()
        })
    }

    /// The same for a worker, which also says how much it works.
    pub fn pool(&self, flags: &BrowserFlags, pool: &PoolFlags) -> Result<capture::Settings, Error> {
        Ok(capture::Settings {
            ready: capture::Settings::default().ready,
            captures: usize::from(pool.captures),
            idle: Duration::from_secs(pool.browser_idle),
            host_captures: usize::from(pool.host_captures),
            host_per_minute: pool.host_per_minute,
            ..self.browser(flags)?
        })
    }

    /// What pages may reach.
    pub fn rules(&self, flags: &BrowserFlags) -> Result<guard::Rules, Error> {
        let given = flags.allow_hosts.iter().filter(|host| !host.is_empty());
        let allow = given.map(|host| host.parse()).collect::<Result<_, guard::AllowedHostError>>();
        let allow = allow.map_err(|error| Error::Usage {
            what: format!("--allow-host: {error}"),
            hint: "--allow-host localhost:4000, again for each".to_owned(),
        })?;
        Ok(guard::Rules { allow, ..guard::Rules::default() })
    }

    /// The format of a worker's pictures, where one is asked for.
    pub fn format(&self, flag: Option<PictureFormat>) -> Result<Option<Format>, Error> {
        match (flag, &self.file.format) {
            (Some(flag), _) => Ok(Some(flag.into())),
            (None, Some(text)) => text.parse().map(Some).map_err(|error| Error::Config {
                what: format!("{error}"),
                hint: "the setting `format` of the settings file, --format or TINTYPE_FORMAT".to_owned(),
            }),
            (None, None) => Ok(None),
        }
    }

    /// How the worker works, and how many cards are drawn at once.
    pub fn worker(&self, flags: &Run) -> Result<(WorkerOptions, usize), Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let concurrency = flags.concurrency.map(usize::from).or(self.file.concurrency).unwrap_or(cores).max(1);
        let options = WorkerOptions {
            name: worker_name(),
            slots: concurrency * SLOTS_A_CARD,
            page_slots: usize::from(flags.pool.captures) * SLOTS_A_CAPTURE,
            grace: Duration::from_secs(flags.grace),
            exit_when_idle: flags.exit_when_idle,
            prune_after: given(flags.prune_after.as_ref())
                .or(self.file.prune_after.clone())
                .map(|text| age(&text, "--prune-after, TINTYPE_PRUNE_AFTER or `prune_after` of the settings file"))
                .transpose()?,
            rhythm: failpoint::lease().map_or_else(Rhythm::default, |lease| Rhythm { lease, heartbeat: lease / 6 }),
        };
        Ok((options, concurrency))
    }
}

/// The small list with those of the user's own.
fn block_list(files: &[PathBuf]) -> Result<capture::BlockList, Error> {
    let mut list = capture::BlockList::small();
    for path in files.iter().filter(|path| !path.as_os_str().is_empty()) {
        if list.add(&read(path, "--block-list or TINTYPE_BLOCK_LIST")?) == 0 {
            return Err(Error::Config {
                what: format!("{} holds no rule that is understood", path.display()),
                hint: "--block-list takes a list in the form of EasyList, or a hosts file".to_owned(),
            });
        }
    }
    Ok(list)
}

/// An age such as `30d`, `12h`, `45m` or `90s`, given by the setting `named_by`.
pub fn age(text: &str, named_by: &str) -> Result<Duration, Error> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => 0,
    };
    match number.trim().parse::<u32>() {
        Ok(number) if seconds > 0 => Ok(Duration::from_secs(u64::from(number) * seconds)),
        _ => Err(Error::Config {
            what: format!("`{text}` is not an age"),
            hint: format!("{named_by}: 30d, 12h, 45m or 90s"),
        }),
    }
}

/// The prefix of the variables that hold secrets for pages.
const SECRET: &str = "TINTYPE_SECRET_";

/// Host and process.
pub fn worker_name() -> String {
    let host = variable("HOSTNAME").or_else(|| fs::read_to_string("/etc/hostname").ok());
    format!("{}:{}", host.as_deref().map_or("localhost", str::trim), std::process::id())
}

/// Whether colours are unwanted (<https://no-color.org>).
pub fn no_color() -> bool {
    variable("NO_COLOR").is_some()
}

/// The search path for programs.
pub fn program_path() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}

/// A flag's value; an empty one, as compose files make of a variable that is not set, is none.
fn given(flag: Option<&String>) -> Option<String> {
    flag.filter(|value| !value.is_empty()).cloned()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable, or the text of the file that `NAME_FILE` names.
fn secret(name: &str) -> Result<Option<String>, Error> {
    match (variable(name), variable(&format!("{name}_FILE"))) {
        (Some(value), _) => Ok(Some(value)),
        (None, Some(path)) => Ok(Some(read(Path::new(&path), &format!("{name}_FILE"))?.trim_end().to_owned())),
        (None, None) => Ok(None),
    }
}

/// The store's key, where files hold some of it; everything else the AWS tools' own rules find.
fn access_key() -> Result<Option<AccessKey>, Error> {
    let [id, key, token] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    if [id, key, token].into_iter().all(|name| variable(&format!("{name}_FILE")).is_none()) {
        return Ok(None);
    }
    match (secret(id)?, secret(key)?) {
        (Some(id), Some(secret_key)) => Ok(Some(AccessKey { id, secret: secret_key, session_token: secret(token)? })),
        (found, _) => Err(Error::Config {
            what: format!(
                "a part of the store's key is in a file, and {} is nowhere",
                if found.is_some() { key } else { id }
            ),
            hint: format!("set {id} and {key}, or {id}_FILE and {key}_FILE"),
        }),
    }
}

/// The text of a file that the setting `named_by` points at.
fn read(path: &Path, named_by: &str) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::Config {
        what: format!("{}: {error}", path.display()),
        hint: format!("the file is named by {named_by}"),
    })
}

/// The number of the line where a settings file goes wrong.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    1 + before.matches('\n').count()
}
