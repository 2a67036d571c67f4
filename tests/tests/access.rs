//! A daemon on a shared network: TLS, certificates of both sides, tokens and quotas, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::stream;
use interpret::{
    ClientError, Reason,
    audio::Pace,
    connect::{Connection, Credentials, Endpoint, connect},
    session::{Config, Listening, Session, Source, Target},
};
use interpret_proto::v1::GetCapacityRequest;
use interpret_tests::daemon_process::{DaemonProcess, program};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject as _},
    },
};

/// An authority, and what it has signed, as files.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let folder = TempDir::new()?;
        fs::write(folder.path().join("ca.pem"), issuer.pem())?;
        Ok(Self { folder, issuer })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs a certificate for `localhost`, into NAME.pem and NAME.key.
    fn sign(&self, name: &str) -> Result<()> {
        self.sign_until(name, 2100)
    }

    /// Signs one that is valid from 2020 until the beginning of a year.
    fn sign_until(&self, name: &str, year: i32) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer)?;
        fs::write(self.path(&format!("{name}.pem")), certificate.pem())?;
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem())?;
        Ok(())
    }

    fn credentials(&self) -> Credentials {
        Credentials {
            ca: Some(self.path("ca.pem")),
            ..Credentials::default()
        }
    }
}

/// Flags for a daemon with the certificate `server` of an authority.
fn tls_flags(authority: &Authority) -> Vec<String> {
    let path = |name: &str| authority.path(name).display().to_string();
    vec![
        "--tls-certificate".to_owned(),
        path("server.pem"),
        "--tls-key".to_owned(),
        path("server.key"),
    ]
}

async fn start(flags: &[String]) -> Result<DaemonProcess> {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    DaemonProcess::ready(&flags).await
}

/// The daemon's TCP address by name, since certificates are for names.
fn endpoint(daemon: &DaemonProcess, scheme: &str, credentials: Credentials) -> Result<Endpoint> {
    let address = daemon.tcp_address()?;
    let port = address.rsplit(':').next().context("a port")?;
    let endpoint: Endpoint = format!("{scheme}://localhost:{port}").parse()?;
    Ok(endpoint.with_credentials(credentials))
}

fn reason<T>(outcome: Result<T, ClientError>) -> Reason {
    match outcome {
        Err(ClientError::Refused { reason, .. }) => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("served"),
    }
}

fn config() -> Config {
    let language = |code: &str| code.parse().unwrap();
    Config::new(Source::Language(language("fr"))).target(Target::new(language("en")))
}

async fn session(connection: &Connection) -> Result<Session, ClientError> {
    open(connection, config()).await
}

/// Opens a room.
async fn speak(connection: &Connection, room: &str) -> Result<Session, ClientError> {
    open(connection, config().room(room)).await
}

