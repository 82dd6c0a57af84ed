use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::{Mailbox, Overflow, Received, Refused};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn waker() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone(), wakes.into())
}

fn receive(mailbox: &Mailbox<u32>) -> (Poll<Received>, Vec<u32>) {
    let mut batch = Vec::new();
    let received = mailbox.poll_recv(&mut Context::from_waker(Waker::noop()), &mut batch);
    batch.reverse();
    (received, batch)
}

/// A sender that waits, and its ticket.
fn wait(mailbox: &Mailbox<u32>, msg: u32, waker: &Waker) -> Option<u64> {
    let (mut msg, mut ticket) = (Some(msg), None);
    assert!(mailbox.poll_send(&mut Context::from_waker(waker), &mut msg, &mut ticket).is_pending());
    assert!(msg.is_none() && ticket.is_some());
    ticket
}

#[test]
fn waiting_senders_are_let_in_first_come_first_served_and_nobody_passes_them() {
    let mailbox = Mailbox::new(2, Overflow::Wait);
    mailbox.try_send(1).unwrap();
    mailbox.try_send(2).unwrap();
    let (wakes, waker) = waker();
    let mut tickets: Vec<_> = (3..=5).map(|n| wait(&mailbox, n, &waker)).collect();
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), vec![1, 2]));
    assert_eq!(wakes.0.load(Ordering::SeqCst), 2, "only who got in is woken");
    assert_eq!(mailbox.try_send(9), Err(Refused::Full(9)));
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), vec![3, 4]));
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), vec![5]));
    for ticket in &mut tickets {
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(mailbox.poll_send(&mut cx, &mut None, ticket), Poll::Ready(Ok(())));
        assert_eq!(*ticket, None);
    }
    mailbox.try_send(6).unwrap();
}

#[test]
fn a_cancelled_sender_takes_its_message_back_unless_it_got_in() {
    let mailbox = Mailbox::new(1, Overflow::Wait);
    mailbox.try_send(1).unwrap();
    let (second, third) = (wait(&mailbox, 2, Waker::noop()), wait(&mailbox, 3, Waker::noop()));
    assert_eq!(second.and_then(|ticket| mailbox.cancel(ticket)), Some(2));
    assert_eq!(receive(&mailbox).1, [1]);
    assert_eq!(third.and_then(|ticket| mailbox.cancel(ticket)), None);
    assert_eq!(receive(&mailbox).1, [3]);
}

#[test]
fn the_last_cancelled_sender_restores_the_limit() {
    let mailbox = Mailbox::new(1, Overflow::Wait);
    mailbox.try_send(1).unwrap();
    let ticket = wait(&mailbox, 2, Waker::noop());
    ticket.and_then(|ticket| mailbox.cancel(ticket)).unwrap();
    assert_eq!(receive(&mailbox).1, [1]);
    mailbox.try_send(3).unwrap();
    assert_eq!(receive(&mailbox).1, [3]);
}

#[test]
fn a_closed_mailbox_gives_what_it_has_and_hands_back_what_waits() {
    let mailbox = Mailbox::new(1, Overflow::Wait);
    mailbox.try_send(1).unwrap();
    let (wakes, waker) = waker();
    let mut ticket = wait(&mailbox, 2, &waker);
    mailbox.close();
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert_eq!(mailbox.try_send(3), Err(Refused::Closed(Some(3))));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(mailbox.poll_send(&mut cx, &mut None, &mut ticket), Poll::Ready(Err(Refused::Closed(Some(2)))));
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), vec![1]));
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Closed), vec![]));
}

#[test]
fn stop_overtakes_what_is_queued() {
    let mailbox = Mailbox::new(4, Overflow::Wait);
    mailbox.try_send(1).unwrap();
    mailbox.stop();
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Stop), vec![]));
    assert_eq!(mailbox.take_left(), [1]);
}

#[test]
fn a_sleeping_receiver_is_woken_once_by_many_messages_and_by_its_newest_waker() {
    let mailbox = Mailbox::new(8, Overflow::Wait);
    let ((old, first), (new, second)) = (waker(), waker());
    let mut batch = Vec::new();
    for waker in [&first, &second] {
        assert!(mailbox.poll_recv(&mut Context::from_waker(waker), &mut batch).is_pending());
    }
    for n in 0..5 {
        mailbox.try_send(n).unwrap();
    }
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn a_mailbox_without_capacity_holds_one() {
    let mailbox = Mailbox::new(0, Overflow::Wait);
    mailbox.try_send(1).unwrap();
    assert_eq!(mailbox.try_send(2), Err(Refused::Full(2)));
}

#[test]
fn what_finds_no_room_is_dealt_with_as_was_chosen() {
    let cases = [
        (Overflow::Fail, Err(Refused::Full(3)), vec![1, 2]),
        (Overflow::DropNewest, Err(Refused::Displaced(3)), vec![1, 2]),
        (Overflow::DropOldest, Err(Refused::Displaced(1)), vec![2, 3]),
    ];
    for (overflow, outcome, left) in cases {
        for waits in [false, true] {
            let mailbox = Mailbox::new(2, overflow);
            mailbox.try_send(1).unwrap();
            mailbox.try_send(2).unwrap();
            let sent = match waits {
                true => mailbox.poll_send(&mut Context::from_waker(Waker::noop()), &mut Some(3), &mut None),
                false => Poll::Ready(mailbox.try_send(3)),
            };
            assert_eq!(sent, Poll::Ready(outcome.clone()), "{overflow:?}");
            assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), left.clone()), "{overflow:?}");
            mailbox.close();
            assert_eq!(mailbox.try_send(4), Err(Refused::Closed(Some(4))), "{overflow:?}");
        }
    }
}

#[test]
fn what_the_actor_sends_itself_always_finds_room() {
    let mailbox = Mailbox::new(1, Overflow::DropOldest);
    mailbox.push_own(1).unwrap();
    mailbox.push_own(2).unwrap();
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), vec![1, 2]));
    mailbox.close();
    assert_eq!(mailbox.push_own(3), Err(3));
}

#[test]
fn a_signal_overtakes_what_is_queued_and_wakes_who_sleeps() {
    let (wakes, waker) = waker();
    let mailbox = Mailbox::new(4, Overflow::Wait);
    assert!(mailbox.poll_recv(&mut Context::from_waker(&waker), &mut Vec::new()).is_pending());
    mailbox.signal();
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    mailbox.try_send(1).unwrap();
    assert_eq!(receive(&mailbox).0, Poll::Ready(Received::Signal));
    mailbox.take_signal();
    assert_eq!(receive(&mailbox), (Poll::Ready(Received::Batch), vec![1]));
    mailbox.signal();
    mailbox.stop();
    assert_eq!(receive(&mailbox).0, Poll::Ready(Received::Stop), "a stop overtakes a signal");
}
