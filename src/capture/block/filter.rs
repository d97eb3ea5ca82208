//! One rule of a list: a line comes in, something that can be compared with an address goes out.

use super::Asked;

/// What a line is.
#[derive(Debug)]
pub(super) enum Parsed {
    /// A comment, or something that is not understood.
    Nothing,
    /// A host that is blocked with all below it, whoever asks for whatever.
    Host(String),
    /// What is blocked.
    Block(Filter),
    /// What is not blocked in any case.
    Allow(Filter),
}

/// A pattern with conditions.
#[derive(Debug)]
pub(super) struct Filter {
    /// In lower case, as it was written between its anchors.
    pattern: String,
    start: Start,
    /// Whether the address ends with it.
    end: bool,
    third_party: Option<bool>,
    /// Kinds; none is all.
    kinds: Vec<String>,
    not_kinds: Vec<String>,
    /// Pages that ask; none is all.
    domains: Vec<String>,
    not_domains: Vec<String>,
}

/// Where the pattern begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Anywhere,
    Address,
    Host,
}

/// Kinds of requests, as lists name them.
const KINDS: [&str; 11] = [
    "script",
    "image",
    "stylesheet",
    "object",
    "xmlhttprequest",
    "subdocument",
    "ping",
    "websocket",
    "media",
    "font",
    "other",
];

/// The shortest word by which filters are looked up.
const SHORTEST: usize = 3;

/// Reads a line.
pub(super) fn parse(line: &str) -> Parsed {
    if line.is_empty()
        || line.starts_with(['!', '#', '['])
        || ["##", "#@#", "#?#", "#$#"].iter().any(|m| line.contains(m))
    {
        return Parsed::Nothing;
    }
    if let Some(host) = hosts_line(line) {
        return host;
    }
    let (line, allow) = line.strip_prefix("@@").map_or((line, false), |rest| (rest, true));
    if line.len() > 1
        && line.starts_with('/')
        && line.trim_end_matches(|c| c != '/').len() == line.len()
        && is_regex(line)
    {
        return Parsed::Nothing;
    }
    let Some(filter) = Filter::parse(line) else { return Parsed::Nothing };
    match filter.plain_host() {
        Some(host) if !allow => Parsed::Host(host),
        _ if allow => Parsed::Allow(filter),
        _ => Parsed::Block(filter),
    }
}

/// Whether what stands between two slashes is a regular expression and not a path.
fn is_regex(line: &str) -> bool {
    line.contains(['[', '(', '\\', '+', '{'])
}

/// A line of a hosts file, or a host alone.
fn hosts_line(line: &str) -> Option<Parsed> {
    let mut words = line.split('#').next()?.split_whitespace();
    let (first, second) = (words.next()?, words.next());
    let host = match second {
        Some(host) if ["0.0.0.0", "127.0.0.1", "::", "::1"].contains(&first) => host,
        None if is_host(first) => first,
        _ => return None,
    };
    let own = ["localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0", "ip6-localhost"];
    if own.contains(&host) || !is_host(host) {
        return Some(Parsed::Nothing);
    }
    Some(Parsed::Host(host.to_ascii_lowercase()))
}

