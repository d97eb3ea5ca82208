//! What a browser must be told so that nothing of a page goes around its door.

/// What goes as `proxyBypassList` beside a door's address as `proxyServer`: without it Chromium never asks a proxy for loopback.
pub const BYPASS_LIST: &str = "<-loopback>";

/// Flags of the whole browser.
pub const BROWSER_FLAGS: &[&str] = &[
    // WebRTC sends no UDP and gathers no addresses; over TCP it asks the proxy. The headless shell knows the first name alone,
    // the whole browser the second alone.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    // What is in no context with a door of its own, the browser's own business above all, is sent to where nobody listens.
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    // A second wall: Chromium itself finds no name and no address but that of its doors, which resolve names for it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
