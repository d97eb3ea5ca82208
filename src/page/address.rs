//! The address of a row's page: a template with columns in braces, as in RFC 6570, and the row's values in; an address out, whose
//! scheme and host are the template's and which no value can lead out of its place.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::PageError;

/// All but RFC 3986's unreserved characters, as RFC 6570 has it for `{name}`.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What makes no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("`{address}` is no address of a page: {what}")]
    NoAddress {
        /// What the row makes of the template.
        address: String,
        /// Why not.
        what: String,
    },
    /// It would lead somewhere else.
    #[error("column {column} holds `{value}`, which leads out of its place in the address")]
    Dots {
        /// The column.
        column: String,
        /// What it holds.
        value: String,
    },
}

/// Whether the row has the whole address, and with it the host.
pub(super) fn is_whole(template: &str) -> bool {
    template.starts_with('{') && template.find('}') == Some(template.len() - 1)
}

/// Fills the template. `{column}` alone is the whole address, as the row has it.
pub(super) fn fill(template: &str, data: &[(String, Option<String>)]) -> Result<Url, PageError> {
    let mut filled = String::new();
    let whole = is_whole(template);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (column, after) = after.split_once('}').unwrap_or((after, ""));
        let value = data.iter().find(|(name, _)| name == column).and_then(|(_, value)| value.as_deref());
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| PageError::Empty(column.to_owned()))?;
        filled.push_str(before);
        if whole {
            filled.push_str(value);
        } else if [".", ".."].contains(&value) {
            return Err(AddressError::Dots { column: column.to_owned(), value: value.to_owned() }.into());
        } else {
            filled.extend(utf8_percent_encode(value, PLAIN));
        }
        rest = after;
    }
    filled.push_str(rest);
    let refused = |what: String| AddressError::NoAddress { address: filled.chars().take(200).collect(), what };
    let url = Url::parse(&filled).map_err(|error| refused(error.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
        return Err(refused("it does not begin with http:// or https://".to_owned()).into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, values: &[(&str, Option<&str>)]) -> Result<String, String> {
        let data: Vec<_> = values.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        fill(template, &data).map(|url| url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_stays_in_its_place() {
        let template = "https://app.example/posts/{slug}/card?lang={lang}";
        for (slug, path) in [
            ("first-post", "/posts/first-post/card"),
            ("a/b", "/posts/a%2Fb/card"),
            ("../admin", "/posts/..%2Fadmin/card"),
            ("x?y#z", "/posts/x%3Fy%23z/card"),
            ("@evil.example", "/posts/%40evil.example/card"),
            ("größe 1", "/posts/gr%C3%B6%C3%9Fe%201/card"),
            ("%2e%2e", "/posts/%252e%252e/card"),
        ] {
            let url = filled(template, &[("slug", Some(slug)), ("lang", Some("de&x=1"))]).unwrap();
            assert_eq!(url, format!("https://app.example{path}?lang=de%26x%3D1"), "{slug}");
        }
        assert_eq!(
            filled(template, &[("slug", Some("..")), ("lang", Some("de"))]).unwrap_err(),
            "column slug holds `..`, which leads out of its place in the address"
        );
    }

    #[test]
    fn an_empty_column_is_no_page() {
        for empty in [None, Some(""), Some("  ")] {
            assert_eq!(
                filled("https://app.example/{slug}", &[("slug", empty)]).unwrap_err(),
                "column slug is empty, and the address of the page needs it"
            );
        }
    }

    #[test]
    fn a_row_may_hold_the_whole_address_of_a_page_and_of_nothing_else() {
        let whole = |url| filled("{url}", &[("url", Some(url))]);
        assert_eq!(whole(" https://example.com/a b?c ").unwrap(), "https://example.com/a%20b?c");
        for wrong in ["file:///etc/passwd", "javascript:alert(1)", "example.com", "data:text/html,x", "https://"] {
            assert!(whole(wrong).unwrap_err().contains("is no address of a page"), "{wrong}");
        }
    }
}
