//! `/card.png?title=…&sig=…`: a card of what the address says, for pages that no row stands for. Only who knows the secret can write
//! such an address: `sig` is the HMAC-SHA256, in hexadecimal digits, of all else in the query, sorted and percent-encoded.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    Site,
    demand::{Found, answer},
    secret::Secret,
    tile::in_path,
};
use crate::{queue::Material, studio::half_digest};

/// The longest query in bytes, and the longest value in characters.
const LONGEST_QUERY: usize = 4_096;
const LONGEST: usize = 300;

/// How long caches may keep a card: its address says all of it but what a look's file says.
const KEPT: u32 = 86_400;

/// What an address may say.
const NAMES: [&str; 8] = ["title", "author", "site", "date", "tags", "look", "theme", "template"];

pub(super) async fn card(State(site): State<Arc<Site>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let refuse = |status, words: &str| answer(Found::Nothing(status, words.to_owned()), &headers, 0);
    let Some(secret) = &site.card_secret else {
        return refuse(StatusCode::NOT_FOUND, "cards on demand are off: they need TINTYPE_CARD_SECRET");
    };
    let query = query.unwrap_or_default();
    if query.len() > LONGEST_QUERY {
        return refuse(StatusCode::URI_TOO_LONG, "the address is too long");
    }
    let Some(pairs) = signed(&query, secret) else {
        return refuse(StatusCode::FORBIDDEN, "the signature is not that of this address");
    };
    let material = match material(&pairs) {
        Ok(material) => material,
        Err(words) => return refuse(StatusCode::BAD_REQUEST, &words),
    };
    let name = format!("card {}", canonical(&pairs));
    let drawing = {
        let demand = Arc::clone(&site.demand);
        async move { demand.draw(material).await }
    };
    answer(site.demand.fulfil(name, drawing).await, &headers, KEPT)
}

type Pair = (String, String);

/// What the query says besides its signature, where that is right.
fn signed(query: &str, secret: &Secret) -> Option<Vec<Pair>> {
    let all = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    let (signatures, mut pairs): (Vec<Pair>, Vec<Pair>) = all.partition(|(name, _)| name == "sig");
    pairs.sort();
    match signatures.as_slice() {
        [(_, signature)] if secret.signed(&canonical(&pairs), signature) => Some(pairs),
        _ => None,
    }
}

/// The text that is signed.
fn canonical(pairs: &[Pair]) -> String {
    let parts: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", in_path(name), in_path(value))).collect();
    parts.join("&")
}

/// What is drawn.
fn material(pairs: &[Pair]) -> Result<Material, String> {
    for (at, (name, value)) in pairs.iter().enumerate() {
        if !NAMES.contains(&name.as_str()) {
            return Err(format!("`{name}` means nothing: {}", NAMES.join(", ")));
        }
        if value.chars().count() > LONGEST {
            return Err(format!("{name} is longer than {LONGEST} characters"));
        }
        if at > 0 && pairs[at - 1].0 == *name {
            return Err(format!("{name} is there twice"));
        }
    }
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let value = |name: &str| value(name).filter(|value| !value.trim().is_empty());
    Ok(Material {
        title: Some(value("title").ok_or("title is missing")?),
        author: value("author"),
        site: value("site"),
        date: value("date"),
        tags: value("tags"),
        row_look: value("look"),
        theme: value("theme"),
        template: value("template"),
        look: "night".to_owned(),
        draw: "title".to_owned(),
        content: half_digest(&[&canonical(pairs)]),
        wanted: true,
        ..Material::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_does_not_depend_on_how_it_is_written() {
        let secret = Secret::new("a secret of the tests".to_owned());
        let signature = secret.sign("author=Ada%20Lovelace&title=Hello%2C%20world%20%26%20%C3%A9");
        for query in [
            "title=Hello%2C%20world%20%26%20%C3%A9&author=Ada%20Lovelace",
            "author=Ada+Lovelace&title=Hello,+world+%26+é",
        ] {
            let pairs = signed(&format!("{query}&sig={signature}"), &secret).expect(query);
            let material = material(&pairs).unwrap();
            assert_eq!(material.title.as_deref(), Some("Hello, world & é"));
            assert!(signed(query, &secret).is_none());
            assert!(signed(&format!("{query}&look=paper&sig={signature}"), &secret).is_none());
            assert!(signed(&format!("{query}&sig={signature}&sig={signature}"), &secret).is_none());
        }
    }
}
