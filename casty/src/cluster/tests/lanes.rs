//! Control waits for nothing that is sent in bulk, in no buffer on the way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{MissedTickBehavior, interval};

use super::support::{DEADLINE, Node, Seen, full_mesh, settings, tcp};
use crate::cluster::{BULK_BYTES_MAX, Kind, Lane, Listener, Net, PeerEvent, SendFailure, Stream, TcpNet};

/// A narrow connection takes so many bytes, and then none until it is wide again.
const NARROW_BYTES: usize = 4 << 20;

/// TCP to peers that stop to read what comes fast.
#[derive(Default)]
struct SlowNet(Arc<Slow>);

#[derive(Default)]
struct Slow {
    narrow: AtomicBool,
    waiting: Mutex<Vec<std::task::Waker>>,
}

impl Slow {
    fn widen(&self) {
        self.narrow.store(false, Ordering::Relaxed);
        self.waiting.lock().drain(..).for_each(std::task::Waker::wake);
    }
}

impl Net for SlowNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        TcpNet.bind(addr)
    }

    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        async move {
            let io = TcpNet.connect(addr).await?;
            Ok(Box::new(SlowStream { io, slow: self.0.clone(), written: 0 }) as Box<dyn Stream>)
        }
        .boxed()
    }
}

struct SlowStream {
    io: Box<dyn Stream>,
    slow: Arc<Slow>,
    written: usize,
}

impl Stream for SlowStream {}

impl AsyncRead for SlowStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for SlowStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.written >= NARROW_BYTES {
            let mut waiting = self.slow.waiting.lock();
            if self.slow.narrow.load(Ordering::Relaxed) {
                waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
        }
        let written = std::task::ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.written += written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// While 64 MiB of bulk stand still, control frames arrive one by one, the members stay members, and what is sent beyond is
/// refused. When the way is free again, all of the bulk arrives, in order.
#[tokio::test]
async fn control_arrives_while_64_mib_of_bulk_stand_still() {
    const FRAME_BYTES: usize = 1 << 20;
    const CONTROL_FRAMES: u8 = 30;
    let net = SlowNet::default();
    let slow = net.0.clone();
    let patient = |name: &str, seeds: &[String]| {
        let mut settings = settings(name, seeds);
        (settings.timings.write_max, settings.timings.silence_max) = (DEADLINE, DEADLINE);
        settings
    };
    let first = Node::start(Arc::new(net), patient("a", &[])).await;
    let second = Node::start(tcp(), patient("b", &[first.addr()])).await;
    let mut nodes = [first, second];
    full_mesh(&mut nodes).await;
    let [a, b] = &mut nodes;
    assert!(a.key() < b.key(), "the connections of the one that dials are slow");
    slow.narrow.store(true, Ordering::Relaxed);
    let bulk = |n: u8| a.cluster.send(b.key(), Lane::Bulk, Kind::ENTITY, |out| out.resize(out.len() + FRAME_BYTES, n));
    let sent = (0..=u8::MAX).take_while(|n| bulk(*n).is_ok()).count() as u8;
    assert!(usize::from(sent) >= BULK_BYTES_MAX / FRAME_BYTES - 1, "{sent} frames were taken");
    assert!(matches!(bulk(sent), Err(SendFailure::Full { lane: Lane::Bulk, .. })));
    // Longer than a member may be silent before it is given up.
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for n in 0..CONTROL_FRAMES {
        ticks.tick().await;
        a.cluster.send(b.key(), Lane::Control, Kind::RAFT, |out| out.push(n)).unwrap();
        let control = |seen: &Seen| matches!(seen, Seen::Frame(_, Kind::RAFT, body) if body[..] == [n]).then_some(());
        // What came is not told in full: it is megabytes.
        assert!(b.within(DEADLINE, control).await.is_some(), "control frame {n} waits for the bulk");
    }
    let whole = |seen: &Seen| match seen {
        Seen::Frame(_, Kind::ENTITY, body) => Some((body.len(), body[0])),
        _ => None,
    };
    let mut arrived = 0;
    while let Some((length, n)) = b.within(Duration::ZERO, whole).await {
        assert_eq!((length, n), (FRAME_BYTES, arrived));
        arrived += 1;
    }
    assert!(usize::from(arrived) <= NARROW_BYTES / FRAME_BYTES, "{arrived} bulk frames came: nothing stood still");
    slow.widen();
    for n in arrived..sent {
        assert_eq!(b.within(DEADLINE, whole).await, Some((FRAME_BYTES, n)));
    }
    for node in &mut nodes {
        let lost = |seen: &Seen| {
            matches!(seen, Seen::Event(PeerEvent::LinkDown(_) | PeerEvent::MemberDown(_))).then(|| seen.clone())
        };
        assert_eq!(node.within(Duration::ZERO, lost).await, None);
    }
}
