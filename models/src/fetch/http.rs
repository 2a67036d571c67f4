//! HTTP clients, and the memory of hosts that cannot be reached.

use std::{error::Error, path::Path, time::Duration};

use reqwest::{Certificate, Client, Proxy};
use url::Url;

use super::{failure::Failure, once::Once};

/// To open a connection.
const CONNECT: Duration = Duration::from_secs(4);
/// For a host to answer at all; with [`CONNECT`] in it. A dead host costs this once in a run.
const PROBE: Duration = Duration::from_secs(5);
/// Without a byte received.
const SILENCE: Duration = Duration::from_secs(30);

/// How one kind of source is reached: what its own client is configured to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// A PEM file with certificates to trust besides the system's.
    pub(crate) certificates: Option<String>,
    /// A proxy for all requests; none: what the environment says.
    pub(crate) proxy: Option<String>,
}

/// An HTTP client that asks each host once whether it is there.
pub(crate) struct Http {
    client: Client,
    hosts: Once<String, Result<(), Failure>>,
}

impl Http {
    pub(crate) fn new(route: &Route) -> Result<Self, Failure> {
        // Fails only if the program chose another one before, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("interpretd/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        if let Some(path) = &route.certificates {
            builder = builder.tls_certs_merge(read_certificates(Path::new(path))?);
        }
        if let Some(proxy) = &route.proxy {
            builder = builder.proxy(Proxy::all(proxy).map_err(|e| unavailable(&e))?);
        }
        Ok(Self {
            client: builder.build().map_err(|e| unavailable(&e))?,
            hosts: Once::new(),
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the host of `url` answers. Asked once for each host; at most [`PROBE`].
    pub(crate) async fn reach(&self, url: &Url) -> Result<(), Failure> {
        let origin = url.origin().ascii_serialization();
        self.hosts
            .get(origin.clone(), || async move {
                let request = self.client.head(&origin).timeout(PROBE).send();
                match request.await {
                    Ok(_) => Ok(()),
                    Err(error) => {
                        tracing::debug!(%origin, %error, "host does not answer");
                        Err(unavailable(&error))
                    }
                }
            })
            .await
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let pem = std::fs::read(path).map_err(Failure::io("read", path))?;
    Certificate::from_pem_bundle(&pem).map_err(|e| unavailable(&e))
}

/// reqwest's own message leaves out the reason, which is in the chain below it.
pub(crate) fn unavailable(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Unavailable("no answer in time".to_owned());
    }
    let mut reason: &dyn Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Failure::Unavailable(match error.status() {
        Some(status) => format!("the server answered {status}"),
        None if error.is_connect() => format!("cannot connect: {reason}"),
        None => reason.to_string(),
    })
}
