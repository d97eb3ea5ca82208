//! Captures: a page in, a picture out, through a browser of our own. Everything that knows Chrome is here.
//!
//! [`Chrome`] is the one entry. Below it, in reading order: [`Shot`] is what is asked for; `pool.rs` finds a turn, a slot and a
//! browser for it; `program.rs`, `process.rs`, `frames.rs`, `wire.rs` and `browser.rs` are the browser from its file to its line; `tab.rs` is a
//! fresh context in it behind a door of the [`guard`]; `page.rs` takes the picture,
//! step by step, `kept.rs` keeps pages for templates; `error.rs` says what went wrong, and whether
//! trying again can help.

pub mod guard;

mod block;
mod browser;
mod error;
mod frames;
mod heap;
mod home;
mod hosts;
mod intercept;
mod kept;
mod memory;
mod network;
mod page;
mod picture;
mod pool;
mod prepare;
mod process;
mod program;
mod script;
mod settings;
mod shot;
mod tab;
mod watch;
mod wire;

pub use block::BlockList;
pub use error::{CaptureError, Seen, Trouble};
pub use page::Captured;
pub use pool::Chrome;
pub use program::{Program, ProgramError};
pub use settings::Settings;
pub use shot::{Clip, Credentials, Options, PageFormat, ResourceKind, Shot, Subject, WaitUntil};
