//! Our own heap beside the browser. Pages come as pictures of many megabytes, read on whatever thread is free; what glibc's heaps keep of
//! each for the next would add up to more than all the rest of a worker.

/// What is as large as this goes back to the system when it is freed, and a heap keeps no more than this at its end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: i32 = 4 << 20;

/// Has large things given back from now on. The C library's own rule would raise its thresholds with each large thing that it frees.
pub(super) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the library offers these limits through its C interface only")]
    // SAFETY: it sets two numbers, under the lock of the allocator; nothing that was allocated is touched.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
    }
}
