//! Messages of one sender are handled in the order sent.

use super::probe::{Got, Seq, poll_times, soon, spawn};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_of_one_sender_stay_in_order_while_sends_are_cancelled() {
    const SENDS: u64 = 4_000;
    for capacity in [1, 2, 7, 1024] {
        let (_system, probe) = spawn(capacity).await;
        let senders: Vec<_> = (0..8)
            .map(|who| {
                let probe = probe.clone();
                tokio::spawn(async move {
                    let mut sent = 0;
                    for n in 1..=SENDS {
                        let polls = if n % 5 == 0 { n % 3 } else { u64::MAX };
                        if let Some(result) = poll_times(probe.send(Seq(who, n)), polls).await {
                            result.unwrap();
                            sent += 1;
                        }
                    }
                    sent
                })
            })
            .collect();
        let mut sent = 0;
        for sender in senders {
            sent += soon(sender).await.unwrap();
        }
        let got = probe.ask(Got).await.unwrap();
        // A cancelled send may have got in all the same, but none that was reported is missing.
        assert!(got >= sent && got <= 8 * SENDS, "{got} handled, {sent} reported");
    }
}
