//! One task that keeps so many frames on their way: what the sockets alone cost. No program could call it from two places.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Competitor;
use super::frames::{READ_BYTES, answer, append, take};
use crate::meter::{Sample, Threads};
use crate::remote::asks::payload;
use crate::remote::processes::Answering;

pub(super) struct TcpBare;

impl Competitor for TcpBare {
    const NAME: &'static str = "tcp-bare";
    const ANSWERING: Threads = Threads::One;

    async fn answer(ready: impl FnOnce(String) + Send) {
        answer(ready).await;
    }

    async fn time(answering: Answering, callers: u64, number: u64) -> Sample {
        let mut stream = TcpStream::connect(&answering.way).await.expect("the other process listens");
        stream.set_nodelay(true).expect("it is a TCP stream");
        let (mut read, mut out) = (Vec::with_capacity(READ_BYTES), Vec::new());
        let (mut asked, mut answered) = (0, 0);
        let watch = answering.watch();
        while answered < number {
            while asked < number && asked - answered < callers {
                append(&mut out, asked, &payload(0, asked));
                asked += 1;
            }
            stream.write_all(&out).await.expect("the other process lives");
            out.clear();
            assert!(stream.read_buf(&mut read).await.expect("the other process lives") > 0, "it closed the connection");
            take(&mut read, |number, answer| {
                assert_eq!((number, answer), (answered, &payload(0, answered)[..]), "answers come in order");
                answered += 1;
            });
        }
        watch.per(number)
    }
}
