//! Reads a connection string, a URL or `keyword=value` pairs, into libpq's keywords and their values. What they mean is
//! decided elsewhere; a password never comes back in an error.

use percent_encoding::percent_decode_str;

use super::DbError;

/// Keywords and values in the order in which they were given; of two equal keywords the later one counts.
pub(super) type Pairs = Vec<(String, String)>;

/// Schemes that mean Postgres; anything after a `+` names a driver (`postgresql+psycopg`).
const SCHEMES: [&str; 4] = ["postgres", "postgresql", "postgis", "ecto"];

/// Reads either form.
pub(super) fn parse(text: &str) -> Result<Pairs, DbError> {
    let text = text.trim();
    let text = text.strip_prefix("jdbc:").unwrap_or(text);
    if let Some((scheme, rest)) = text.split_once("://") {
        let database = scheme.split('+').next().unwrap_or_default();
        if !SCHEMES.contains(&database) {
            return Err(bad(format!("its scheme is {scheme}://, expected postgres://")));
        }
        return parse_url(rest);
    }
    if !text.contains('=') {
        return Err(bad("it is neither a URL (postgres://…) nor keyword=value pairs"));
    }
    parse_pairs(text)
}

pub(super) fn bad(what: impl Into<String>) -> DbError {
    DbError::BadUrl { what: what.into() }
}

/// What follows the scheme: `[user[:password]@][host[:port],…][/database][?keyword=value&…]`.
fn parse_url(text: &str) -> Result<Pairs, DbError> {
    let mut pairs = Pairs::new();
    let (rest, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (hosts, ports) = split_hosts(hosts)?;
    for (keyword, value) in [("user", user), ("password", password), ("host", &hosts), ("dbname", database)] {
        if !value.is_empty() {
            pairs.push((keyword.to_owned(), decode(keyword, value)?));
        }
    }
    if ports.chars().any(|character| character != ',') {
        pairs.push(("port".to_owned(), ports));
    }
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (keyword, value) =
            parameter.split_once('=').ok_or_else(|| bad("a parameter after the `?` has no value"))?;
        pairs.push((keyword.to_owned(), decode(keyword, value)?));
    }
    Ok(pairs)
}

/// Parts `a:1,[::1]:2,c` into the lists `a,::1,c` and `1,2,`, as the keywords `host` and `port` take them.
fn split_hosts(text: &str) -> Result<(String, String), DbError> {
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for entry in text.split(',') {
        let (host, port) = match entry.strip_prefix('[') {
            Some(bracketed) => {
                let (host, rest) = bracketed.split_once(']').ok_or_else(|| bad("an IPv6 address lacks its `]`"))?;
                (host, rest.strip_prefix(':').unwrap_or_default())
            }
            None => entry.split_once(':').unwrap_or((entry, "")),
        };
        if !port.chars().all(|character| character.is_ascii_digit()) {
            return Err(bad("a port is not a number; in a password, `/ ? @ : #` must be percent-encoded"));
        }
        hosts.push(host);
        ports.push(port);
    }
    Ok((hosts.join(","), ports.join(",")))
}

fn decode(keyword: &str, value: &str) -> Result<String, DbError> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map(String::from).map_err(|_| bad(format!("the {keyword} is not UTF-8 once its percent signs are decoded")))
}

/// `keyword = value keyword='a \'quoted\' value'`, blanks around the `=` allowed.
fn parse_pairs(text: &str) -> Result<Pairs, DbError> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=').ok_or_else(|| bad("a keyword is not followed by `=`"))?;
        let keyword = keyword.trim_end();
        if keyword.contains(char::is_whitespace) {
            return Err(bad("a keyword is not followed by `=`; a value with blanks needs single quotes"));
        }
        let (value, after) = take_value(after.trim_start())?;
        pairs.push((keyword.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The value at the start of the text, unquoted and unescaped, and what follows it.
fn take_value(text: &str) -> Result<(String, &str), DbError> {
    let (quoted, body) = text.strip_prefix('\'').map_or((false, text), |body| (true, body));
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &body[at + 1..])),
            blank if !quoted && blank.is_whitespace() => return Ok((value, &body[at..])),
            other => value.push(other),
        }
    }
    if quoted {
        return Err(bad("a quoted value lacks its closing quote"));
    }
    Ok((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let pairs = parse(text).unwrap();
        pairs.iter().map(|(keyword, value)| format!("{keyword}=<{value}>")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn urls_as_libpq_reads_them() {
        for (url, expected) in [
            ("postgres://", ""),
            ("postgresql:///blog", "dbname=<blog>"),
            ("postgres://db.example.com", "host=<db.example.com>"),
            ("postgres://ada@db:5433/blog", "user=<ada> host=<db> dbname=<blog> port=<5433>"),
            ("postgres://ada:p%40ss%2Fw:rd@db/b", "user=<ada> password=<p@ss/w:rd> host=<db> dbname=<b>"),
            ("postgres://ada:p@ss@db/b", "user=<ada> password=<p@ss> host=<db> dbname=<b>"),
            ("postgres://a:1,[2001:db8::1]:2,c/b", "host=<a,2001:db8::1,c> dbname=<b> port=<1,2,>"),
            ("postgres://%2Fvar%2Frun/b", "host=</var/run> dbname=<b>"),
            ("postgres:///b?host=/tmp&port=6432", "dbname=<b> host=</tmp> port=<6432>"),
            ("postgres://db/b?options=-c%20geqo%3Doff", "host=<db> dbname=<b> options=<-c geqo=off>"),
            ("postgresql+psycopg2://db/b", "host=<db> dbname=<b>"),
            ("ecto://ada:x@db/b\n", "user=<ada> password=<x> host=<db> dbname=<b>"),
        ] {
            assert_eq!(read(url), expected, "{url}");
        }
    }

    #[test]
    fn pairs_as_libpq_reads_them() {
        for (text, expected) in [
            ("host=db dbname=blog", "host=<db> dbname=<blog>"),
            ("  host = db   user=ada ", "host=<db> user=<ada>"),
            (r"password='it\'s \\ here' host=''", r"password=<it's \ here> host=<>"),
            (r"password=a\ b port=5", "password=<a b> port=<5>"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (text, expected) in [
            ("mysql://ada:secret@db/b", "its scheme is mysql://"),
            ("blog", "neither a URL"),
            ("postgres://ada:sec/ret@db/b", "percent-encoded"),
            ("postgres://ada:secret%ff@db/b", "not UTF-8"),
            ("postgres://[::1/b", "lacks its `]`"),
            ("postgres://db/b?secret", "has no value"),
            ("password='secret", "closing quote"),
            ("password=a secret host=db", "needs single quotes"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains("sec"), "{text}: {message}");
        }
    }
}
