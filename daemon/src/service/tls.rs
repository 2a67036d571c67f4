//! TLS on the TCP address.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::config::Tls;

/// Certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("cannot use {path} for TLS: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The files do not belong together.
    #[error("the certificate, its key and the clients' authority cannot be used together: {0}")]
    Mismatch(String),
}

/// The daemon's identity, as its files say now.
#[derive(Debug)]
pub(super) struct Identity {
    files: Tls,
    current: RwLock<Arc<ServerConfig>>,
}

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read, holds something else, or they do not belong together.
    pub(super) fn read(files: &Tls) -> Result<Self, TlsError> {
        Ok(Self {
            current: RwLock::new(Arc::new(configure(files)?)),
            files: files.clone(),
        })
    }

    /// The files.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let Tls {
            certificate,
            key,
            client_ca,
        } = &self.files;
        [certificate, key]
            .into_iter()
            .chain(client_ca)
            .map(PathBuf::as_path)
    }

    /// Reads the files again, for connections from now on.
    ///
    /// # Errors
    /// As [`read`](Self::read); then everything is as before.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(configure(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Shows it to a client.
    ///
    /// # Errors
    /// When the handshake fails.
    pub(super) async fn shake(
        self: Arc<Self>,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        stream.set_nodelay(true)?;
        let current = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&current)
        };
        TlsAcceptor::from(current).accept(stream).await
    }
}

fn configure(files: &Tls) -> Result<ServerConfig, TlsError> {
    let mismatch = |error: &dyn std::fmt::Display| TlsError::Mismatch(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| mismatch(&e))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|e| mismatch(&e))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|e| mismatch(&e))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| unusable(&files.key, &e))?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|e| mismatch(&e))?;
    // gRPC is HTTP/2 (RFC 9113, section 3.2).
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|e| unusable(file, &e))?;
    if certificates.is_empty() {
        return Err(unusable(file, &"it holds no certificate"));
    }
    Ok(certificates)
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        why: why.to_string(),
    }
}
