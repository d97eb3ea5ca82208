//! What a worker shows over HTTP, asked of a real one.

mod access;
mod browser;
mod demand;
mod health;
mod pages;
mod refusals;
mod visitors;
