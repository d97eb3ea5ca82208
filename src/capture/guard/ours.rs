//! Ports of loopback at which this process itself listens for its browsers: doors. Whoever reached one could do whatever another
//! capture may; so no page does, whatever `--allow-host` names. One list for the whole process, since pages of one pool must not reach
//! the doors of another.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

static OURS: LazyLock<Mutex<HashMap<u16, usize>>> = LazyLock::new(Mutex::default);

/// A port that is closed to pages, until it is dropped.
#[derive(Debug)]
pub struct OurPort(u16);

impl OurPort {
    /// Closes a port.
    pub fn close(port: u16) -> Self {
        *ours().entry(port).or_default() += 1;
        Self(port)
    }
}

impl Drop for OurPort {
    fn drop(&mut self) {
        let mut ours = ours();
        if let Some(users) = ours.get_mut(&self.0) {
            *users -= 1;
            if *users == 0 {
                ours.remove(&self.0);
            }
        }
    }
}

/// Whether a port is closed where an address is this machine's.
pub(super) fn is_ours(port: u16) -> bool {
    ours().contains_key(&port)
}

/// Whether an address may be loopback, however it is written.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

fn ours() -> MutexGuard<'static, HashMap<u16, usize>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}
