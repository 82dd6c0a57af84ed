//! `casty certs`: a development CA, and certificates for nodes.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use casty::Tls;
use casty::cluster::TlsError;
use clap::Args;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// What certificates to make.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The folder to write them to. A CA that is there already signs the new certificates
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A node: the DNS names and IP addresses under which it is dialled, the first of which names its files
    #[arg(long = "host", required = true, value_name = "NAME|IP[,..]")]
    hosts: Vec<String>,
    /// For how many days the certificates are valid
    #[arg(long, default_value_t = 365, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Overwrite what is there, the CA too
    #[arg(long)]
    force: bool,
}

/// The name of the CA. It is the same each time, so that the key is enough to sign with it again.
const CA_NAME: &str = "casty development CA";
/// The clocks of nodes may be behind by this.
const CLOCK_SKEW: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// No certificates were made, or not all.
#[derive(Debug, thiserror::Error)]
enum CertsError {
    #[error("`{}` is there already; --force overwrites it", .0.display())]
    Exists(PathBuf),
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot make a certificate for `{host}`: {source}")]
    Make { host: String, source: rcgen::Error },
    #[error("what was written cannot be used: {0}; --force makes the CA anew")]
    Useless(#[from] TlsError),
}

pub(crate) fn run(options: &Options) -> ExitCode {
    match make(options) {
        Ok(written) => {
            written.iter().for_each(|path| println!("wrote {}", path.display()));
            println!("{}", usage(options));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn make(options: &Options) -> Result<Vec<PathBuf>, CertsError> {
    let out = &options.out;
    fs::create_dir_all(out).map_err(|source| CertsError::Write { path: out.clone(), source })?;
    let (ca_cert, ca_key) = (out.join("ca.pem"), out.join("ca.key"));
    let mut written = Vec::new();
    let key = match fs::read_to_string(&ca_key) {
        Ok(pem) if !options.force => {
            KeyPair::from_pem(&pem).map_err(|source| CertsError::Make { host: CA_NAME.to_owned(), source })?
        }
        Err(source) if source.kind() != ErrorKind::NotFound => return Err(CertsError::Read { path: ca_key, source }),
        _ => {
            let key = new_key(CA_NAME)?;
            let cert = ca(options).self_signed(&key);
            let cert = cert.map_err(|source| CertsError::Make { host: CA_NAME.to_owned(), source })?;
            write(&ca_cert, &cert.pem(), false, options.force)?;
            write(&ca_key, &key.serialize_pem(), true, options.force)?;
            written.extend([ca_cert.clone(), ca_key]);
            key
        }
    };
    let issuer = Issuer::new(ca(options), key);
    for host in &options.hosts {
        let failed = |source| CertsError::Make { host: host.clone(), source };
        let key = new_key(host)?;
        let cert = node(host, options).and_then(|params| params.signed_by(&key, &issuer)).map_err(failed)?;
        let [cert_path, key_path] = files(out, host);
        write(&cert_path, &cert.pem(), false, options.force)?;
        write(&key_path, &key.serialize_pem(), true, options.force)?;
        Tls::from_pem(&ca_cert, &cert_path, &key_path).reload()?;
        written.extend([cert_path, key_path]);
    }
    Ok(written)
}

fn new_key(host: &str) -> Result<KeyPair, CertsError> {
    KeyPair::generate().map_err(|source| CertsError::Make { host: host.to_owned(), source })
}

fn ca(options: &Options) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = called(CA_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, options.days);
    params
}

/// A certificate for both ends of a link: a node dials, and is dialled.
fn node(host: &str, options: &Options) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = host.split(',').map(|name| name.trim().to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = called(first_name(host));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    valid_for(&mut params, options.days);
    Ok(params)
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn valid_for(params: &mut CertificateParams, days: u32) {
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - CLOCK_SKEW).into(), (now + DAY * days).into());
}

fn first_name(host: &str) -> &str {
    host.split(',').next().unwrap_or(host).trim()
}

/// The files of a node's certificate and key.
fn files(out: &Path, host: &str) -> [PathBuf; 2] {
    // The colons of an IPv6 address and the star of a wildcard are no good in the name of a file.
    let name = first_name(host).replace([':', '*', '/', '\\'], "_");
    ["pem", "key"].map(|extension| out.join(format!("{name}.{extension}")))
}

/// Writes a file that is not there, or replaces it. A key is for its owner alone from the first moment on.
fn write(path: &Path, pem: &str, private: bool, force: bool) -> Result<(), CertsError> {
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::AlreadyExists => CertsError::Exists(path.to_owned()),
        _ => CertsError::Write { path: path.to_owned(), source },
    };
    if force
        && let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(failed(error));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = private;
    options.open(path).and_then(|mut file| file.write_all(pem.as_bytes())).map_err(failed)
}

fn usage(options: &Options) -> String {
    let host = options.hosts.first().map_or("", String::as_str);
    let [cert, key] = files(&options.out, host);
    let ca = options.out.join("ca.pem");
    format!(
        "\nEach node needs ca.pem, its own certificate and its own key. On the node {}:\n\n    \
         ClusterConfig::new(\"{}:8001\").tls(Tls::from_pem({:?}, {cert:?}, {key:?}))\n\n\
         Keep ca.key to yourself: whoever has it can join the cluster. It is for development; in production, a CA of your \
         own signs the certificates.",
        first_name(host),
        first_name(host),
        ca,
    )
}
