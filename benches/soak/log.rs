//! What the engine says of its browsers, counted: it says when one starts, why one ends, and when a capture begins anew.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::{Layer, filter::Targets, layer::Context, prelude::*};

use super::report::{Goal, Report};

/// How often each was said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    counts: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// Listens from now on.
pub(crate) fn listen() -> Log {
    let log = Log::default();
    let ours = Targets::new().with_target("tintype::capture", Level::DEBUG);
    tracing_subscriber::registry().with(log.clone().with_filter(ours)).init();
    log
}

impl Log {
    pub(crate) fn tell(&self, report: &mut Report) {
        for (said, count) in &*self.counts.lock().unwrap_or_else(PoisonError::into_inner) {
            report.add(&format!("browser · {said}"), "times", *count as f64, "", Goal::None);
        }
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry([words.message, words.why].concat()).or_default() += 1;
    }
}

/// The words of an event that are the same each time.
#[derive(Default)]
struct Words {
    message: String,
    why: String,
}

impl tracing::field::Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "why" {
            self.why = format!(": {value}");
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
