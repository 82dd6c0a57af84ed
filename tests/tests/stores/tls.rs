//! A server of PostgreSQL that is reached with TLS.

use bytes::Bytes;
use casty::storage::{EntityKey, EntityStore, EntityStoreError, PostgresStore, StoredEntity};
use casty_tests::cluster::DEADLINE;
use casty_tests::postgres::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate this CA has signed.
async fn server(authority: &Authority) -> Option<Postgres> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    spawn_blocking(move || Postgres::start_with_tls(&certificate.pem(), &key.serialize_pem())).await.unwrap()
}

/// Connects, and trusts what this CA has signed.
async fn connect(server: &Postgres, trusted: &Authority) -> Result<PostgresStore, EntityStoreError> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let settings: Config = format!("{} sslmode=require", server.settings_of_port()).parse().unwrap();
    PostgresStore::connect_with(settings, MakeRustlsConnect::new(tls)).await
}

#[tokio::test]
async fn entities_are_kept_in_a_server_that_takes_no_connection_without_tls() {
    let authority = authority();
    let Some(server) = server(&authority).await else { return };
    let plaintext = PostgresStore::connect(&server.settings_of_port()).await.unwrap_err();
    assert!(plaintext.to_string().contains("no encryption"), "{plaintext}");
    let store = connect(&server, &authority).await.unwrap();
    let key = EntityKey { entity_type: "account".into(), id: "a".into() };
    let row = Bytes::from("a row");
    store.save(&key, 0, row.clone()).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap(), Some(StoredEntity { revision: 1, row }));
    server.stop("immediate");
    server.go_on();
    let again = Bytes::from("another row");
    let saved = async { while store.save(&key, 1, again.clone()).await.is_err() {} };
    timeout(DEADLINE, saved).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap(), Some(StoredEntity { revision: 2, row: again }), "it connects again");
}

#[tokio::test]
async fn a_server_whose_certificate_another_ca_has_signed_is_refused() {
    let Some(server) = server(&authority()).await else { return };
    let refused = connect(&server, &authority()).await.unwrap_err();
    assert!(matches!(refused, EntityStoreError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("certificate"), "{refused}");
}
