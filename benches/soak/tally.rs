//! What came of the captures.

use std::{collections::BTreeMap, time::Duration};

use tintype::capture::{CaptureError, Captured};

use super::{
    mix::Case,
    report::{Goal, Report, quantile},
    state::State,
};

/// How much longer than its deadline a capture may take: the deadline counts from the moment when a browser is there, and some have to
/// wait for a new one.
const START: Duration = Duration::from_secs(5);

/// What came of the captures so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) freezes: usize,
    /// What was held, after so many captures.
    pub(crate) states: Vec<(usize, State)>,
    good: usize,
    evil: usize,
    lost: usize,
    late: usize,
    /// Seconds beyond its deadline that the latest took.
    beyond: f64,
    /// Milliseconds of the plain page.
    times: BTreeMap<&'static str, Vec<f64>>,
}

impl Tally {
    /// Judges a capture.
    pub(crate) fn judge(
        &mut self,
        case: &Case,
        captured: &Result<Captured, CaptureError>,
        took: Duration,
        limit: Duration,
    ) {
        *(if case.is_good() { &mut self.good } else { &mut self.evil }) += 1;
        self.times.entry(case.name).or_default().push(took.as_secs_f64() * 1e3);
        if !case.is_right(captured) {
            self.lost += 1;
            let end = captured.as_ref().map_or_else(ToString::to_string, |captured| format!("{:?}", captured.title));
            eprintln!("LOST: {}: {end} after {took:.1?}", case.name);
        }
        self.beyond = self.beyond.max(took.as_secs_f64() - limit.as_secs_f64());
        if took > limit + START {
            self.late += 1;
            eprintln!("LATE: {}: {took:.1?}", case.name);
        }
    }

    /// Puts it on record; returns how many were lost or late.
    pub(crate) fn tell(&self, seconds: f64, report: &mut Report) -> usize {
        let count = |count: usize| count as f64;
        let all = self.good + self.evil;
        report.add("captures · all", "captures", count(all), "", Goal::None);
        report.add("captures · all", "a second", count(all) / seconds, "/s", Goal::None);
        report.add("captures · good pages", "captures", count(self.good), "", Goal::None);
        report.add("captures · evil pages", "captures", count(self.evil), "", Goal::None);
        report.add("captures · lost, or come to another end", "captures", count(self.lost), "", Goal::AtMost(0.0));
        report.add("captures · past their deadline", "captures", count(self.late), "", Goal::AtMost(0.0));
        report.add("captures · furthest past it", "time, browsers' starts included", self.beyond, "s", Goal::None);
        report.add("browser · killed", "times", count(self.kills), "", Goal::None);
        report.add("browser · frozen", "times", count(self.freezes), "", Goal::None);
        for (name, times) in &self.times {
            report.add_samples(&format!("times · {name}"), "median", times, "ms", Goal::None);
            report.add(&format!("times · {name}"), "longest", quantile(&mut times.clone(), 1.0), "ms", Goal::None);
        }
        self.tell_states(report);
        self.lost + self.late
    }

    /// The looks of each quarter, since each falls into another moment of a browser's life: what grows is seen from one to the next.
    fn tell_states(&self, report: &mut Report) {
        for part in self.states.chunks(self.states.len().div_ceil(4).max(1)) {
            let states: Vec<State> = part.iter().map(|(_, state)| *state).collect();
            if let (Some(state), Some((last, _))) = (median(&states), part.last()) {
                state.tell(&format!("up to capture {last}, median of {} looks", states.len()), report);
            }
        }
    }
}

fn median(states: &[State]) -> Option<State> {
    let of = |what: fn(&State) -> f64| quantile(&mut states.iter().map(what).collect::<Vec<_>>(), 0.5);
    (!states.is_empty()).then(|| State {
        processes: of(|state| state.processes as f64) as usize,
        folders: of(|state| state.folders as f64) as usize,
        memory: of(|state| state.memory),
        own_memory: of(|state| state.own_memory),
        files: of(|state| state.files as f64) as usize,
        zombies: of(|state| state.zombies as f64) as usize,
    })
}
