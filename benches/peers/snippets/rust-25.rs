/// Keeps the newest `N` samples of a signal and answers for their quantiles.
pub struct Window<const N: usize> {
    samples: [f32; N],
    next: usize,
    full: bool,
}

impl<const N: usize> Window<N> {
    pub const SEED: u64 = 0x4217_9e37;

    pub fn push(&mut self, sample: f32) -> Option<f32> {
        let oldest = std::mem::replace(&mut self.samples[self.next], sample);
        let evicted = self.full.then_some(oldest);
        self.next = (self.next + 1) % N;
        self.full |= self.next == 0;
        evicted
    }

    pub fn quantile(&self, q: f32) -> Option<f32> {
        let end = if self.full { N } else { self.next };
        let mut sorted = self.samples[..end].to_vec();
        sorted.sort_by(f32::total_cmp);
        sorted.get(((end as f32 - 1.0) * q).round() as usize).copied()
    }
}
