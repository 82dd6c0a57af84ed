//! What every store must do. A new one adds a line.

use bytes::Bytes;
use casty::storage::{EntityKey, EntityStoreError, StoredEntity};
use futures_util::future::join_all;

use super::support::Store;

fn key(id: &str) -> EntityKey {
    EntityKey { entity_type: "account".into(), id: id.into() }
}

fn row(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn load(store: &Store, key: &EntityKey) -> Option<StoredEntity> {
    store.load(key).await.unwrap()
}

async fn a_row_is_read_as_it_was_saved_last(store: Store) {
    let (alice, bob) = (key("alice"), key("bob's ünicode — 'quoted\\"));
    assert_eq!(load(&store, &alice).await, None);
    store.save(&alice, 0, row("one")).await.unwrap();
    store.save(&bob, 0, Bytes::from(vec![0; 100_000])).await.unwrap();
    store.save(&alice, 1, row("two")).await.unwrap();
    assert_eq!(load(&store, &alice).await, Some(StoredEntity { revision: 2, row: row("two") }));
    assert_eq!(load(&store, &bob).await, Some(StoredEntity { revision: 1, row: vec![0; 100_000].into() }));
    let other_type = EntityKey { entity_type: "journal".into(), ..alice };
    assert_eq!(load(&store, &other_type).await, None);
}

async fn only_the_expected_revision_is_replaced(store: Store) {
    let alice = key("alice");
    for (expected, taken) in [(1, false), (0, true), (0, false), (2, false), (1, true), (1, false), (u64::MAX, false)] {
        let saved = store.save(&alice, expected, row("row")).await;
        match saved {
            Ok(()) => assert!(taken, "revision {expected} was not there"),
            Err(EntityStoreError::Conflict) => assert!(!taken, "revision {expected} was there"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(load(&store, &alice).await.unwrap().revision, 2);
}

async fn of_many_that_save_at_once_one_does(store: Store) {
    for expected in 0..20 {
        let save = async |by: u8| store.save(&key("contended"), expected, Bytes::from(vec![by; 10])).await;
        let saved = join_all((0..8).map(save)).await;
        let winners: Vec<u8> = (0..8).zip(&saved).filter(|(_, saved)| saved.is_ok()).map(|(by, _)| by).collect();
        assert_eq!(winners.len(), 1, "{saved:?}");
        assert!(saved.iter().all(|saved| matches!(saved, Ok(()) | Err(EntityStoreError::Conflict))), "{saved:?}");
        let stored = load(&store, &key("contended")).await.unwrap();
        assert_eq!(stored, StoredEntity { revision: expected + 1, row: vec![winners[0]; 10].into() });
    }
}

async fn many_entities_are_saved_and_loaded_at_once(store: Store) {
    let keys: Vec<_> = (0..600).map(|n| key(&format!("user-{n}"))).collect();
    for revision in 0..3 {
        let saves = keys.iter().map(|key| store.save(key, revision, key.to_string().into()));
        assert!(join_all(saves).await.into_iter().all(|saved| saved.is_ok()));
        let loaded = join_all(keys.iter().map(|key| load(&store, key))).await;
        for (key, loaded) in keys.iter().zip(loaded) {
            assert_eq!(loaded, Some(StoredEntity { revision: revision + 1, row: key.to_string().into() }));
        }
    }
}

on_each_store! {
    a_row_is_read_as_it_was_saved_last
    only_the_expected_revision_is_replaced
    of_many_that_save_at_once_one_does
    many_entities_are_saved_and_loaded_at_once
}
