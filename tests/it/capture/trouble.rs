//! What went wrong, and whether trying again can help.

use tintype::capture::Trouble;

use super::{site::Site, yard::Yard};

#[tokio::test]
async fn a_status_is_permanent_or_not() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    for (path, status, permanent) in [
        ("/status/404", 404, true),
        ("/bare/404", 404, true),
        ("/status/403", 403, true),
        ("/status/408", 408, false),
        ("/status/429", 429, false),
        ("/status/500", 500, false),
        ("/bare/503", 503, false),
    ] {
        let error = yard.capture(&site.url(path), |_| {}).await.unwrap_err();
        assert!(matches!(error.trouble, Trouble::Status { status: said } if said == status), "{path}: {error}");
        assert_eq!(error.trouble.is_permanent(), permanent, "{path}");
        assert_eq!(error.seen.status, Some(status), "{path}");
    }
    yard.close().await;
}

#[tokio::test]
async fn the_guard_s_refusal_is_told_and_is_permanent() {
    let (site, other) = (Site::open(&[]).await, Site::open(&[]).await);
    let yard = Yard::open(&other);
    let error = yard.capture(&site.url("/"), |_| {}).await.unwrap_err();
    assert!(matches!(error.trouble, Trouble::Blocked { .. }), "{error}");
    assert!(error.trouble.is_permanent() && error.trouble.hint().unwrap().contains("--allow-host 127.0.0.1:"));
    assert_eq!(site.asked("/"), 0);
    let gone = Site::open(&[]).await;
    let (address, yard_of_gone) = (gone.url("/"), Yard::open(&gone));
    drop(gone);
    let error = yard_of_gone.capture(&address, |_| {}).await.unwrap_err();
    assert!(matches!(error.trouble, Trouble::Unreachable { .. }) && !error.trouble.is_permanent(), "{error}");
    yard.close().await;
    yard_of_gone.close().await;
}

#[tokio::test]
async fn what_was_seen_is_told() {
    const LOUD: &str = "<script>console.error('first', 1); console.error('nothing here', {a: 2}.a)</script>";
    const THROWS: &str = "<body><script>throw new Error('broken')</script>";
    let site = Site::open(&[("/loud", LOUD), ("/throws", THROWS)]).await;
    let yard = Yard::open(&site);
    let captured = yard.capture(&site.url("/loud"), |_| {}).await.unwrap();
    assert_eq!(captured.seen.console.as_deref(), Some("nothing here 2"));
    let wish = |options: &mut tintype::capture::Options| options.expect_selector = Some("#right".to_owned());
    let error = yard.capture(&site.url("/throws"), wish).await.unwrap_err();
    assert!(error.seen.console.as_deref().unwrap_or_default().contains("broken"), "{error:?}");
    assert!(matches!(error.trouble, Trouble::NoElement { .. }) && error.trouble.is_permanent(), "{error}");
    let captured = yard.capture(&site.url("/moved"), |_| {}).await.unwrap();
    assert_eq!(captured.seen.final_url, Some(site.url("/")));
    yard.close().await;
}

#[tokio::test]
async fn a_selector_that_is_none_is_told() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let absent = yard.capture(&site.url("/"), |options| options.selector = Some("#blue".to_owned())).await.unwrap_err();
    assert!(matches!(absent.trouble, Trouble::NoElement { .. }) && absent.trouble.is_permanent(), "{absent}");
    let nowhere = |options: &mut tintype::capture::Options| options.time_zone = Some("Europe/Atlantis".into());
    let nowhere = yard.capture(&site.url("/"), nowhere).await.unwrap_err();
    assert!(nowhere.trouble.is_permanent(), "{nowhere}");
    assert_eq!(nowhere.to_string(), "the browser knows no time zone `Europe/Atlantis`");
    let wrong = yard.capture(&site.url("/"), |options| options.hide = vec!["a[".to_owned()]).await.unwrap_err();
    assert!(matches!(wrong.trouble, Trouble::BadSelector { .. }) && wrong.trouble.is_permanent(), "{wrong}");
    yard.close().await;
}
