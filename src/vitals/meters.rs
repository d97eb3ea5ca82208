//! The counts and times of one process, in the form that Prometheus reads: one handle a metric, made once. Labels are few and come
//! from settings, never from a row.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};

/// What came of jobs, by table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Job {
    /// The table's name.
    pub source: String,
    /// What came of it, in one word.
    pub result: &'static str,
}

/// Who draws or stores.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Engine {
    /// `native`, a browser with its version, or the kind of a store.
    pub engine: String,
}

type Times = Family<Engine, Histogram, fn() -> Histogram>;

/// The handles. Clones count together.
#[derive(Debug, Clone)]
pub struct Meters {
    /// Jobs that came to an end, or were put off.
    pub jobs: Family<Job, Counter>,
    /// Attempts that were put off.
    pub retries: Counter,
    /// Seconds that cards took, on their thread.
    pub render: Times,
    /// Seconds that pages took in the browser, with the wait for a slot.
    pub capture: Times,
    /// Seconds that the store took.
    pub upload: Times,
    /// Seconds from a row's change to its URL.
    pub wait: Histogram,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            jobs: Family::default(),
            retries: Counter::default(),
            render: Times::new_with_constructor(short),
            capture: Times::new_with_constructor(long),
            upload: Times::new_with_constructor(short),
            wait: Histogram::new([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0]),
        }
    }
}

fn short() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0])
}

fn long() -> Histogram {
    Histogram::new([0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0])
}

impl Meters {
    /// Counts a job.
    pub fn job(&self, source: &str, result: &'static str) {
        self.jobs.get_or_create(&Job { source: source.to_owned(), result }).inc();
    }

    /// All of them under their names.
    #[must_use]
    pub fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("tintype");
        all.register("jobs", "Jobs that came to an end or were put off, by table and result", self.jobs.clone());
        all.register("retries", "Attempts that were put off", self.retries.clone());
        all.register("render_seconds", "Seconds that a card took to draw and encode", self.render.clone());
        all.register(
            "capture_seconds",
            "Seconds that a page took, with the wait for a turn in the browser",
            self.capture.clone(),
        );
        all.register("upload_seconds", "Seconds that the store took for a picture", self.upload.clone());
        all.register("wait_seconds", "Seconds from a row's change to the URL in the row", self.wait.clone());
        all.register("build", "The version that runs", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        all
    }
}

/// The label of an engine or of a store.
#[must_use]
pub fn engine(name: &str) -> Engine {
    Engine { engine: name.to_owned() }
}
