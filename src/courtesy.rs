//! Drawing gives way. The worker may share its cores with the database that it serves, so threads that draw run at a lower priority than
//! whoever talks to the database: where cores are short, pictures come later and the host's writes do not.

use rustix::process::{getpriority_process, setpriority_process};

/// The niceness of threads that draw, where nobody says otherwise: a tenth of an ordinary thread's share where both want the core.
pub const NICE: i32 = 10;

/// Lowers the calling thread's priority to a niceness, for as long as the thread lives; one that is lower already stays as it is.
/// On Linux a niceness is a thread's own (setpriority(2), "C library/kernel differences"). Where the kernel refuses, all goes on as before.
pub fn give_way(nice: i32) {
    if getpriority_process(None).is_ok_and(|now| now < nice) {
        let _ = setpriority_process(None, nice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_and_the_others_do_not() {
        let before = getpriority_process(None).unwrap();
        let drawing = std::thread::spawn(|| {
            give_way(NICE);
            give_way(3); // never back
            getpriority_process(None).unwrap()
        });
        assert_eq!(drawing.join().unwrap(), before.max(NICE));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
