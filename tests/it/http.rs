//! What a worker shows over HTTP, asked of a real one.

mod health;
mod refusals;