async fn open(connection: &Connection, config: Config) -> Result<Session, ClientError> {
    // A session that stays open.
    Session::open(
        connection.clone(),
        config,
        stream::pending(),
        Pace::RealTime,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_both_sides_are_checked_and_read_again_when_they_change() -> Result<()> {
    let authority = Authority::new()?;
    authority.sign("server")?;
    let stranger = Authority::new()?;
    stranger.sign("client")?;
    authority.sign("client")?;
    let daemon = start(&tls_flags(&authority)).await?;
    let trusting = endpoint(&daemon, "https", authority.credentials())?;
    connect(&trusting).await?;
    for wrong in [
        endpoint(&daemon, "https", stranger.credentials())?,
        endpoint(&daemon, "https", Credentials::default())?,
        endpoint(&daemon, "http", Credentials::default())?,
    ] {
        let refused = connect(&wrong).await;
        assert!(
            matches!(
                refused,
                Err(ClientError::Unreachable { .. } | ClientError::Broken { .. })
            ),
            "{wrong}: {refused:?}"
        );
    }
    // A new certificate by another authority, while the daemon runs.
    stranger.sign("server")?;
    fs::copy(stranger.path("server.key"), authority.path("server.key"))?;
    fs::copy(stranger.path("server.pem"), authority.path("server.pem"))?;
    let renewed = endpoint(&daemon, "https", stranger.credentials())?;
    let begun = Instant::now();
    while connect(&renewed).await.is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // One that has expired is served, and believed by nobody; a daemon cannot know better than who renews it.
    stranger.sign_until("expired", 2021)?;
    fs::copy(stranger.path("expired.key"), authority.path("server.key"))?;
    fs::copy(stranger.path("expired.pem"), authority.path("server.pem"))?;
    signal(&daemon, "HUP")?;
    let begun = Instant::now();
    while let Ok(connected) = connect(&renewed).await {
        drop(connected);
        assert!(begun.elapsed() < Duration::from_secs(60), "it is believed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    fs::copy(stranger.path("server.key"), authority.path("server.key"))?;
    fs::copy(stranger.path("server.pem"), authority.path("server.pem"))?;
    signal(&daemon, "HUP")?;
    while connect(&renewed).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // One that is damaged changes nothing.
    fs::write(authority.path("server.pem"), "no certificate")?;
    signal(&daemon, "HUP")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    connect(&renewed).await?;
    assert!(daemon.log().contains("the old certificates stay in use"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_asks_for_certificates_serves_nobody_without() -> Result<()> {
    let authority = Authority::new()?;
    authority.sign("server")?;
    authority.sign("client")?;
    let stranger = Authority::new()?;
    stranger.sign("client")?;
    let mut flags = tls_flags(&authority);
    flags.extend([
        "--client-ca".to_owned(),
        authority.path("ca.pem").display().to_string(),
    ]);
    let daemon = start(&flags).await?;
    let with = |identity| Credentials {
        identity,
        ..authority.credentials()
    };
    let own = |of: &Authority| Some((of.path("client.pem"), of.path("client.key")));
    connect(&endpoint(&daemon, "https", with(own(&authority)))?).await?;
    authority.sign_until("client", 2021)?;
    for wrong in [None, own(&stranger), own(&authority)] {
        let refused = connect(&endpoint(&daemon, "https", with(wrong))?).await;
        assert!(refused.is_err(), "{refused:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_after_a_handshake_is_hung_up_on() -> Result<()> {
    let authority = Authority::new()?;
    authority.sign("server")?;
    let daemon = start(&tls_flags(&authority)).await?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority.path("ca.pem"))? {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(daemon.tcp_address()?).await?;
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect("localhost".try_into()?, stream)
        .await?;
    let mut settings = Vec::new();
    let hung_up = stream.read_to_end(&mut settings);
    // Reset or closed, both will do.
    let _ = tokio::time::timeout(Duration::from_secs(20), hung_up).await?;
    Ok(())
}

/// A session of so many seconds of silence, to its end.
async fn silence(connection: &Connection, seconds: usize) -> Result<(), ClientError> {
    let pieces = stream::iter((0..seconds).map(|_| Ok(vec![0.0; 16_000])));
    let mut session = Session::open(connection.clone(), config(), pieces, Pace::Fast).await?;
    while session.next().await?.is_some() {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_of_a_day_run_out_and_an_audit_log_says_who_used_them() -> Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("tokens.toml");
    // One after the other, sessions need no more than one place.
    let desk = token(
        "desk",
        &file,
        &["--minutes-per-day", "1", "--sessions", "1"],
    )?;
    let flags = ["--tokens".to_owned(), file.display().to_string()];
    let daemon = start(&flags).await?;
    let connection = connect(&endpoint(&daemon, "http", shows(&desk))?).await?;
    silence(&connection, 59).await?;
    silence(&connection, 2).await?;
    assert_eq!(reason(silence(&connection, 1).await), Reason::Quota);
    let log = daemon.log_lines();
    let audit = log
        .iter()
        .filter(|line| line["target"] == "interpretd::audit");
    let ended: Vec<_> = audit
        .map(|line| &line["fields"])
        .filter(|fields| fields["message"] == "ended")
        .collect();
    assert_eq!(ended.len(), 2, "{log:?}");
    for (fields, heard_s) in ended.iter().zip([59, 2]) {
        for (field, value) in [
            ("kind", "session"),
            ("caller", "desk"),
            ("languages", "fr to en"),
            ("code", "Ok"),
        ] {
            assert_eq!(fields[field], value, "{fields}");
        }
        assert_eq!(fields["heard_s"], heard_s, "{fields}");
    }
    Ok(())
}

/// Makes a token with `interpret token`.
fn token(name: &str, file: &Path, more: &[&str]) -> Result<String> {
    let output = Command::new(program("interpret")?)
        .args(["token", name, "--into"])
        .arg(file)
        .args(more)
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn shows(token: &str) -> Credentials {
    Credentials {
        token: Some(token.to_owned()),
        ..Credentials::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_open_the_daemon_as_far_as_their_quota_goes() -> Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("tokens.toml");
    let desk = token("desk", &file, &["--sessions", "1"])?;
    let hall = token("hall", &file, &["--room", "hall-*"])?;
    let old = token("old", &file, &["--expires", "2020-01-01T00:00:00Z"])?;
    let flags = ["--tokens".to_owned(), file.display().to_string()];
    let daemon = start(&flags).await?;
    for wrong in [Credentials::default(), shows("guess"), shows(&old)] {
        let refused = connect(&endpoint(&daemon, "http", wrong)?).await;
        assert_eq!(reason(refused), Reason::Unauthenticated);
    }
    let guest = connect(&endpoint(&daemon, "http", shows(&hall))?).await?;
    let joined = Listening::join(guest.clone(), "board-room", "en", true).await;
    assert_eq!(reason(joined), Reason::NotAllowed, "there or not");
    let joined = Listening::join(guest.clone(), "hall-1", "en", true).await;
    assert_eq!(reason(joined), Reason::NoRoom);
    assert_eq!(
        reason(speak(&guest, "board-room").await),
        Reason::NotAllowed
    );
    let speaker = speak(&guest, "hall-1").await?;
    drop(speaker);
    // The Unix socket is the daemon's own user's, who needs no token.
    let local: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let local = connect(&local).await?;
    let capacity = async || -> Result<_> {
        let answer = local
            .interpreter()
            .get_capacity(GetCapacityRequest {})
            .await?;
        Ok(answer.into_inner())
    };
    let begun = Instant::now();
    while capacity().await?.sessions > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is held");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let connection = connect(&endpoint(&daemon, "http", shows(&desk))?).await?;
    let first = session(&connection).await?;
    assert_eq!(reason(session(&connection).await), Reason::Quota);
    let capacity = capacity().await?;
    assert_eq!(capacity.sessions, 1);
    assert!(capacity.pressure >= 0.0 && capacity.pressure <= 1.0);
    drop(first);
    let begun = Instant::now();
    while session(&connection).await.is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the quota is not given back"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // A token that is taken out of the file, and one that is added, while the daemon runs.
    fs::remove_file(&file)?;
    let new = token("new", &file, &[])?;
    signal(&daemon, "HUP")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    connect(&endpoint(&daemon, "http", shows(&new))?).await?;
    let refused = connect(&endpoint(&daemon, "http", shows(&desk))?).await;
    assert_eq!(reason(refused), Reason::Unauthenticated);
    let log = daemon.log();
    for secret in [&desk, &new, &old] {
        assert!(!log.contains(secret.as_str()), "a token is in the log");
    }
    Ok(())
}

fn signal(daemon: &DaemonProcess, name: &str) -> Result<()> {
    let status = Command::new("kill")
        .args([format!("-{name}"), daemon.id().to_string()])
        .status()?;
    assert!(status.success());
    Ok(())
}

#[test]
fn a_daemon_never_opens_to_a_network_in_the_clear_unless_told_to() -> Result<()> {
    let interpretd = || -> Result<Command> {
        let mut command = Command::new(program("interpretd")?);
        command.args(["--listen", "0.0.0.0:0"]);
        Ok(command)
    };
    let output = interpretd()?.output()?;
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("in the clear") && said.contains("allow_plaintext"),
        "{said}"
    );
    // Files that are not there are named.
    let output = interpretd()?
        .args(["--tls-certificate", "no.pem", "--tls-key", "no.key"])
        .output()?;
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no.pem"));
    let mut told = interpretd()?.arg("--allow-plaintext").spawn()?;
    std::thread::sleep(Duration::from_millis(500));
    assert!(told.try_wait()?.is_none(), "it runs");
    told.kill()?;
    told.wait()?;
    Ok(())
}
