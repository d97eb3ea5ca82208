//! The binary: parse, dispatch, print the error and its hint, choose the exit code.

fn main() {}
