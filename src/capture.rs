//! Captures: a page in, a picture out. Everything that knows Chrome is here.

pub mod guard;
