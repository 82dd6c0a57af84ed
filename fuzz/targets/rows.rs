#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| { casty::testkit::decoders::rows(bytes); });
