//! The handshake of the bell as a small model, explored in every interleaving.
//!
//! Each step below is one statement, or one commit, as the others can see it; between any two of them anything may happen.
//!
//! - A host's transaction: begin · insert its mark, which takes a lock that `marks_in_flight` shows · read the bell, which has no
//!   snapshot · commit: the mark can be seen, the lock is gone, and where the bell was up, everybody who listens is rung.
//! - A sleeper: set the bell · list the transactions in flight · wait until all of those have ended · look for marks · listen
//!   until rung, and then begin again. One that finds a mark takes the bell down, takes all marks, and falls asleep again.
//!   LISTEN is never interrupted, so a ring that comes before the wait is remembered.
//! - Once in its life a listening sleeper may wake for reasons of its own (a retry falls due), or leave for good (a signal):
//!   either takes the bell down under the other; one that leaves rouses the rest.
//!
//! What must not happen: a mark is committed and unseen, and nobody can take another step. The fallback poll is no step here;
//! it would hide what the handshake misses.

use std::collections::HashSet;

/// A part of the handshake that a test leaves out, to see that the model notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    WaitingForMarksInFlight,
    SecondLook,
    RouseOnLeaving,
    NewBellAfterARing,
}

/// What a listening sleeper may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whim {
    None,
    Wake,
    Leave,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Host {
    Idle,
    Begun,
    Marked,
    Read { rings: bool },
    Done,
}

impl Host {
    fn holds_lock(self) -> bool {
        matches!(self, Self::Marked | Self::Read { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    SetBell,
    ListMarks,
    WaitForMarks,
    Look,
    Listen,
    TakeBellDown { leaving: bool },
    TakeMarks,
    Rouse,
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sleeper {
    at: Step,
    /// A ring that was not waited for yet.
    rung: bool,
    /// The hosts that were in flight when it listed them.
    awaited: Vec<bool>,
    /// Whether its whim is still to come.
    fresh: bool,
}

/// Everything that is shared, and where everybody stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    bell: bool,
    unseen: usize,
    hosts: Vec<Host>,
    sleepers: Vec<Sleeper>,
}

/// Explores every reachable world; returns how many there are, or one in which a mark waits and nobody moves.
pub(super) fn explore(hosts: usize, sleepers: usize, whim: Whim, without: Option<Part>) -> Result<usize, World> {
    let sleeper = Sleeper { at: Step::SetBell, rung: false, awaited: vec![false; hosts], fresh: true };
    let start = World { bell: false, unseen: 0, hosts: vec![Host::Idle; hosts], sleepers: vec![sleeper; sleepers] };
    let mut known = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        let mut next: Vec<World> = (0..hosts).filter_map(|host| world.host_step(host)).collect();
        next.extend((0..sleepers).filter_map(|sleeper| world.sleeper_step(sleeper, without)));
        if next.is_empty() && world.unseen > 0 && world.sleepers.iter().any(|sleeper| sleeper.at != Step::Gone) {
            return Err(world);
        }
        next.extend((0..sleepers).filter_map(|sleeper| world.whim(sleeper, whim)));
        open.extend(next.into_iter().filter(|world| known.insert(world.clone())));
    }
    Ok(known.len())
}

impl World {
    fn host_step(&self, host: usize) -> Option<Self> {
        let mut world = self.clone();
        world.hosts[host] = match self.hosts[host] {
            Host::Idle => Host::Begun,
            Host::Begun => Host::Marked,
            Host::Marked => Host::Read { rings: self.bell },
            Host::Read { rings } => {
                world.unseen += 1;
                if rings {
                    world.ring();
                }
                Host::Done
            }
            Host::Done => return None,
        };
        Some(world)
    }

    fn ring(&mut self) {
        for sleeper in &mut self.sleepers {
            sleeper.rung = true;
        }
    }

    /// The next step of one sleeper; `None` while it is blocked.
    fn sleeper_step(&self, sleeper: usize, without: Option<Part>) -> Option<Self> {
        let mut world = self.clone();
        let mut me = self.sleepers[sleeper].clone();
        let mut rouses = false;
        me.at = match me.at {
            Step::SetBell => {
                world.bell = true;
                Step::ListMarks
            }
            Step::ListMarks => {
                me.awaited = self.hosts.iter().map(|host| host.holds_lock()).collect();
                if without == Some(Part::WaitingForMarksInFlight) { Step::Look } else { Step::WaitForMarks }
            }
            Step::WaitForMarks => {
                let pending = |(host, awaited): (&Host, &bool)| *awaited && host.holds_lock();
                if self.hosts.iter().zip(&me.awaited).any(pending) {
                    return None;
                }
                me.awaited.fill(false);
                if without == Some(Part::SecondLook) { Step::Listen } else { Step::Look }
            }
            Step::Look if self.unseen > 0 => Step::TakeBellDown { leaving: false },
            Step::Look => Step::Listen,
            Step::Listen if me.rung => {
                me.rung = false;
                if without == Some(Part::NewBellAfterARing) { Step::Look } else { Step::SetBell }
            }
            Step::Listen | Step::Gone => return None,
            Step::TakeBellDown { leaving } => {
                world.bell = false;
                match leaving {
                    false => Step::TakeMarks,
                    true if without == Some(Part::RouseOnLeaving) => Step::Gone,
                    true => Step::Rouse,
                }
            }
            Step::TakeMarks => {
                world.unseen = 0;
                Step::SetBell
            }
            Step::Rouse => {
                rouses = true;
                Step::Gone
            }
        };
        world.sleepers[sleeper] = me;
        if rouses {
            world.ring();
        }
        Some(world)
    }

    /// What a listening sleeper may do once, unless it would leave the last bed empty.
    fn whim(&self, sleeper: usize, whim: Whim) -> Option<Self> {
        let me = &self.sleepers[sleeper];
        let leaving = whim == Whim::Leave;
        let alone = self.sleepers.iter().filter(|sleeper| sleeper.fresh).count() < 2;
        if whim == Whim::None || me.at != Step::Listen || !me.fresh || (leaving && alone) {
            return None;
        }
        let mut world = self.clone();
        world.sleepers[sleeper].fresh = false;
        world.sleepers[sleeper].at = Step::TakeBellDown { leaving };
        Some(world)
    }
}
