//! A connection to a server whose bytes are counted, and which breaks where they are more than the rules allow. A browser sees a
//! response that was cut off, never one that looks whole.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{Reason, Rules, dial::Target, refusal::Ledger};

/// A counted connection.
pub(super) struct Metered {
    stream: TcpStream,
    target: Target,
    ledger: Arc<Ledger>,
    /// What this connection may still bring.
    left: u64,
    /// What all may carry.
    total: u64,
}

impl Metered {
    pub(super) fn new(stream: TcpStream, target: Target, ledger: Arc<Ledger>, rules: &Rules) -> Self {
        Self { stream, target, ledger, left: rules.response_bytes, total: rules.total_bytes }
    }

    fn check_total(&self) -> io::Result<()> {
        if self.ledger.carried() > self.total { Err(self.refuse(Reason::TotalTooLarge)) } else { Ok(()) }
    }

    fn refuse(&self, reason: Reason) -> io::Error {
        self.ledger.refuse(&self.target.host.to_string(), self.target.port, reason);
        io::Error::other(reason.as_str())
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = (buffer.filled().len() - before) as u64;
        self.ledger.add_received(read);
        let outcome = match self.left.checked_sub(read) {
            Some(left) => {
                self.left = left;
                self.check_total()
            }
            None => Err(self.refuse(Reason::ResponseTooLarge)),
        };
        if outcome.is_err() {
            buffer.set_filled(before);
        }
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check_total()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.ledger.add_sent(written as u64);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
