//! Datagrams between nodes, to see what the network does without the help of casty.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long an echo may take.
const ECHO_MAX: Duration = Duration::from_millis(500);

/// The first byte of a datagram: whether it wants an echo, or is one.
const PING: u8 = 0;
const ECHO: u8 = 1;

/// A socket that echoes what it hears, and counts it.
pub(super) struct Probe {
    socket: UdpSocket,
    heard: Mutex<HashMap<SocketAddr, u64>>,
    /// The number of the last ping, and that of the last echo.
    sent: Mutex<u64>,
    echoed: watch::Sender<u64>,
}

impl Probe {
    /// Binds the node's own address.
    pub(super) async fn bind(address: &str) -> io::Result<Arc<Self>> {
        let socket = UdpSocket::bind(address).await?;
        let echoed = watch::Sender::new(0);
        Ok(Arc::new(Self { socket, heard: Mutex::default(), sent: Mutex::default(), echoed }))
    }

    /// Echoes for ever.
    pub(super) async fn serve(&self) -> io::Result<()> {
        let mut datagram = [0; 9];
        loop {
            let (length, from) = self.socket.recv_from(&mut datagram).await?;
            let Some((kind, number)) = datagram[..length].split_first() else { continue };
            let Ok(number) = number.try_into().map(u64::from_le_bytes) else { continue };
            if *kind == ECHO {
                self.echoed.send_replace(number);
            } else {
                *self.heard.lock().unwrap_or_else(PoisonError::into_inner).entry(from).or_default() += 1;
                // An echo that cannot be sent is one that does not come.
                let _ = self.socket.send_to(&message(ECHO, number), from).await;
            }
        }
    }

    /// How long the echo of a node takes. `None` if it does not come.
    pub(super) async fn ping(&self, to: SocketAddr) -> io::Result<Option<Duration>> {
        let number = {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            *sent += 1;
            *sent
        };
        let mut echoes = self.echoed.subscribe();
        let begun = Instant::now();
        self.socket.send_to(&message(PING, number), to).await?;
        let echo = timeout(ECHO_MAX, echoes.wait_for(|echoed| *echoed == number)).await;
        Ok(matches!(echo, Ok(Ok(_))).then(|| begun.elapsed()))
    }

    /// How many pings came from a node.
    pub(super) fn heard(&self, from: SocketAddr) -> u64 {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&from).copied().unwrap_or(0)
    }
}

fn message(kind: u8, number: u64) -> Vec<u8> {
    [kind].into_iter().chain(number.to_le_bytes()).collect()
}