fn is_host(text: &str) -> bool {
    let ending = text.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    let is_file = ["js", "gif", "png", "jpg", "svg", "html", "php", "css", "swf"].contains(&ending);
    text.contains('.')
        && !is_file
        && !text.starts_with(['.', '-'])
        && !ending.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

impl Filter {
    fn parse(line: &str) -> Option<Self> {
        let (pattern, options) = match line.rfind('$') {
            Some(at) if is_options(&line[at + 1..]) => (&line[..at], &line[at + 1..]),
            _ => (line, ""),
        };
        let (pattern, start) = match (pattern.strip_prefix("||"), pattern.strip_prefix('|')) {
            (Some(rest), _) => (rest, Start::Host),
            (None, Some(rest)) => (rest, Start::Address),
            (None, None) => (pattern, Start::Anywhere),
        };
        let (pattern, end) = pattern.strip_suffix('|').map_or((pattern, false), |rest| (rest, true));
        let mut filter = Self {
            pattern: pattern.to_ascii_lowercase(),
            start,
            end,
            third_party: None,
            kinds: Vec::new(),
            not_kinds: Vec::new(),
            domains: Vec::new(),
            not_domains: Vec::new(),
        };
        let known = options.split(',').filter(|option| !option.is_empty()).all(|option| filter.option(option));
        let says_something = filter.pattern.bytes().any(|byte| byte.is_ascii_alphanumeric());
        (known && (says_something || !filter.domains.is_empty())).then_some(filter)
    }

    /// Takes an option in; whether it is understood.
    fn option(&mut self, option: &str) -> bool {
        let (name, not) = option.strip_prefix('~').map_or((option, false), |name| (name, true));
        match name {
            "third-party" | "3p" => self.third_party = Some(!not),
            "first-party" | "1p" => self.third_party = Some(not),
            "important" | "match-case" if !not => {}
            name if KINDS.contains(&name) => {
                let kinds = if not { &mut self.not_kinds } else { &mut self.kinds };
                kinds.push(name.to_owned());
            }
            name => {
                let Some(domains) = name.strip_prefix("domain=").filter(|_| !not) else { return false };
                for domain in domains.split('|') {
                    match domain.strip_prefix('~') {
                        Some(domain) => self.not_domains.push(domain.to_ascii_lowercase()),
                        None => self.domains.push(domain.to_ascii_lowercase()),
                    }
                }
            }
        }
        true
    }

    /// The host, where the filter is about that alone.
    fn plain_host(&self) -> Option<String> {
        let conditions = [&self.kinds, &self.not_kinds, &self.domains, &self.not_domains];
        let plain = self.start == Start::Host && !self.end && self.third_party.is_none();
        let host = self.pattern.strip_suffix('^')?;
        (plain && conditions.iter().all(|list| list.is_empty()) && is_host(host)).then(|| host.to_owned())
    }

    /// The longest word that is whole in every address that matches.
    pub(super) fn word(&self) -> Option<&str> {
        let bytes = self.pattern.as_bytes();
        let whole = |from: usize, to: usize| {
            let before = match from.checked_sub(1) {
                Some(at) => bytes[at] != b'*',
                None => self.start != Start::Anywhere,
            };
            let after = bytes.get(to).map_or(self.end, |byte| *byte != b'*');
            before && after
        };
        let base = self.pattern.as_ptr() as usize;
        words(&self.pattern)
            .filter(|word| {
                let from = word.as_ptr() as usize - base;
                whole(from, from + word.len())
            })
            .max_by_key(|word| word.len())
    }

    /// Whether an address in lower case matches, and all conditions hold.
    pub(super) fn matches(&self, address: &str, asked: &Asked<'_>) -> bool {
        self.fits(asked) && self.finds(address)
    }

    fn fits(&self, asked: &Asked<'_>) -> bool {
        let is = |list: &[String]| list.iter().any(|kind| kind == asked.kind);
        let page = asked.page.host_str().unwrap_or_default();
        let below = |list: &[String]| above(page).any(|host| list.iter().any(|domain| domain == host));
        (self.kinds.is_empty() || is(&self.kinds))
            && !is(&self.not_kinds)
            && (self.domains.is_empty() || below(&self.domains))
            && !below(&self.not_domains)
            && self.third_party.is_none_or(|third| third == is_third_party(asked))
    }

    fn finds(&self, address: &str) -> bool {
        let (pattern, address) = (self.pattern.as_bytes(), address.as_bytes());
        match self.start {
            Start::Address => matches_at(pattern, address, self.end, None),
            Start::Anywhere => matches_at(pattern, address, self.end, Some((0, 0))),
            Start::Host => host_starts(address).any(|at| matches_at(pattern, &address[at..], self.end, None)),
        }
    }
}

/// Whether what follows the last dollar are options and no part of the pattern.
fn is_options(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~,=|.*/:".contains(&byte))
        && !text.contains('/')
}

/// Where in an address the host begins, and each of its labels.
fn host_starts(address: &[u8]) -> impl Iterator<Item = usize> {
    let from = address.windows(3).position(|three| three == b"://").map_or(0, |at| at + 3);
    let end = address[from..].iter().position(|byte| b"/?#".contains(byte)).map_or(address.len(), |at| from + at);
    let labels = (from..end).filter(|at| address[*at] == b'.' || address[*at] == b'@').map(|at| at + 1);
    std::iter::once(from).chain(labels.collect::<Vec<_>>())
}

/// Whether a pattern matches from the start of a text. A star is any text, a caret a mark that no word holds, or the end. `star` is
/// where to go on when it does not fit behind the last star: from the start, where the pattern may begin anywhere.
fn matches_at(pattern: &[u8], text: &[u8], to_end: bool, mut star: Option<(usize, usize)>) -> bool {
    let (mut at, mut place) = (0, 0);
    loop {
        let fits = match pattern.get(at) {
            None if !to_end || place == text.len() => return true,
            None => false,
            Some(b'*') => {
                star = Some((at + 1, place));
                at += 1;
                continue;
            }
            Some(b'^') if place == text.len() => {
                at += 1;
                continue;
            }
            Some(b'^') => text.get(place).is_some_and(|byte| is_separator(*byte)),
            Some(byte) => text.get(place) == Some(byte),
        };
        match star {
            _ if fits => (at, place) = (at + 1, place + 1),
            Some((behind, from)) if from < text.len() => {
                (at, place) = (behind, from + 1);
                star = Some((behind, from + 1));
            }
            _ => return false,
        }
    }
}

fn is_separator(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !b"_-.%".contains(&byte) && byte.is_ascii()
}

/// The words of a text by which filters are looked up.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '%').filter(|word| word.len() >= SHORTEST)
}

/// A host and all that it is below of.
pub(super) fn above(host: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(host).filter(|host| !host.is_empty());
    std::iter::from_fn(move || {
        let now = rest?;
        rest = now.split_once('.').map(|(_, above)| above);
        Some(now)
    })
}

/// Whether a request goes to somebody else than who owns the page.
fn is_third_party(asked: &Asked<'_>) -> bool {
    let owner = |host: Option<&str>| owner(host.unwrap_or_default()).to_owned();
    owner(asked.url.host_str()) != owner(asked.page.host_str())
}

/// The part of a host that somebody registered: its last two labels, three where the last two are such as `co.uk`.
fn owner(host: &str) -> &str {
    if host.starts_with('[') || host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host;
    }
    let dots: Vec<usize> = host.rmatch_indices('.').map(|(at, _)| at).collect();
    let short = |label: &str| label.len() <= 3;
    match dots.as_slice() {
        [last, second, third, ..] if host.len() - last == 3 && short(&host[second + 1..*last]) => &host[third + 1..],
        [last, second] if host.len() - last == 3 && short(&host[second + 1..*last]) => host,
        [_, second, ..] => &host[second + 1..],
        _ => host,
    }
}
