//! Messages out of a stream of bytes, each with a zero byte behind it. It always holds that none takes more memory than its kind may: the
//! answer to a question of ours may be a picture, while what a browser tells by itself may be of a page's making.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The most bytes of an answer: a picture of as many pixels as one may have, none of which says anything about the next, is smaller.
pub(super) const LARGEST_ANSWER: usize = 512 << 20;

/// The most bytes of what is told unasked. A page may say as much as it likes on its console, and at once.
pub(super) const LARGEST_EVENT: usize = 16 << 20;

/// How much is read at once.
const BLOCK: usize = 256 << 10;

/// How much is kept of the start and of the end of what is too long: what it is, and where it belongs.
const START: usize = 100;
const END: usize = 200;

/// How answers begin.
const ANSWER: &[u8] = b"{\"id\":";

/// A message.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The whole, or the start of what is too long.
    pub(super) bytes: Vec<u8>,
    /// The end of what is too long.
    pub(super) end: Vec<u8>,
    /// How long it is where it is too long, else 0.
    pub(super) lost: usize,
}

impl Frame {
    /// The number of the question that it answers; none where nobody asked.
    pub(super) fn answers(&self) -> Option<usize> {
        let digits = self.bytes.strip_prefix(ANSWER)?;
        let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
        str::from_utf8(&digits[..end]).ok()?.parse().ok()
    }

    /// Takes more of the message in.
    fn take(&mut self, more: &[u8]) {
        if self.lost > 0 {
            self.lost += more.len();
        } else {
            self.bytes.extend_from_slice(more);
            let most = if self.bytes.starts_with(ANSWER) { LARGEST_ANSWER } else { LARGEST_EVENT };
            if self.bytes.len() <= most {
                return;
            }
            self.lost = self.bytes.len();
            let held = std::mem::take(&mut self.bytes);
            self.bytes.extend_from_slice(&held[..START]);
            self.end.extend_from_slice(&held[held.len() - END..]);
            return;
        }
        self.end.extend_from_slice(&more[more.len().saturating_sub(END)..]);
        let surplus = self.end.len().saturating_sub(END);
        self.end.drain(..surplus);
    }
}

/// A stream of messages.
#[derive(Debug)]
pub(super) struct Frames<R> {
    from: BufReader<R>,
    /// As far as it has come.
    next: Frame,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(BLOCK, from), next: Frame::default() }
    }

    /// The next message; `None` once there will be no more. Who stops waiting loses nothing.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            let block = self.from.fill_buf().await.ok().filter(|block| !block.is_empty())?;
            let end = if block.contains(&0) { block.iter().position(|byte| *byte == 0) } else { None };
            self.next.take(&block[..end.unwrap_or(block.len())]);
            let taken = end.map_or(block.len(), |end| end + 1);
            self.from.consume(taken);
            if end.is_some() {
                return Some(std::mem::take(&mut self.next));
            }
        }
    }
}
