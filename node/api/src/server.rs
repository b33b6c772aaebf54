//! TCP server: bounds the number of connections and the time that a client may take to send a request.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use service::Storage;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::{Setup, router};

/// Connections at a time. Further ones wait in the backlog.
const CONNECTIONS_MAX: usize = 1600;
/// Time for a request head, and between two requests of a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of a request head.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// Time that responses in progress get on shutdown. Event streams never end by themselves.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// Delay before the next `accept` when the process is out of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Binds a loopback address.
///
/// # Errors
/// If the address is not a loopback address or is in use.
pub async fn bind_loopback(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let message = "it is not a loopback address";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    TcpListener::bind(address).await
}

/// Serves on `listener` until `stop` resolves.
pub async fn serve<K: Storage>(
    listener: TcpListener,
    setup: Setup<K>,
    stop: impl Future<Output = ()> + Send,
) {
    serve_router(listener, router(setup), CONNECTIONS_MAX, HEADER_TIMEOUT, stop).await;
}

async fn serve_router(
    listener: TcpListener,
    router: Router,
    connections_max: usize,
    header_timeout: Duration,
    stop: impl Future<Output = ()> + Send,
) {
    let mut http = http1::Builder::new();
    // A client that sends its head byte by byte must not keep a connection slot.
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(HEADER_BYTES_MAX);
    let (slots, shutdown) = (Arc::new(Semaphore::new(connections_max)), GracefulShutdown::new());
    let mut stop = pin!(stop);
    loop {
        let taken = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            taken = taken => taken,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            continue;
        };
        // Disables Nagle's algorithm, which would delay small responses.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = shutdown.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // An error means that the client disconnected or was too slow; nobody is left to answer.
            let _ = connection.await;
            drop(slot);
        });
    }
    // Closed first, so that no connection is accepted during shutdown.
    drop(listener);
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, shutdown.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Starts a server with two connection slots and a short header timeout; it stops when the sender is
    /// dropped.
    async fn stage() -> (SocketAddr, oneshot::Sender<()>) {
        let listener = bind_loopback("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (address, (stop, stopped)) = (listener.local_addr().unwrap(), oneshot::channel::<()>());
        let router = Router::new().route("/", get(|| async { "hello" }));
        let stopped = async { stopped.await.unwrap_or_default() };
        tokio::spawn(serve_router(listener, router, 2, Duration::from_millis(200), stopped));
        (address, stop)
    }

    /// Reads a connection to its end.
    async fn rest(mut stream: TcpStream) -> String {
        let mut text = String::new();
        let read = stream.read_to_string(&mut text);
        // A reset also ends the connection.
        let _ = tokio::time::timeout(ACCEPT_RETRY_DELAY + PATIENCE, read).await.unwrap();
        text
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_a_request_gives_place_to_others() {
        let (address, _stop) = stage().await;
        let silent = TcpStream::connect(address).await.unwrap();
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
        // Both slots are taken, so this connection waits until they are released.
        let mut third = TcpStream::connect(address).await.unwrap();
        third.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        assert!(rest(third).await.ends_with("hello"));
        assert!(!rest(silent).await.contains("200"));
        assert!(!rest(slow).await.contains("200"));
    }

    #[tokio::test]
    async fn a_head_without_end_is_not_read_to_its_end() {
        let (address, _stop) = stage().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        let mut sent = 0_usize;
        while sent < 64 * HEADER_BYTES_MAX && stream.write_all(&[b'x'; 4096]).await.is_ok() {
            sent += 4096;
        }
        assert!(sent < 64 * HEADER_BYTES_MAX, "all of it was taken");
    }

    #[tokio::test]
    async fn other_addresses_than_loopback_are_refused() {
        assert!(bind_loopback("0.0.0.0:0".parse().unwrap()).await.is_err());
    }
}
