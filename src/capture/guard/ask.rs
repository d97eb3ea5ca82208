//! What the guard would say of an address, without going there: for those who look after a set-up before a page is taken.

use url::Url;

use super::{
    Reason, Refusal, Rules,
    dial::{Resolver, Target, checked},
    name::Name,
};

/// Why a page of this address would not be reached; its name is resolved, and nothing is dialled.
///
/// # Errors
/// With the refusal that a capture would meet.
pub async fn ask(url: &Url, rules: &Rules) -> Result<(), Refusal> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let refusal = |reason| Refusal { host: host.to_owned(), port, reason };
    let name = Name::parse(host).ok_or_else(|| refusal(Reason::BadRequest))?;
    checked(&Target { host: name, port }, rules, &Resolver::system()).await.map(drop).map_err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_public_is_refused_until_it_is_allowed() {
        let url = |address: &str| Url::parse(address).unwrap();
        let open = Rules { allow: vec!["localhost:4000".parse().unwrap()], ..Rules::default() };
        for (address, reason) in [
            ("http://localhost:4000/a", Reason::LocalName),
            ("http://10.0.0.1/a", Reason::NotPublic),
            ("http://[::1]:80/a", Reason::NotPublic),
        ] {
            assert_eq!(ask(&url(address), &Rules::default()).await.unwrap_err().reason, reason, "{address}");
        }
        assert_eq!(ask(&url("http://localhost:4000/a"), &open).await, Ok(()));
    }
}
