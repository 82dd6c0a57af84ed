//! Clients: programs that call a cluster without being nodes of it.

#![cfg(test)]

mod actors;
mod calls;
mod connecting;
mod gateways;
mod support;
