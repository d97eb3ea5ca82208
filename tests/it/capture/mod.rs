//! Captures with a real Chromium.

mod attacks;
