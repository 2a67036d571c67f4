//! Connections over TCP, from the moment at which they have greeted.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;

use super::preface::Prefaced;

/// A client that does not greet and say HTTP/2's preface within this time is dropped.
const GREETING: Duration = Duration::from_secs(10);
/// Greetings at once; more connections wait in the system's queue, no longer than these may take. Each costs
/// little, and those who only connect should not keep others out.
const GREETINGS: usize = 8_192;
/// Connections that wait to be served.
const CONNECTIONS: usize = 16;
/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections of `tcp`, as `greet` gives them. Nobody who is slow or fails holds up the others, and who never says
/// anything loses the connection.
pub(super) fn incoming<S, F>(
    tcp: TcpListener,
    greet: impl Fn(TcpStream) -> F + Send + 'static,
) -> ReceiverStream<io::Result<Prefaced<S>>>
where
    S: Send + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
{
    let (connections, ready) = mpsc::channel(CONNECTIONS);
    tokio::spawn(async move {
        let greetings = Arc::new(Semaphore::new(GREETINGS));
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&greetings).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                () = connections.closed() => return,
                accepted = tcp.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Such as no file descriptors: they come back when connections end.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let until = Instant::now() + GREETING;
            let (greeted, connections) = (greet(stream), connections.clone());
            tokio::spawn(async move {
                match timeout_at(until, greeted).await {
                    Ok(Ok(stream)) => {
                        drop(permit);
                        // Fails when the daemon has stopped.
                        let _ = connections.send(Ok(Prefaced::new(stream, until))).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "a connection was not opened"),
                    Err(_) => tracing::debug!("a client took too long to greet"),
                }
            });
        }
    });
    ReceiverStream::new(ready)
}

/// Waits until a client says something; without TLS that is all of the greeting.
///
/// # Errors
/// When the connection fails.
pub(super) async fn heard(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    // (`readable` may say so of a stream that is not.)
    stream.peek(&mut [0]).await?;
    Ok(stream)
}
