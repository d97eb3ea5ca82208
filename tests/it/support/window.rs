//! A window of a real browser on a page of ours: it runs scripts in it and tells what went wrong there.

use std::{path::Path, time::Duration};

use chromiumoxide::cdp::browser_protocol::target::SessionId;
use serde_json::{Value, json};

use super::{chromium::Chromium, eventually};

/// Notes, before any script of a page runs, what its policy refuses and what goes wrong.
const WATCH: &str = "window.faults = [];
    addEventListener('securitypolicyviolation', event => faults.push(`${event.violatedDirective}: ${event.blockedURI}`));
    addEventListener('error', event => faults.push(`${event.message ?? 'not loaded: ' + event.target?.outerHTML}`), true);
    addEventListener('unhandledrejection', event => faults.push(`${event.reason}`));";

/// A window; its browser ends with the value.
pub(crate) struct Window {
    browser: Chromium,
    tab: SessionId,
}

impl Window {
    pub(crate) async fn open() -> Self {
        let browser = Chromium::launch(Path::new("chromium-headless-shell"), &[]).await;
        let made = browser.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = browser.call(None, "Target.attachToTarget", attach).await;
        let tab = serde_json::from_value(attached["sessionId"].clone()).unwrap();
        let window = Self { browser, tab };
        window.call("Page.enable", json!({})).await;
        window.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await;
        window
    }

    /// Goes to an address, and waits until it is loaded.
    pub(crate) async fn go(&self, address: &str) {
        self.call("Page.navigate", json!({ "url": address })).await;
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'").await;
    }

    /// How it looks: `light` or `dark`, and so many pixels wide.
    pub(crate) async fn dress(&self, scheme: &str, width: u32) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What a script gives; an error in it fails the test.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let ask = json!({ "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.call("Runtime.evaluate", ask).await;
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until a script's value is true. While a page is left for another there is none.
    pub(crate) async fn until(&self, script: &str) {
        eventually(script, Duration::from_secs(30), async || {
            let ask = json!({ "expression": script, "returnByValue": true });
            (self.call("Runtime.evaluate", ask).await["result"]["value"] == true).then_some(())
        })
        .await;
    }

    /// What went wrong on this page so far.
    pub(crate) async fn faults(&self) -> Value {
        self.run("faults").await
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.tab), method, params).await
    }
}
