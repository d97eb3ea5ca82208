//! Where and as whom to connect: a connection string and its surroundings go in, with libpq's precedence and defaults, and
//! servers, user, database and TLS settings come out, checked.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

use super::{
    DbError,
    libpq::{LibpqEnv, default_socket_folder, password_for},
    parse::{Pairs, bad, parse},
    tls::TlsSettings,
};

/// How long one attempt at one server may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Keywords that mean something here.
const HEEDED: &str = "host hostaddr port user password passfile dbname sslmode ssl sslnegotiation sslrootcert sslcert sslkey \
    application_name connect_timeout options target_session_attrs channel_binding";

/// Keywords of libpq whose absence weakens nothing.
const PASSED_OVER: &str = "fallback_application_name client_encoding gssencmode gsslib gssdelegation krbsrvname keepalives \
    keepalives_idle keepalives_interval keepalives_count tcp_user_timeout load_balance_hosts sslcompression sslsni \
    min_protocol_version max_protocol_version";

/// Keywords of libpq that somebody relies on, and that nothing here keeps.
const REFUSED: &str = "sslcrl sslcrldir sslpassword sslcertmode ssl_min_protocol_version ssl_max_protocol_version \
    requirepeer require_auth service servicefile replication";

/// What the clients of other languages put into the same URL for themselves.
const FOREIGN: &str = "schema connection_limit pool pool_size pool_timeout max_connections min_connections socket_timeout \
    statement_cache_size statement_cache_capacity statement-cache-capacity prepared_statements prepareThreshold \
    prepared_statement_cache_size pgbouncer encoding timeout checkout_timeout reaping_frequency variables adapter conn_max_age";

/// Text that no log shows.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// How to reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// By name or address; `address` saves the look-up while the name is still what a certificate is checked against.
    Tcp { name: String, address: Option<IpAddr> },
    /// By the socket in this folder.
    Unix(PathBuf),
}

/// One server of the list, with the password for it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) password: Option<Secret>,
}

impl Endpoint {
    /// How a password file names it: a socket in the default folder as `localhost`, any other by its folder.
    fn name_in_file(&self) -> String {
        match &self.host {
            Host::Tcp { name, .. } => name.clone(),
            Host::Unix(folder) if folder == default_socket_folder() => "localhost".to_owned(),
            Host::Unix(folder) => folder.display().to_string(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp { name, .. } if name.contains(':') => write!(formatter, "[{name}]:{}", self.port),
            Host::Tcp { name, .. } => write!(formatter, "{name}:{}", self.port),
            Host::Unix(folder) => write!(formatter, "{}/.s.PGSQL.{}", folder.display(), self.port),
        }
    }
}

/// Everything that a connection needs to know.
#[derive(Debug, Clone)]
pub(super) struct ConnInfo {
    /// The server that is tried first.
    pub(super) first: Endpoint,
    /// The servers that are tried after it, in this order.
    pub(super) others: Vec<Endpoint>,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) application_name: String,
    /// Command-line options for the server, as the user gave them.
    pub(super) options: Option<String>,
    pub(super) connect_timeout: Duration,
    pub(super) target_session_attrs: TargetSessionAttrs,
    pub(super) channel_binding: ChannelBinding,
    pub(super) tls: TlsSettings,
}

impl ConnInfo {
    /// The connection string first, then the surroundings, then libpq's defaults.
    pub(super) fn resolve(text: Option<&str>, env: &LibpqEnv, application_name: &str) -> Result<Self, DbError> {
        let given = text.map(parse).transpose()?.unwrap_or_default();
        check_keywords(&given)?;
        let get = |keyword: &str| {
            let own = given.iter().rev().find(|(known, value)| known == keyword && !value.is_empty());
            own.map(|(_, value)| value.as_str()).or_else(|| env.get(keyword))
        };
        let user = match get("user") {
            Some(user) => user.to_owned(),
            None => whoami::username().map_err(|error| bad(format!("it names no user, and {error}")))?,
        };
        let database = get("dbname").unwrap_or(&user).to_owned();
        let given_password = get("password").map(|password| Secret(password.to_owned()));
        let file = if given_password.is_none() { env.password_file(get("passfile")) } else { None };
        let mut endpoints = endpoints(get("host"), get("hostaddr"), get("port"))?.into_iter().map(|endpoint| {
            let kept = || password_for(file.as_deref()?, &endpoint.name_in_file(), endpoint.port, &database, &user);
            Endpoint { password: given_password.clone().or_else(|| kept().map(Secret)), ..endpoint }
        });
        let (first, others) = (endpoints.next(), endpoints.collect());
        Ok(Self {
            first: first.ok_or_else(|| bad("it names no host"))?,
            others,
            user,
            database,
            application_name: get("application_name").unwrap_or(application_name).to_owned(),
            options: get("options").map(str::to_owned),
            connect_timeout: connect_timeout(get("connect_timeout"))?,
            target_session_attrs: target_session_attrs(get("target_session_attrs"))?,
            channel_binding: channel_binding(get("channel_binding"))?,
            tls: TlsSettings::resolve(get, env)?,
        })
    }

    fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether every server is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.endpoints().all(|endpoint| match &endpoint.host {
            Host::Unix(_) => true,
            Host::Tcp { name, address } => {
                name == "localhost"
                    || address.or_else(|| name.parse().ok()).is_some_and(|address| address.is_loopback())
            }
        })
    }

    /// The servers for a message, such as `db.example.com:5432`.
    pub(super) fn servers(&self) -> String {
        self.endpoints().map(Endpoint::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// A mistyped `sslmode` must not pass as none, so a keyword that nobody knows is an error.
fn check_keywords(given: &Pairs) -> Result<(), DbError> {
    for (keyword, value) in given {
        let listed = |list: &str| list.split_whitespace().any(|known| known == keyword);
        if listed(REFUSED) || (keyword == "gssencmode" && value == "require") {
            return Err(bad(format!("the parameter `{keyword}` is not supported")));
        }
        if !listed(HEEDED) && !listed(PASSED_OVER) && !listed(FOREIGN) {
            let distance = |known: &&str| strsim::damerau_levenshtein(known, keyword);
            let nearest = HEEDED.split_whitespace().min_by_key(distance).filter(|known| distance(known) <= 2);
            let suggestion = nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
            return Err(bad(format!("there is no parameter `{keyword}`{suggestion}")));
        }
    }
    Ok(())
}

/// Pairs up the comma-separated lists of hosts, addresses and ports.
fn endpoints(hosts: Option<&str>, addresses: Option<&str>, ports: Option<&str>) -> Result<Vec<Endpoint>, DbError> {
    let hosts: Vec<&str> = hosts.map(|hosts| hosts.split(',').collect()).unwrap_or_default();
    let addresses: Vec<&str> = addresses.map(|addresses| addresses.split(',').collect()).unwrap_or_default();
    let ports: Vec<&str> = ports.map(|ports| ports.split(',').collect()).unwrap_or_default();
    let count = hosts.len().max(addresses.len()).max(1);
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(bad("it has as many entries in `hostaddr` as in `host`, or none"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(bad("it has one port, or as many as hosts"));
    }
    (0..count)
        .map(|at| {
            let host = hosts.get(at).copied().unwrap_or_default();
            let address = addresses.get(at).copied().unwrap_or_default();
            let port = ports.get(at).or(ports.first()).copied().unwrap_or_default();
            Ok(Endpoint { host: host_from(host, address)?, port: port_from(port)?, password: None })
        })
        .collect()
}

fn host_from(host: &str, address: &str) -> Result<Host, DbError> {
    if address.is_empty() {
        return Ok(match host {
            "" if default_socket_folder().is_dir() => Host::Unix(default_socket_folder().to_owned()),
            "" => Host::Tcp { name: "localhost".to_owned(), address: None },
            folder if folder.starts_with('/') => Host::Unix(folder.into()),
            name => Host::Tcp { name: name.to_owned(), address: None },
        });
    }
    let parsed = address.parse().map_err(|_| bad(format!("`hostaddr` is not an address: {address}")))?;
    let name = if host.is_empty() { address } else { host };
    Ok(Host::Tcp { name: name.to_owned(), address: Some(parsed) })
}

fn port_from(port: &str) -> Result<u16, DbError> {
    match port {
        "" => Ok(5432),
        port => match port.trim().parse() {
            Ok(0) | Err(_) => Err(bad(format!("`{port}` is not a port"))),
            Ok(number) => Ok(number),
        },
    }
}

/// Whole seconds; zero and less mean no limit to libpq, and the longest sensible one here. One second counts as two, as there.
fn connect_timeout(value: Option<&str>) -> Result<Duration, DbError> {
    let Some(value) = value else { return Ok(CONNECT_TIMEOUT) };
    match i64::from_str(value.trim()) {
        Ok(..=0) => Ok(Duration::from_secs(3600)),
        Ok(seconds) => Ok(Duration::from_secs(seconds.clamp(2, 3600).unsigned_abs())),
        Err(_) => Err(bad(format!("`connect_timeout` is not a number of seconds: {value}"))),
    }
}

fn target_session_attrs(value: Option<&str>) -> Result<TargetSessionAttrs, DbError> {
    match value {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write" | "primary") => Ok(TargetSessionAttrs::ReadWrite),
        Some(other) => Err(bad(format!("`target_session_attrs` is {other}, but tintype has to write"))),
    }
}

fn channel_binding(value: Option<&str>) -> Result<ChannelBinding, DbError> {
    match value {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(other) => Err(bad(format!("`channel_binding` is {other}, expected disable, prefer or require"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(values: &[(&str, &str)]) -> LibpqEnv {
        LibpqEnv::from_lookup(|name| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn resolve(text: &str, values: &[(&str, &str)]) -> Result<ConnInfo, DbError> {
        ConnInfo::resolve(Some(text).filter(|text| !text.is_empty()), &env(values), "tintype")
    }

    #[test]
    fn the_string_wins_over_the_surroundings() {
        let values = [
            ("PGHOST", "env.example.com"),
            ("PGPORT", "6000"),
            ("PGUSER", "grace"),
            ("PGPASSWORD", "from env"),
            ("PGAPPNAME", "hopper"),
        ];
        let info = resolve("", &values).unwrap();
        assert_eq!(info.servers(), "env.example.com:6000");
        assert_eq!((&*info.user, &*info.database, &*info.application_name), ("grace", "grace", "hopper"));
        assert_eq!(info.first.password.as_ref().unwrap().0, "from env");
        let info = resolve("postgres://ada:own@db.example.com:5433/blog?connect_timeout=3", &values).unwrap();
        assert_eq!(info.servers(), "db.example.com:5433");
        assert_eq!((&*info.user, &*info.database), ("ada", "blog"));
        assert_eq!(info.first.password.as_ref().unwrap().0, "own");
        assert_eq!(info.connect_timeout, Duration::from_secs(3));
        assert!(!format!("{info:?}").contains("own"));
    }

    #[test]
    fn hosts_addresses_and_ports_are_paired() {
        let servers = |text: &str| resolve(text, &[]).map(|info| info.servers());
        assert_eq!(servers("postgres://a:1,[::1]:2,c/b").unwrap(), "a:1, [::1]:2, c:5432");
        assert_eq!(servers("host=a,/tmp port=7").unwrap(), "a:7, /tmp/.s.PGSQL.7");
        assert_eq!(servers("host=a hostaddr=192.0.2.1").unwrap(), "a:5432");
        assert_eq!(servers("hostaddr=192.0.2.1").unwrap(), "192.0.2.1:5432");
        for broken in
            ["host=a,b hostaddr=192.0.2.1", "host=a,b port=1,2,3", "host=a port=0", "host=a port=x", "hostaddr=a"]
        {
            assert!(servers(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn parameters_of_other_clients_pass_and_typing_errors_do_not() {
        assert!(resolve("postgres://db/b?schema=public&connection_limit=5&pgbouncer=true&pool=5", &[]).is_ok());
        let error = resolve("postgres://db/b?sslmod=verify-full", &[]).unwrap_err();
        assert!(error.to_string().contains("did you mean `sslmode`?"), "{error}");
        assert!(resolve("postgres://db/b?target_session_attrs=standby", &[]).is_err());
    }

    #[test]
    fn a_password_file_answers_per_server() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one:5432:*:ada:first\ntwo:5432:*:ada:second\n").unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        let path = file.path().display().to_string();
        let info = resolve("postgres://ada@one,two,three/b", &[("PGPASSFILE", &path)]).unwrap();
        let passwords: Vec<_> =
            info.endpoints().map(|one| one.password.as_ref().map(|secret| secret.0.as_str())).collect();
        assert_eq!(passwords, [Some("first"), Some("second"), None]);
    }
}
