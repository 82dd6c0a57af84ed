//! Messages to oneself: by a timer, after silence, from a future: `cargo run --example 06_timers`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::{Duration, Instant};

use casty::Timer;
use casty::prelude::*;

#[message(local)]
#[derive(Clone)]
struct Beat;

#[message(local)]
#[derive(Clone)]
struct Silence;

#[message(local)]
struct Measured(f64);

/// Measures a temperature every 50 ms, and ends when nobody has asked for one for 300 ms.
struct Thermometer {
    began: Instant,
    latest: f64,
    end: Option<Timer>,
}

#[actor(local)]
impl Thermometer {
    fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        ctx.every(Duration::from_millis(50), Beat);
        Ok(())
    }

    /// The measuring takes a while. The actor does not wait for it: what comes of it is a message.
    #[handler]
    fn beat(&mut self, _: Beat, ctx: &mut Ctx<Self>) {
        ctx.pipe_to_self(measure(self.began.elapsed()), Measured);
    }

    #[handler]
    fn measured(&mut self, Measured(degrees): Measured) {
        self.latest = degrees;
    }

    /// Whoever asks puts the end off. A timer that was cancelled delivers nothing, even if it is due already.
    #[message]
    fn latest(&mut self, ctx: &mut Ctx<Self>) -> f64 {
        let next = ctx.after(Duration::from_millis(300), Silence);
        if let Some(last) = self.end.replace(next) {
            ctx.cancel(last);
        }
        self.latest
    }

    #[handler]
    fn silence(&mut self, _: Silence, ctx: &mut Ctx<Self>) {
        println!("nobody asked for 300 ms");
        ctx.stop();
    }
}

async fn measure(at: Duration) -> f64 {
    tokio::time::sleep(Duration::from_millis(10)).await;
    20.0 + at.as_secs_f64()
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("weather");
    let thermometer = system.spawn(Thermometer { began: Instant::now(), latest: f64::NAN, end: None }).await?;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        println!("{:.1} degrees", thermometer.latest().await?);
    }
    thermometer.stopped().await;
    system.shutdown().await;
    Ok(())
}
