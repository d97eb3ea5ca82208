//! Lists of advertisements and trackers: a list in the form of `EasyList` or of a hosts file comes in, whether a request is on it goes
//! out. It always holds that a rule which is not understood blocks nothing.
//!
//! Understood are the rules of the network: `||host^`, `|start`, `end|`, `*`, `^`, exceptions with `@@`, and the options
//! `third-party`, `domain=` and the kinds of requests. Rules that hide elements are left out; `--hide` does that.

mod filter;

use std::collections::{HashMap, HashSet};

use url::Url;

use self::filter::{Filter, Parsed};

/// What is blocked unless a list of the user's own says more: who measures, sells or follows on a great part of all pages.
const SMALL: &str = include_str!("../../assets/block/small.txt");

/// A list, ready to be asked.
#[derive(Debug, Default)]
pub struct BlockList {
    /// Hosts that are blocked with all below them.
    hosts: HashSet<String>,
    block: Index,
    allow: Index,
}

/// Filters by a word that each of their addresses holds.
#[derive(Debug, Default)]
struct Index {
    words: HashMap<String, Vec<Filter>>,
    others: Vec<Filter>,
}

/// A request of a page, as lists see it.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// Its address.
    pub(super) url: &'a Url,
    /// The page that asks.
    pub(super) page: &'a Url,
    /// The kind, as lists call it.
    pub(super) kind: &'a str,
}

impl BlockList {
    /// The small list that is built in.
    #[must_use]
    pub fn small() -> Self {
        let mut list = Self::default();
        list.add(SMALL);
        list
    }

    /// Adds the text of a list; returns how many of its rules are understood.
    pub fn add(&mut self, text: &str) -> usize {
        let mut understood = 0;
        for line in text.lines() {
            match filter::parse(line.trim()) {
                Parsed::Nothing => continue,
                Parsed::Host(host) => {
                    self.hosts.insert(host);
                }
                Parsed::Block(filter) => self.block.insert(filter),
                Parsed::Allow(filter) => self.allow.insert(filter),
            }
            understood += 1;
        }
        understood
    }

    /// Whether a request is on the list.
    pub(super) fn blocks(&self, asked: &Asked<'_>) -> bool {
        let address = asked.url.as_str().to_ascii_lowercase();
        let listed = self.names(asked.url.host_str().unwrap_or_default()) || self.block.matches(&address, asked);
        listed && !self.allow.matches(&address, asked)
    }

    fn names(&self, host: &str) -> bool {
        filter::above(host).any(|host| self.hosts.contains(host))
    }
}

impl Index {
    fn insert(&mut self, filter: Filter) {
        match filter.word() {
            Some(word) => self.words.entry(word.to_owned()).or_default().push(filter),
            None => self.others.push(filter),
        }
    }

    fn matches(&self, address: &str, asked: &Asked<'_>) -> bool {
        let words = filter::words(address).filter_map(|word| self.words.get(word)).flatten();
        words.chain(&self.others).any(|filter| filter.matches(address, asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(list: &str, url: &str, kind: &str) -> bool {
        let mut all = BlockList::default();
        all.add(list);
        let page = Url::parse("https://blog.example/post").unwrap();
        all.blocks(&Asked { url: &Url::parse(url).unwrap(), page: &page, kind })
    }

    #[test]
    fn addresses_match_as_lists_mean_it() {
        for (rule, url, blocked) in [
            ("||ads.example^", "https://ads.example/a.js", true),
            ("||ads.example^", "https://cdn.ads.example:8080/a.js", true),
            ("||ads.example^", "https://noads.example/a.js", false),
            ("||ads.example^", "https://ads.example.org/a.js", false),
            ("||ads.example/banner/*.gif", "https://ads.example/banner/x/y.gif?1", true),
            ("||ads.example/banner/*.gif|", "https://ads.example/banner/x/y.gif?1", false),
            ("/banner/*/img^", "https://a.example/banner/foo/img?x", true),
            ("/banner/*/img^", "https://a.example/banner/foo/imgraph", false),
            ("|http://a.example", "http://a.example/", true),
            ("|http://a.example", "https://b.example/?http://a.example", false),
            ("-advert-", "https://a.example/top-Advert-1.png", true),
            ("swf|", "https://a.example/x.swf", true),
            ("swf|", "https://a.example/x.swf?1", false),
            ("0.0.0.0 ads.example # them", "https://x.ads.example/", true),
            ("127.0.0.1 localhost", "http://localhost/", false),
            ("ads.example", "https://ads.example/", true),
            ("||ads.example^$removeparam=x", "https://ads.example/", false),
            ("blog.example##.ad", "https://blog.example/.ad", false),
            ("! ads", "https://a.example/ads", false),
            ("/ads[0-9]/", "https://a.example/ads1/", false),
        ] {
            assert_eq!(blocks(rule, url, "image"), blocked, "{rule} {url}");
        }
    }

    #[test]
    fn options_and_exceptions_hold() {
        for (list, url, kind, blocked) in [
            ("/ad.js$third-party", "https://other.example/ad.js", "script", true),
            ("/ad.js$third-party", "https://cdn.blog.example/ad.js", "script", false),
            ("/ad.js$~third-party", "https://cdn.blog.example/ad.js", "script", true),
            ("/ad$script,image", "https://a.example/ad", "image", true),
            ("/ad$script,image", "https://a.example/ad", "font", false),
            ("/ad$~script", "https://a.example/ad", "script", false),
            ("/ad$domain=blog.example|b.example", "https://a.example/ad", "image", true),
            ("/ad$domain=~blog.example", "https://a.example/ad", "image", false),
            ("||a.example^\n@@||a.example/good^", "https://a.example/good/x", "image", false),
            ("||a.example^\n@@||a.example/good^", "https://a.example/bad", "image", true),
        ] {
            assert_eq!(blocks(list, url, kind), blocked, "{list} {url} {kind}");
        }
    }

    #[test]
    fn the_small_list_is_understood() {
        let rules = SMALL.lines().filter(|line| !line.is_empty() && !line.starts_with('!')).count();
        assert_eq!(BlockList::default().add(SMALL), rules);
        assert!(rules > 50);
    }
}
