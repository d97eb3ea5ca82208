//! Captures with a real Chromium.

mod attacks;
mod evil;
mod kept;
mod pictures;
mod pool;
mod site;
mod speed;
mod trouble;
mod yard;
