//! Entities that are kept in stores outside of the cluster.

#![cfg(test)]

/// Makes each of these functions, which take a store, a test of every store that there is here.
macro_rules! on_each_store {
    ($($case:ident)*) => {
        on_each_store!(@ memory $($case)*);
        on_each_store!(@ sqlite $($case)*);
        on_each_store!(@ postgres $($case)*);
    };
    (@ $store:ident $($case:ident)*) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some((_place, store)) = crate::support::$store().await {
                    super::$case(store).await;
                }
            })*
        }
    };
}

mod contract;
mod faults;
mod kept;
mod owners;
mod postgres;
mod support;
mod tls;
mod wire;
