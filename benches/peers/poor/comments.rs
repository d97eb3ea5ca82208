//! Retries with a budget: a caller that fails too often stops asking.

/// Tokens that refill with time; a retry costs one, a success pays back a tenth.
pub struct Budget {
    tokens: f64, // never above `most`
    most: f64,
}

impl Budget {
    /* A block comment, to see whether it is as faint as the others. */
    pub fn try_spend(&mut self) -> bool {
        // Spending below zero would let a burst borrow from the future.
        let rich = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(rich));
        rich
    }
}
