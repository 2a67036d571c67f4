//! What a client shows to a daemon, and what it asks of it.

use std::{fmt, path::PathBuf};

use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{Certificate, ClientTlsConfig, Identity, Uri},
};

use crate::error::ClientError;

/// What is shown to a daemon over TCP, and asked of it.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The bearer token that the daemon knows us by.
    pub token: Option<String>,
    /// File (PEM) with the certificates that the daemon's must be signed by; without it, those that
    /// the system trusts.
    pub ca: Option<PathBuf>,
    /// Files (PEM) with our own certificate chain and its key, where the daemon asks for them.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for Credentials {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("ca", &self.ca)
            .field("identity", &self.identity)
            .finish()
    }
}

impl Credentials {
    /// How to speak TLS with a daemon at `uri`; none where it speaks none.
    ///
    /// # Errors
    /// Where a file cannot be read, or files are given and the address is not https.
    pub(super) fn tls(&self, uri: &Uri) -> Result<Option<ClientTlsConfig>, ClientError> {
        if uri.scheme_str() != Some("https") {
            if self.ca.is_some() || self.identity.is_some() {
                return Err(ClientError::Usage(format!(
                    "certificates are given, but {uri} speaks no TLS; write https://"
                )));
            }
            return Ok(None);
        }
        let mut tls = ClientTlsConfig::new();
        tls = match &self.ca {
            Some(file) => tls.ca_certificate(Certificate::from_pem(read(file)?)),
            None => tls.with_native_roots(),
        };
        if let Some((certificate, key)) = &self.identity {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(Some(tls))
    }
}

fn read(file: &PathBuf) -> Result<Vec<u8>, ClientError> {
    std::fs::read(file)
        .map_err(|error| ClientError::Usage(format!("cannot read {}: {error}", file.display())))
}

/// Adds a token to every call.
#[derive(Clone, Default)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl fmt::Debug for Bearer {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bearer").field(&self.0.is_some()).finish()
    }
}

impl Bearer {
    pub(super) fn new(token: Option<&str>) -> Result<Self, ClientError> {
        let Some(token) = token else {
            return Ok(Self(None));
        };
        let value: Result<MetadataValue<Ascii>, _> = format!("Bearer {}", token.trim()).parse();
        let mut value = value.map_err(|_| {
            ClientError::Usage("the token holds characters that no token has".to_owned())
        })?;
        // Kept out of logs and header compression.
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Endpoint;

    fn remote(address: &str, token: &str) -> Result<Bearer, ClientError> {
        let credentials = Credentials {
            token: Some(token.to_owned()),
            ..Credentials::default()
        };
        match address.parse::<Endpoint>()?.with_credentials(credentials) {
            Endpoint::Remote(remote) => remote.bearer(),
            _ => panic!("{address} is not remote"),
        }
    }

    #[test]
    fn a_token_never_travels_in_the_clear_nor_into_a_log() {
        assert!(remote("https://desk.example:1", "secret").is_ok());
        assert!(remote("localhost:1", "secret").is_ok());
        assert!(matches!(
            remote("desk.example:1", "secret"),
            Err(ClientError::Usage(_))
        ));
        let shown = format!("{:?}", remote("localhost:1", "secret").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
        let credentials = Credentials {
            token: Some("secret".to_owned()),
            ..Credentials::default()
        };
        assert!(!format!("{credentials:?}").contains("secret"));
    }

    #[test]
    fn certificates_without_tls_are_a_mistake() {
        let credentials = Credentials {
            ca: Some("ca.pem".into()),
            ..Credentials::default()
        };
        let uri: Uri = "http://localhost:1".parse().unwrap();
        assert!(matches!(credentials.tls(&uri), Err(ClientError::Usage(_))));
    }
}
