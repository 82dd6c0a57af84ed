//! Writes what an outbox holds to a lane of a link.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::gathering::Gathering;
use super::outbox::{Lane, Outbox};
use crate::base::{Over, Patience};
use crate::cluster::Timings;
use crate::wire::{Kind, append};

/// Writes until the connection fails, or until the outbox is sealed and everything is written. The connection stays open then.
///
/// The first frame is a ping: a client's connection counts from its first frame on. An idle lane carries pings, each lane its own: a
/// connection of which one end has gone is found whichever it is.
pub(in crate::cluster) async fn write_frames<W>(io: &mut W, outbox: &Outbox, timings: &Timings) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let (mut batch, mut patience, mut gathering) = (Vec::new(), Patience::default(), Gathering::default());
    ping(&mut batch)?;
    write(io, &batch, &mut patience, timings).await?;
    loop {
        match patience.within(timings.ping_every, outbox.filled()).await {
            Ok(()) => {
                if outbox.lane() == Lane::Bulk {
                    gathering.turn(|| outbox.bytes()).await;
                }
                if !outbox.take(&mut batch) {
                    return Ok(());
                }
            }
            Err(Over) => ping(&mut batch)?,
        }
        write(io, &batch, &mut patience, timings).await?;
    }
}

/// Puts a ping into `batch`, in place of what is there.
fn ping(batch: &mut Vec<u8>) -> io::Result<()> {
    batch.clear();
    append(batch, Kind::PING, 0, |_| {}).map(drop).map_err(io::Error::other)
}

/// The time-out is for progress and not for the batch: a large one may take long on a slow network.
async fn write<W: AsyncWrite + Unpin>(
    io: &mut W,
    mut batch: &[u8],
    patience: &mut Patience,
    timings: &Timings,
) -> io::Result<()> {
    let stuck = |Over| io::Error::new(io::ErrorKind::TimedOut, format!("no byte left within {:?}", timings.write_max));
    while !batch.is_empty() {
        let written = patience.within(timings.write_max, io.write(batch)).await.map_err(stuck)??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        batch = batch.get(written..).unwrap_or_default();
    }
    patience.within(timings.write_max, io.flush()).await.map_err(stuck)?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::duplex;

    use super::*;
    use crate::wire::FrameReader;

    #[tokio::test(start_paused = true)]
    async fn an_idle_link_is_never_silent() {
        let (mut near, far) = duplex(1024);
        let (outbox, timings) = (Outbox::new(Lane::Bulk, Lane::Bulk.bounds()), Timings::default());
        let mut reader = FrameReader::new(far, 100);
        let reading = async {
            for _ in 0..20 {
                let frame = reader.next(timings.silence_max).await.unwrap().unwrap();
                assert_eq!(frame.0, Kind::PING);
            }
            outbox.seal();
        };
        let (written, ()) = tokio::join!(write_frames(&mut near, &outbox, &timings), reading);
        written.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_is_written_once_however_long_the_link_is_idle_after_it() {
        let (mut near, far) = duplex(1024);
        let (outbox, timings) = (Outbox::new(Lane::Bulk, Lane::Bulk.bounds()), Timings::default());
        outbox.push(Kind::RAFT, |_| {}).unwrap();
        let mut reader = FrameReader::new(far, 100);
        let reading = async {
            let mut kinds = Vec::new();
            for _ in 0..5 {
                kinds.push(reader.next(timings.silence_max).await.unwrap().unwrap().0);
            }
            outbox.seal();
            kinds
        };
        let (written, kinds) = tokio::join!(write_frames(&mut near, &outbox, &timings), reading);
        written.unwrap();
        assert_eq!(kinds, [Kind::PING, Kind::RAFT, Kind::PING, Kind::PING, Kind::PING]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_no_bytes_loses_its_link() {
        let (mut near, _far) = duplex(16);
        let (outbox, timings) = (Outbox::new(Lane::Bulk, Lane::Bulk.bounds()), Timings::default());
        outbox.push(Kind::RAFT, |out| out.extend_from_slice(&[0; 100])).unwrap();
        let stuck = tokio::time::timeout(Duration::from_secs(3), write_frames(&mut near, &outbox, &timings)).await;
        assert_eq!(stuck.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
