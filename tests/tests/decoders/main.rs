//! Bytes from the network: what decodes means one thing, and nothing else gets through. The decoders assert it themselves.

#![cfg(test)]

mod damaged;
mod foreign;
mod support;
