//! The stream: all rows into the entities, in order and pipelined, with nodes killed on the way; then all totals back.

use std::collections::BTreeSet;
use std::time::Duration;

use casty::base::{BoxError, GroupId, NodeId};
use futures_util::future::{FutureExt, LocalBoxFuture};
use indicatif::ProgressBar;
use tokio::time::Instant;

use super::error::FlightsError;
use super::fleet::Fleet;
use super::kills::{Kill, Moment, UNANSWERED_MIN, busiest};
use super::plant::Sending;
use super::pump::Pump;
use super::rows::Flight;
use super::summary::{Summaries, Summary};
use super::totals::AllTotals;

/// What was measured on the way.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// Messages that were sent and answered.
    pub messages: usize,
    /// From the first message to the last answer, without the time for which the stream stood still because a killed node
    /// had no successor yet.
    pub time: Duration,
    /// The longest time from a message to its answer.
    pub latency_max: Duration,
    /// The nodes that were killed.
    pub kills: Vec<Kill>,
}

/// Sends `sendings` in their order, with at most `window` of them unanswered, and kills a node at each of `moments`.
///
/// A kill waits for the successor of the last one: the stream stands still before its moment until the cluster is whole.
pub async fn stream(
    fleet: &mut impl Fleet,
    flights: &[Flight],
    sendings: &[Sending],
    moments: &[Moment],
    window: usize,
    progress: &ProgressBar,
) -> Result<Streamed, FlightsError> {
    let start = Instant::now();
    let mut pump = Pump::new();
    let mut watch = Watch { latency_max: Duration::ZERO, kills: Vec::new(), flights, progress };
    let mut moments = moments.iter().copied().peekable();
    let (mut is_whole, mut stood_still) = (true, Duration::ZERO);
    for (before, sending) in sendings.iter().enumerate() {
        if pump.len() >= window
            && let Some(answer) = pump.next().await
        {
            watch.answered(answer)?;
        }
        if let Some(answer) = pump.issue(ask(fleet, &flights[sending.row], *sending)) {
            watch.answered(answer)?;
        }
        let sent = before + 1;
        if !is_whole && moments.peek().is_some_and(|moment| sent >= moment.from) {
            watch.drain(&mut pump).await?;
            let idle = Instant::now();
            fleet.whole().await?;
            stood_still += idle.elapsed();
            is_whole = true;
        }
        if let Some(&moment) = moments.peek()
            && sent >= moment.from
        {
            // Answers that have come are taken first: only what is really on its way counts as unanswered.
            while let Some(answer) = pump.arrived() {
                watch.answered(answer)?;
            }
            if pump.len() >= UNANSWERED_MIN.min(window) || sent >= moment.latest {
                watch.kills.push(kill(fleet, pump.len())?);
                moments.next();
                is_whole = false;
            }
        }
    }
    watch.drain(&mut pump).await?;
    let time = start.elapsed().saturating_sub(stood_still);
    Ok(Streamed { messages: sendings.len(), time, latency_max: watch.latency_max, kills: watch.kills })
}

/// Asks every aircraft for its totals, with at most `window` of them unanswered.
pub async fn read_back(
    fleet: &impl Fleet,
    expected: &AllTotals,
    window: usize,
    progress: &ProgressBar,
) -> Result<Summaries, FlightsError> {
    let mut pump = Pump::new();
    let mut summaries = Summaries::new();
    let mut keep = |(tailnum, answer): (String, Result<Summary, BoxError>)| match answer {
        Ok(summary) => {
            progress.inc(1);
            summaries.insert(tailnum, summary);
            Ok(())
        }
        Err(source) => Err(FlightsError::ReadBack { tailnum, source }),
    };
    for (tailnum, totals) in expected {
        if pump.len() >= window
            && let Some(answer) = pump.next().await
        {
            keep(answer)?;
        }
        let reply = fleet.report(tailnum, totals.flights);
        let tailnum = tailnum.clone();
        if let Some(answer) = pump.issue(async move { (tailnum, reply.await) }) {
            keep(answer)?;
        }
    }
    while let Some(answer) = pump.next().await {
        keep(answer)?;
    }
    Ok(summaries)
}

struct Answer {
    sending: Sending,
    group: GroupId,
    issued: Instant,
    result: Result<u64, BoxError>,
}

fn ask(fleet: &impl Fleet, flight: &Flight, sending: Sending) -> LocalBoxFuture<'static, Answer> {
    let group = fleet.group_of(&flight.tailnum);
    let reply = fleet.depart(sending.ordinal, flight);
    let issued = Instant::now();
    async move { Answer { sending, group, issued, result: reply.await } }.boxed_local()
}

fn kill(fleet: &mut impl Fleet, unanswered: usize) -> Result<Kill, FlightsError> {
    let leaders = fleet.leaders();
    let (node, groups) = busiest(&leaders, &fleet.living()).ok_or_else(|| {
        let led: BTreeSet<&NodeId> = leaders.iter().filter_map(|(_, leader)| leader.as_ref()).collect();
        FlightsError::NobodyToKill { living: fleet.living(), leaders: led.into_iter().cloned().collect() }
    })?;
    let at = Instant::now();
    fleet.kill(&node)?;
    Ok(Kill::new(node, groups, unanswered, at))
}

struct Watch<'a> {
    latency_max: Duration,
    kills: Vec<Kill>,
    flights: &'a [Flight],
    progress: &'a ProgressBar,
}

impl Watch<'_> {
    /// Waits until everything is answered.
    async fn drain(&mut self, pump: &mut Pump<Answer>) -> Result<(), FlightsError> {
        while let Some(answer) = pump.next().await {
            self.answered(answer)?;
        }
        Ok(())
    }

    fn answered(&mut self, answer: Answer) -> Result<(), FlightsError> {
        let now = Instant::now();
        if let Err(source) = answer.result {
            let Sending { row, ordinal } = answer.sending;
            let tailnum = self.flights[row].tailnum.clone();
            return Err(FlightsError::Ask { row: row + 1, tailnum, ordinal, waited: now - answer.issued, source });
        }
        self.latency_max = self.latency_max.max(now - answer.issued);
        for kill in &mut self.kills {
            kill.answered(answer.group, answer.issued, now);
        }
        self.progress.inc(1);
        Ok(())
    }
}
