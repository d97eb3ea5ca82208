//! A command comes in as arguments and runs to its end; `WALL_US CPU_US PEAK_KB STATUS` of it goes out on stdout. A program of its
//! own, because the peak that the kernel tells of a process begins with the size of the one it was forked from: this one is small.

use std::{env, mem::MaybeUninit, process::Command, process::Stdio, time::Instant};

fn main() {
    let mut words = env::args_os().skip(1);
    let Some(program) = words.next() else { panic!("stopwatch COMMAND [ARGUMENT…]") };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let child = command.spawn().expect("the command starts");
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the process is our child and not yet waited for, and both pointers are to live memory of the right types.
    let waited = unsafe { libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) };
    let wall = start.elapsed().as_micros();
    assert_eq!(waited, child.id() as i32, "the command can be waited for");
    // SAFETY: wait4 filled it; all-zero bytes are a valid value too.
    let usage = unsafe { usage.assume_init() };
    let micros = |time: libc::timeval| time.tv_sec as i64 * 1_000_000 + time.tv_usec as i64;
    println!("{wall} {} {} {status}", micros(usage.ru_utime) + micros(usage.ru_stime), usage.ru_maxrss);
}
