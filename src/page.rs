//! A row whose picture is taken of a page: its address, or the HTML that is made of it, with the options of its source and what the
//! page's own server is told, comes out as a [`Shot`]. What goes wrong here is the row's affair, or the source's; never both.

mod address;
mod html;
mod secrets;

use std::sync::Arc;

use serde_json::Value;
use url::Url;

pub use self::{
    address::AddressError,
    secrets::{AuthError, Secrets},
};
use crate::{
    capture::{
        Credentials, Options, PageFormat, Shot, Subject, Trouble,
        guard::{self, Rules},
    },
    card::Looks,
    queue::Material,
    studio::half_digest,
};

/// Raised when the same page would be taken in another way.
const REVISION: &str = "page 1";

/// Why a row has no page to be taken.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A column of its address is empty: it calls for no picture.
    #[error("column {0} is empty, and the address of the page needs it")]
    Empty(String),
    /// Its columns make no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The options of its source are none.
    #[error("the options of its captures: {0}")]
    Options(String),
    /// A secret that its source names is not here.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The template of its source cannot be used.
    #[error("template {name}.html: {what}")]
    Template {
        /// Its name.
        name: String,
        /// What is wrong with it, and where.
        what: String,
    },
}

/// What a worker has for pages, whatever the row.
#[derive(Debug, Clone, Default)]
pub struct Gallery {
    /// Where templates are found.
    pub looks: Looks,
    /// Secrets by name.
    pub secrets: Secrets,
    /// What pages may reach.
    pub rules: Arc<Rules>,
}

/// The template of a source, read once for a row: what is drawn is what the fingerprint speaks of.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text in HTML; empty where a page has an address.
    html: String,
    /// The fingerprint of all that decides a row's picture besides its content and what its page says.
    pub fingerprint: String,
}

impl Gallery {
    /// What is to be taken for a row.
    ///
    /// # Errors
    /// Where the row has no page, or its source cannot be followed.
    pub fn shot(&self, material: &Material, template: &Template) -> Result<Shot, PageError> {
        let (options, auth) = options(&material.capture)?;
        let (subject, credentials) = if material.draw == "html" {
            (Subject::Html { html: html::page(&template.html, material)?, base: None }, Credentials::default())
        } else {
            let template = material.url.as_deref().unwrap_or_default();
            if !auth.is_empty() && address::is_whole(template) {
                return Err(AuthError::AnyHost { template: template.to_owned() }.into());
            }
            let url = address::fill(template, &material.data)?;
            let (url, credentials) = self.secrets.open(&auth, url)?;
            (Subject::Address(url), credentials)
        };
        Ok(Shot { subject, options, rules: Arc::clone(&self.rules), credentials })
    }

    /// Whether a template can be filled at all, by a source that gives it these columns.
    ///
    /// # Errors
    /// Where there is none of that name, or it is wrong in itself.
    pub fn try_template(&self, name: &str, columns: &[String]) -> Result<(), PageError> {
        html::try_out(&self.looks, name, columns)
    }

    /// Whether the secrets are here that a source names among the options of its captures.
    ///
    /// # Errors
    /// With the name of one that is not.
    pub fn try_secrets(&self, capture: &Value) -> Result<(), PageError> {
        Ok(self.secrets.have(&options(capture)?.1)?)
    }

    /// Whether the host may be reached that all pages of a source have; where each row names its own, nobody knows.
    ///
    /// # Errors
    /// With what a capture would say of it.
    pub async fn try_host(&self, address: &str) -> Result<(), Trouble> {
        let Ok(url) = Url::parse(address) else { return Ok(()) };
        Ok(guard::ask(&url, &self.rules).await?)
    }

    /// The template of a row's source. Reads its file, where there is one.
    ///
    /// # Errors
    /// Where the template cannot be read.
    pub fn template(&self, material: &Material) -> Result<Template, PageError> {
        let html = match &material.html {
            Some(name) => html::text(&self.looks, name)?,
            None => String::new(),
        };
        let url = material.url.as_deref().unwrap_or_default();
        let site = material.site.as_deref().unwrap_or_default();
        let fingerprint = half_digest(&[REVISION, url, &html, site, &material.capture.to_string()]);
        Ok(Template { html, fingerprint })
    }
}

/// The options that a source keeps for its captures, and the credentials that it names.
fn options(kept: &serde_json::Value) -> Result<(Options, Vec<String>), PageError> {
    let wrong = |error: serde_json::Error| PageError::Options(error.to_string());
    let mut kept = kept.clone();
    let auth = kept.as_object_mut().and_then(|options| options.remove("auth"));
    let auth = auth.map_or_else(|| Ok(Vec::new()), serde_json::from_value).map_err(wrong)?;
    Ok((serde_json::from_value(kept).map_err(wrong)?, auth))
}

/// The options and ways in of a source that is attached again: options take the place of the old ones where there is a word about
/// any, ways in that are named that of the old ways in, and the rest stays.
#[must_use]
pub fn renewed(kept: &Value, named: Value, names_options: bool) -> Value {
    let (Value::Object(kept), Value::Object(mut named)) = (kept, named.clone()) else { return named };
    let names_auth = named.contains_key("auth");
    for (name, value) in kept {
        let stays = if name == "auth" { !names_auth } else { !names_options };
        if stays {
            named.insert(name.clone(), value.clone());
        }
    }
    named.retain(|name, value| name != "auth" || value.as_array().is_none_or(|ways| !ways.is_empty()));
    Value::Object(named)
}

/// What is wrong with the options of a capture as a source would keep them.
///
/// # Errors
/// With words for who gave them.
pub fn check_options(kept: &serde_json::Value) -> Result<(), PageError> {
    let (options, auth) = options(kept)?;
    options.check().map_err(PageError::Options)?;
    if options.format == Some(PageFormat::Pdf) {
        return Err(PageError::Options("format=pdf: no site shows a PDF as a page's picture".to_owned()));
    }
    auth.iter().try_for_each(|words| secrets::check(words)).map_err(PageError::Auth)
}
