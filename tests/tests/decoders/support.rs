//! Properties of every decoder.

use casty::testkit::decoders::Decoder;
use casty_tests::cabinet::decoders;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// Cases of each property for each decoder.
const CASES: u32 = 1_000;

/// Those whose bodies are a sequence, or end with what another decoder reads, or are of several forms: a part of one may be
/// another.
const OPEN_ENDED: &[&str] = &[
    "rows",
    "frame",
    "handshake",
    "gossip",
    "to_region",
    "to_router",
    "log_entry",
    "call",
    "answer",
    "published",
    "client_word",
    "relayed",
];

/// Whether no other body begins with a body of this decoder.
pub(crate) fn is_closed(decoder: &Decoder) -> bool {
    !OPEN_ENDED.contains(&decoder.name)
}

/// Checks a property of every decoder.
pub(crate) fn each<S: Strategy>(strategy: impl Fn(Decoder) -> S, check: impl Fn(&Decoder, S::Value)) {
    for decoder in decoders() {
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&strategy(decoder), |value| {
            check(&decoder, value);
            Ok(())
        });
        assert!(result.is_ok(), "{}: {}", decoder.name, result.unwrap_err());
    }
}

/// A sample of the decoder.
pub(crate) fn sample(decoder: Decoder) -> impl Strategy<Value = Vec<u8>> {
    proptest::sample::select((decoder.samples)())
}
