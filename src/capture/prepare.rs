//! An empty tab becomes what the options want: a window of a size, a telephone, somebody in another country who likes it dark.

use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams, SetLocaleOverrideParams,
    SetScriptExecutionDisabledParams, SetTimezoneOverrideParams, SetTouchEmulationEnabledParams,
};
use chromiumoxide::cdp::browser_protocol::network::SetUserAgentOverrideParams;

use super::{error::Trouble, shot::Options, tab::Tab, wire::WireError};

/// What a telephone calls itself, with the browser's own version in place of the mark.
const TELEPHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/VERSION.0.0.0 Mobile Safari/537.36";

/// Makes an empty tab what the options want. All commands go out at once and are done in their order. In a page that is `still` no
/// script runs but ours.
pub(super) async fn prepare(tab: &Tab, options: &Options, still: bool) -> Result<(), Trouble> {
    let silence = async {
        if still {
            tab.call(SetScriptExecutionDisabledParams::new(true)).await?;
        }
        Ok(())
    };
    tokio::try_join!(window(tab, options), appearance(tab, options), silence, place(tab, options))?;
    Ok(())
}

/// The window's size.
async fn window(tab: &Tab, options: &Options) -> Result<(), Trouble> {
    let (width, height) = (i64::from(options.width), i64::from(options.height));
    tab.call(SetDeviceMetricsOverrideParams::new(width, height, options.scale, options.mobile)).await?;
    Ok(())
}

/// Light or dark, without motion where the page knows how; and a telephone's fingers.
async fn appearance(tab: &Tab, options: &Options) -> Result<(), Trouble> {
    let scheme = if options.dark { "dark" } else { "light" };
    let features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")];
    let media = SetEmulatedMediaParams::builder()
        .features(features.map(|(name, value)| MediaFeature::new(name, value)))
        .build();
    tab.call(media).await?;
    if options.mobile {
        tab.call(SetTouchEmulationEnabledParams::new(true)).await?;
    }
    Ok(())
}

/// Whether a page could load before all of that is done: it is not asked who it is for.
pub(super) fn can_wait(options: &Options) -> bool {
    let Options { user_agent, locale, time_zone, mobile, .. } = options;
    user_agent.is_none() && locale.is_none() && time_zone.is_none() && !mobile
}

/// Language, time zone, and what the browser calls itself.
async fn place(tab: &Tab, options: &Options) -> Result<(), Trouble> {
    let browser = tab.browser();
    if options.user_agent.is_some() || options.mobile || options.locale.is_some() {
        let version = browser.version.split('.').next().unwrap_or_default();
        let agent = match &options.user_agent {
            Some(agent) => agent.clone(),
            None if options.mobile => TELEPHONE.replace("VERSION", version),
            None => browser.user_agent.clone(),
        };
        let mut agent = SetUserAgentOverrideParams::new(agent);
        agent.accept_language.clone_from(&options.locale);
        tab.call(agent).await?;
    }
    if let Some(zone) = &options.time_zone {
        tab.call(SetTimezoneOverrideParams::new(zone)).await.map_err(|error| unknown("time zone", zone, error))?;
    }
    if let Some(locale) = &options.locale {
        let change = SetLocaleOverrideParams { locale: Some(locale.clone()) };
        tab.call(change).await.map_err(|error| unknown("language", locale, error))?;
    }
    Ok(())
}

/// What the browser refuses it does not know.
fn unknown(what: &str, name: &str, error: WireError) -> Trouble {
    match error {
        WireError::Refused { .. } => Trouble::Options { what: format!("the browser knows no {what} `{name}`") },
        error => error.into(),
    }
}
