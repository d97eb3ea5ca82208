//! The integration tests, one binary: a module for each thing that is proved from outside.

mod golden;
mod hostile;
