//! What every bench says at its end: a table for people on stdout, and `target/bench/NAME.json` for programs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was done, such as `warm, Rust`.
    pub(crate) case: String,
    /// What was measured, such as `CPU, median`.
    pub(crate) metric: String,
    /// How much it was.
    pub(crate) value: f64,
    /// Of what, such as `ms`.
    pub(crate) unit: &'static str,
    /// What it should be, in words a person reads; none where nothing is asked.
    pub(crate) goal: Option<String>,
    /// Whether it is.
    pub(crate) met: Option<bool>,
    /// The middle half of the samples, where there were several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) low: Option<f64>,
    /// Its upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) high: Option<f64>,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// Nothing is asked.
    None,
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    #[allow(dead_code, reason = "not every bench asks for much")]
    AtLeast(f64),
}

/// The figures of one bench.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    others: Vec<serde_json::Value>,
}

impl Report {
    /// Adds a figure.
    pub(crate) fn add(&mut self, case: &str, metric: &str, value: f64, unit: &'static str, goal: Goal) {
        let (goal, met) = match goal {
            Goal::None => (None, None),
            Goal::AtMost(most) => (Some(format!("≤ {most}")), Some(value <= most)),
            Goal::AtLeast(least) => (Some(format!("≥ {least}")), Some(value >= least)),
        };
        self.rows.push(Row {
            case: case.to_owned(),
            metric: metric.to_owned(),
            value,
            unit,
            goal,
            met,
            low: None,
            high: None,
        });
    }

    /// Adds the median of several samples with their middle half, and returns it.
    #[allow(dead_code, reason = "not every bench takes samples of one figure")]
    pub(crate) fn add_samples(
        &mut self,
        case: &str,
        metric: &str,
        samples: &[f64],
        unit: &'static str,
        goal: Goal,
    ) -> f64 {
        let mut samples = samples.to_vec();
        let median = quantile(&mut samples, 0.5);
        self.add(case, metric, median, unit, goal);
        if let Some(row) = self.rows.last_mut().filter(|_| samples.len() > 1) {
            (row.low, row.high) = (Some(quantile(&mut samples, 0.25)), Some(quantile(&mut samples, 0.75)));
        }
        median
    }

    /// Keeps what the last run's file has of groups (a case is `group · row`) that this run did not measure.
    #[allow(dead_code, reason = "not every bench has parts")]
    pub(crate) fn keep_others(&mut self, name: &str) {
        let group = |case: &str| case.split(" · ").next().unwrap_or_default().to_owned();
        let measured: Vec<String> = self.rows.iter().map(|row| group(&row.case)).collect();
        let last = fs::read_to_string(file(name)).ok().and_then(|text| serde_json::from_str(&text).ok());
        let mut last: serde_json::Value = last.unwrap_or_default();
        let rows = last["rows"].as_array_mut().map(std::mem::take).unwrap_or_default();
        self.others = rows
            .into_iter()
            .filter(|row| !measured.contains(&group(row["case"].as_str().unwrap_or_default())))
            .collect();
    }

    /// Prints the table and writes the file.
    pub(crate) fn finish(&self, name: &str) {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(["case", "metric", "value", "goal", ""]);
        for row in &self.rows {
            let met = row.met.map_or("", |met| if met { "met" } else { "MISSED" });
            let value = if row.value.abs() < 100.0 { format!("{:.2}", row.value) } else { format!("{:.0}", row.value) };
            let spread = row.low.zip(row.high).map_or(String::new(), |(low, high)| format!(" ({low:.2}–{high:.2})"));
            let value = format!("{value} {}{spread}", row.unit);
            table.add_row([row.case.as_str(), &row.metric, &value, row.goal.as_deref().unwrap_or(""), met]);
        }
        if let Some(values) = table.column_mut(2) {
            values.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}");
        if !std::env::args().any(|argument| argument == "--bench") {
            return; // a proof that it runs: no figures to keep
        }
        let file = file(name);
        let rows = self.rows.iter().map(|row| serde_json::json!(row)).chain(self.others.iter().cloned());
        let rows: Vec<serde_json::Value> = rows.collect();
        let whole =
            serde_json::json!({ "date": jiff::Timestamp::now().to_string(), "machine": machine(), "rows": rows });
        let written = fs::create_dir_all(file.parent().expect("the file has a folder"))
            .and_then(|()| fs::write(&file, format!("{whole:#}\n")));
        match written {
            Ok(()) => println!("written to {}", file.display()),
            Err(error) => eprintln!("{} cannot be written: {error}", file.display()),
        }
    }
}

/// Where the figures of a bench go.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench").join(format!("{name}.json"))
}

/// The machine in a line: processor, cores, kernel.
fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let kernel = Command::new("uname").arg("-sr").output().ok();
    let kernel = kernel.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{}, {cores} cores, {}", processor.unwrap_or_default(), kernel.unwrap_or_default())
}

/// The value below which this share of the values lies; the values get sorted.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = ((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}
