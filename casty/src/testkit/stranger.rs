//! Somebody on the network who is no node, and says to one whatever a test wants.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::base::NodeKey;
use crate::cluster::{Kind, Member, Role};
use crate::wire::{
    Channel, Exchange, FRAME_BYTES_MAX, Features, FrameReader, HANDSHAKE_BYTES_MAX, HandshakeError, Hello, NONCE_BYTES,
    PREFACE_FRAME_BYTES, Preface, Purpose, Side, Versions, append,
};

/// A connection to a node by somebody who is no node.
pub struct Stranger {
    stream: TcpStream,
    /// What else a link has.
    link: Option<Link>,
}

/// A link but for its control lane.
struct Link {
    /// The bulk lane, which only carries pings.
    bulk: TcpStream,
    /// A node lets nobody in who cannot be dialled.
    _home: AbortOnDropHandle<()>,
}

impl Stranger {
    /// Connects to a node, and says nothing.
    pub async fn connect(addr: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, link: None })
    }

    /// Connects to a node and is let in as the peer `name`: what it writes from now on is taken for frames.
    pub async fn link(addr: &str, cluster_name: &str, name: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let here = listener.local_addr()?.to_string();
        let life = |life| Member::new(name.into(), life, here.clone(), Role::Observer);
        let hello =
            |member: &Member, purpose| Hello { cluster_name: cluster_name.to_owned(), member: member.clone(), purpose };
        let to = Self::connect(addr).await?.greet(&hello(&life(1), Purpose::Check)).await?;
        // Of two nodes the one with the smaller key dials.
        let member = (1..).map(life).find(|member| member.key < to).ok_or(io::ErrorKind::NotFound)?;
        let home = AbortOnDropHandle::new(tokio::spawn(answer(listener, member.clone())));
        let mut linked = Self::connect(addr).await?;
        linked.greet(&hello(&member, Purpose::Link { to, nonce: 1 })).await?;
        let mut bulk = Self::connect(addr).await?;
        bulk.greet(&hello(&member, Purpose::Bulk { to, nonce: 1 })).await?;
        linked.link = Some(Link { bulk: bulk.stream, _home: home });
        Ok(linked)
    }

    /// The bytes that a dialler says first.
    pub fn preface() -> Vec<u8> {
        preface().encode().to_vec()
    }

    /// The bytes of a hello: a peer `name` asks who is there.
    pub fn hello(cluster_name: &str, name: &str) -> io::Result<Vec<u8>> {
        // Nobody listens there, and a node that dials it learns so at once.
        let member = Member::new(name.into(), 1, "127.0.0.1:1", Role::Observer);
        spelled(&Hello { cluster_name: cluster_name.to_owned(), member, purpose: Purpose::Ask })
    }

    /// Says a preface, and then a hello of these bytes, whatever they are, with the proof that is theirs.
    pub async fn say(&mut self, hello: &[u8]) -> io::Result<()> {
        self.introduce(hello).await.map(drop)
    }

    /// Writes bytes as they are, on the control lane if there is a link.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(Link { bulk, .. }) = &mut self.link {
            bulk.write_all(&framed(Kind::PING, &[])?).await?;
        }
        self.stream.write_all(bytes).await
    }

    /// Writes a frame.
    pub async fn frame(&mut self, kind: Kind, body: &[u8]) -> io::Result<()> {
        self.write(&framed(kind, body)?).await
    }

    /// Waits until the node closes the connection, whatever it says before.
    pub async fn closed(&mut self) {
        let mut unread = [0; 1024];
        while self.stream.read(&mut unread).await.is_ok_and(|count| count > 0) {}
    }

    async fn greet(&mut self, hello: &Hello) -> io::Result<NodeKey> {
        let mut exchange = self.introduce(&spelled(hello)?).await?;
        // What comes behind the answer is lost with the reader, and a stranger does not listen.
        let mut reader = FrameReader::new(&mut self.stream, HANDSHAKE_BYTES_MAX);
        match reader.next(Duration::MAX).await.map_err(io::Error::other)? {
            Some((Kind::WELCOME, body)) => {
                let member = exchange.check(Kind::WELCOME, &body).map_err(io::Error::other)?;
                crate::codec::decode::<Member>(member).map(|member| member.key).map_err(io::Error::other)
            }
            Some((kind, _)) => Err(io::Error::other(format!("the node answered with a frame of {kind:?}"))),
            None => Err(io::Error::other(HandshakeError::Closed)),
        }
    }

    async fn introduce(&mut self, hello: &[u8]) -> io::Result<Exchange> {
        let (ours, mut theirs) = (preface(), [0; PREFACE_FRAME_BYTES]);
        self.write(&ours.encode()).await?;
        self.stream.read_exact(&mut theirs).await?;
        let theirs = Preface::decode(&theirs).map_err(io::Error::other)?;
        let mut exchange = begin(Side::Dialler, &ours, &theirs)?;
        let body = exchange.prove(Kind::HELLO, hello);
        self.frame(Kind::HELLO, &body).await?;
        Ok(exchange)
    }
}

/// A stranger is never asked twice, so it needs no fresh nonce.
fn preface() -> Preface {
    Preface::new(Versions::CURRENT, Features::default(), Features::default(), [7; NONCE_BYTES])
}

fn begin(side: Side, ours: &Preface, theirs: &Preface) -> io::Result<Exchange> {
    Exchange::begin(side, None, Channel::default(), ours, theirs).map_err(io::Error::other)
}

/// Answers as `me` whoever dials.
async fn answer(listener: TcpListener, me: Member) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever has gone again needs no answer.
        let _ = welcome(stream, &me).await;
    }
}

async fn welcome(mut stream: TcpStream, me: &Member) -> io::Result<()> {
    let (ours, mut theirs) = (preface(), [0; PREFACE_FRAME_BYTES]);
    stream.read_exact(&mut theirs).await?;
    stream.write_all(&ours.encode()).await?;
    let mut exchange = begin(Side::Acceptor, &ours, &Preface::decode(&theirs).map_err(io::Error::other)?)?;
    let mut reader = FrameReader::new(&mut stream, HANDSHAKE_BYTES_MAX);
    let (kind, hello) =
        reader.next(Duration::MAX).await.map_err(io::Error::other)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    exchange.check(kind, &hello).map_err(io::Error::other)?;
    let body = exchange.prove(Kind::WELCOME, &spelled(me)?);
    stream.write_all(&framed(Kind::WELCOME, &body)?).await
}

fn spelled(word: &impl Serialize) -> io::Result<Vec<u8>> {
    crate::codec::encode(word).map_err(io::Error::other)
}

fn framed(kind: Kind, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    append(&mut frame, kind, FRAME_BYTES_MAX, |out| out.extend_from_slice(body))
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(frame)
}
