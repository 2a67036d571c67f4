//! A connection must speak HTTP/2 soon after it is opened, or is closed.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use tonic::transport::server::Connected;

/// Bytes that each HTTP/2 client says first (RFC 9113, section 3.4). Who has said them is probed from then on.
const PREFACE: usize = 24;

/// A connection whose client has not said them yet, or has.
#[derive(Debug)]
pub(super) struct Prefaced<S> {
    stream: S,
    awaited: Option<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    bytes: usize,
    late: Pin<Box<Sleep>>,
}

impl<S> Prefaced<S> {
    /// They must have been said at `until`.
    pub(super) fn new(stream: S, until: Instant) -> Self {
        let awaited = Awaited {
            bytes: PREFACE,
            late: Box::pin(sleep_until(until)),
        };
        Self {
            stream,
            awaited: Some(awaited),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefaced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let poll = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(awaited) = &mut this.awaited else {
            return poll;
        };
        match poll {
            Poll::Pending => awaited.late.as_mut().poll(context).map(|()| {
                Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "a client has connected and does not speak HTTP/2",
                ))
            }),
            Poll::Ready(_) => {
                awaited.bytes = awaited.bytes.saturating_sub(buffer.filled().len() - before);
                if awaited.bytes == 0 {
                    this.awaited = None;
                }
                poll
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefaced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: Connected> Connected for Prefaced<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::sleep,
    };

    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);

    /// Reads to the end what a client says that goes on until it is hung up on.
    async fn read_all(mut said: impl AsyncRead + Unpin) -> io::Result<usize> {
        let mut all = Vec::new();
        said.read_to_end(&mut all).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_too_little_is_hung_up_on_however_it_is_said() {
        for pause in [Duration::from_secs(1), Duration::from_secs(60)] {
            let (mut client, server) = duplex(64);
            let begun = Instant::now();
            let talking = tokio::spawn(async move {
                while client.write_all(b"P").await.is_ok() {
                    sleep(pause).await;
                }
            });
            let read = read_all(Prefaced::new(server, begun + WITHIN));
            let error = read.await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert_eq!(begun.elapsed().as_secs(), WITHIN.as_secs());
            talking.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_said_enough_may_be_silent() {
        let (mut client, server) = duplex(64);
        let until = Instant::now() + WITHIN;
        let reading = tokio::spawn(read_all(Prefaced::new(server, until)));
        client.write_all(&[b'P'; PREFACE]).await.unwrap();
        sleep(WITHIN * 10).await;
        client.write_all(b"more").await.unwrap();
        drop(client);
        assert_eq!(reading.await.unwrap().unwrap(), PREFACE + 4);
    }
}
