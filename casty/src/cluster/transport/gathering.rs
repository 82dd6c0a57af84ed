//! Whether a writer lets others run before it writes.

use tokio::task::yield_now;

/// So many writes there are at most between two turns of which the first brought nothing.
const PAUSE_MAX: u32 = 127;

/// Lets other tasks run before a lane is written, while that brings more to write.
///
/// A writer that the first frame wakes comes before those who are about to send the next ones, on the same thread: it would
/// write each frame by itself. Where only one task sends, nothing is won by a turn, so each that brings nothing doubles the
/// writes until another is tried.
#[derive(Default)]
pub(super) struct Gathering {
    /// Writes from one turn to the next.
    pause: u32,
    /// Writes until the next turn.
    left: u32,
}

impl Gathering {
    /// Lets others run, if it is time. `queued` is how much there is to write.
    pub(super) async fn turn(&mut self, queued: impl Fn() -> usize) {
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        let before = queued();
        yield_now().await;
        self.pause = if queued() > before { 0 } else { (2 * self.pause + 1).min(PAUSE_MAX) };
        self.left = self.pause;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use super::*;

    /// After how many of `writes` others ran, if every turn brings `more`.
    async fn turns(gathering: &mut Gathering, writes: usize, more: usize) -> usize {
        let mut turns = 0;
        for _ in 0..writes {
            let queued = Cell::new(1);
            let mut turn = Box::pin(gathering.turn(|| queued.replace(queued.get() + more)));
            if turn.as_mut().now_or_never().is_none() {
                turns += 1;
                turn.await;
            }
        }
        turns
    }

    #[tokio::test]
    async fn others_run_before_each_write_while_they_bring_more_and_rarely_otherwise() {
        let mut gathering = Gathering::default();
        assert_eq!(turns(&mut gathering, 100, 1).await, 100);
        // After 1, 3, 7, 15, 31 and 63 writes between them.
        assert_eq!(turns(&mut gathering, 127, 0).await, 7);
        assert_eq!(turns(&mut gathering, 1280, 0).await, 10);
        assert_eq!(turns(&mut gathering, 128 + 100, 1).await, 101);
    }
}
