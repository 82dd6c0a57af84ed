//! The floor of what any task can call: a queue before one writer, which writes all that is queued at once, and a `oneshot`
//! for each answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::Competitor;
use super::frames::{READ_BYTES, answer, append, take};
use crate::meter::{Sample, Threads};
use crate::remote::asks::{Echo, asks};
use crate::remote::processes::Answering;

/// How many asks the writer takes from the queue at once.
const BATCH: usize = 256;

pub(super) struct TcpRpc;

impl Competitor for TcpRpc {
    const NAME: &'static str = "tcp-rpc";
    const ANSWERING: Threads = Threads::One;

    async fn answer(ready: impl FnOnce(String) + Send) {
        answer(ready).await;
    }

    async fn time(answering: Answering, callers: u64, number: u64) -> Sample {
        let stream = TcpStream::connect(&answering.way).await.expect("the other process listens");
        stream.set_nodelay(true).expect("it is a TCP stream");
        let (reading, writing) = stream.into_split();
        let (queue, queued) = mpsc::unbounded_channel();
        let waiting = Arc::default();
        tokio::spawn(write(writing, queued, Arc::clone(&waiting)));
        tokio::spawn(read(reading, waiting));
        asks(Rpc(queue), &answering, callers, number).await
    }
}

struct Ask {
    payload: Vec<u8>,
    answer: oneshot::Sender<Vec<u8>>,
}

/// The asks that were written, by number.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Vec<u8>>>>>;

#[derive(Clone)]
struct Rpc(mpsc::UnboundedSender<Ask>);

impl Echo for Rpc {
    async fn ask(&self, payload: Vec<u8>) -> Vec<u8> {
        let (answer, answered) = oneshot::channel();
        assert!(self.0.send(Ask { payload, answer }).is_ok(), "the writer runs");
        answered.await.expect("the reader runs")
    }
}

async fn write(mut stream: OwnedWriteHalf, mut queued: mpsc::UnboundedReceiver<Ask>, waiting: Waiting) {
    let (mut batch, mut out, mut next) = (Vec::with_capacity(BATCH), Vec::new(), 0);
    while queued.recv_many(&mut batch, BATCH).await > 0 {
        {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for Ask { payload, answer } in batch.drain(..) {
                append(&mut out, next, &payload);
                waiting.insert(next, answer);
                next += 1;
            }
        }
        stream.write_all(&out).await.expect("the other process lives");
        out.clear();
    }
}

async fn read(mut stream: OwnedReadHalf, waiting: Waiting) {
    let mut read = Vec::with_capacity(READ_BYTES);
    while stream.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut read, |number, payload| {
            let answer = waiting.remove(&number).expect("only what was asked is answered");
            // Its asker waits: none of them gives up.
            let _ = answer.send(payload.to_vec());
        });
    }
}
