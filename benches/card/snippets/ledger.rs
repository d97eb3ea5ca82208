use std::collections::BTreeMap;
use std::fmt;

/// Balances by account, in cents; never below the overdraft.
#[derive(Debug, Default)]
pub struct Ledger {
    balances: BTreeMap<String, i64>,
    overdraft: i64,
}

impl Ledger {
    pub fn transfer(&mut self, from: &str, to: &str, cents: i64) -> Result<(), Refused> {
        let left = self.balances.get(from).copied().unwrap_or(0) - cents;
        if left < -self.overdraft {
            return Err(Refused { account: from.to_owned(), short: -left });
        }
        self.balances.insert(from.to_owned(), left);
        *self.balances.entry(to.to_owned()).or_default() += cents;
        Ok(()) // both sides, or neither
    }

    pub fn total(&self) -> i64 {
        self.balances.values().sum::<i64>()
    }
}
