//! Where connections come from: the real network, or another one in tests.

use std::io;
use std::net::SocketAddr;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, split};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

/// A network. Addresses are `host:port`; what a host is, the network decides.
pub trait Net: Send + Sync + 'static {
    /// Listens on an address. Port 0 is a free port of the network's choice.
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;

    /// Connects to an address. The name is resolved anew for each attempt.
    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;
}

/// The accepting end of an address.
pub trait Listener: Send {
    /// The next connection, and a name of its other end for the log. Dropping the future loses no connection.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, String)>>;

    /// The port that is listened on.
    fn port(&self) -> io::Result<u16>;
}

/// A connection: bytes both ways, in order.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Takes it apart, for a task that reads and another that writes. By default the one waits while the other is at the
    /// connection.
    fn into_halves(self: Box<Self>) -> Halves {
        let (reading, writing) = split(self);
        (Box::new(reading), Box::new(writing))
    }
}

/// A connection in two, its reading half first.
pub type Halves = (Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>);

impl Stream for DuplexStream {}

impl Stream for TcpStream {
    fn into_halves(self: Box<Self>) -> Halves {
        let (reading, writing) = self.into_split();
        (Box::new(reading), Box::new(writing))
    }
}

/// TCP, without delay for small writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpNet;

impl Net for TcpNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        async move {
            let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
            for addr in lookup_host(addr).await? {
                match listen(addr) {
                    Ok(listener) => return Ok(Box::new(listener) as Box<dyn Listener>),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
        .boxed()
    }

    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        async move {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        }
        .boxed()
    }
}

/// Connections that wait until they are accepted. The customary 128 are full at once when many come together, and then
/// whoever comes next hears of nothing for a second.
const BACKLOG: u32 = 1_024;

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On Windows it would let two nodes have one port.
    if cfg!(not(windows)) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

impl Listener for TcpListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, String)>> {
        async move {
            let (stream, from) = TcpListener::accept(self).await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream) as Box<dyn Stream>, from.to_string()))
        }
        .boxed()
    }

    fn port(&self) -> io::Result<u16> {
        Ok(self.local_addr()?.port())
    }
}
