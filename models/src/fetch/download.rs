//! One file over HTTP, resumed where it stopped.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{
    checksum::Checksum,
    failure::Failure,
    http::{Http, unavailable},
    progress::{Observer, Task, Unit},
    space::check_space,
};

/// Times a connection may break in one download before the source is given up.
const BREAKS: u32 = 5;

/// What to download, and to where.
pub(crate) struct Download<'a> {
    pub(crate) url: Url,
    /// Sent as a bearer token.
    pub(crate) token: Option<&'a str>,
    pub(crate) size: Option<u64>,
    pub(crate) checksum: Option<Checksum>,
    /// The finished file. Unfinished it has ".part" at its end; it may then also stem from another
    /// source of the same content.
    pub(crate) to: PathBuf,
    pub(crate) what: String,
}

impl Download<'_> {
    /// Runs the download. The file is complete and its checksum right when this returns well;
    /// otherwise what was received is kept, unless it is wrong.
    pub(crate) async fn run(
        &self,
        http: &Http,
        observer: &Arc<dyn Observer>,
    ) -> Result<(), Failure> {
        if self.to.exists() {
            match self.verify(&self.to).await {
                Ok(()) => return Ok(()),
                Err(_) => remove(&self.to)?,
            }
        }
        let part = Self::part_of(&self.to);
        let resumed = length(&part) > 0;
        self.receive(&part, http, observer).await?;
        let verified = match self.verify(&part).await {
            Err(Failure::Wrong(_)) if resumed => {
                // The beginning may have come from elsewhere.
                remove(&part)?;
                self.receive(&part, http, observer).await?;
                self.verify(&part).await
            }
            verified => verified,
        };
        if let Err(failure) = verified {
            remove(&part)?;
            return Err(failure);
        }
        std::fs::rename(&part, &self.to).map_err(Failure::io("rename", &part))
    }

    /// The name that the unfinished file has.
    pub(crate) fn part_of(to: &Path) -> PathBuf {
        let mut name = to.to_owned().into_os_string();
        name.push(".part");
        name.into()
    }

    async fn verify(&self, path: &Path) -> Result<(), Failure> {
        match &self.checksum {
            Some(checksum) => checksum.verify(path).await,
            None => Ok(()),
        }
    }

    async fn receive(
        &self,
        part: &Path,
        http: &Http,
        observer: &Arc<dyn Observer>,
    ) -> Result<(), Failure> {
        http.reach(&self.url).await?;
        let mut task = None;
        let mut breaks = 0;
        loop {
            let have = length(part);
            if self.size.is_some_and(|size| size == have) {
                return Ok(());
            }
            if self.size.is_some_and(|size| size < have) {
                remove(part)?;
                continue;
            }
            let answer = match self.ask(http, have).await? {
                Some(answer) => answer,
                None => {
                    remove(part)?;
                    continue;
                }
            };
            let task = task.get_or_insert_with(|| {
                Task::begin(observer, self.what.clone(), Unit::Bytes, answer.total)
            });
            match answer.save(part, task).await {
                Ok(()) => return Ok(()),
                Err(failure @ Failure::Unavailable(_)) => {
                    breaks += 1;
                    if breaks > BREAKS {
                        return Err(failure);
                    }
                    tracing::debug!(url = %self.url, reason = failure.reason(), "resuming");
                    tokio::time::sleep(Duration::from_millis(200) * breaks).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Asks for what follows the first `have` bytes. None: what we have cannot be continued.
    async fn ask(&self, http: &Http, have: u64) -> Result<Option<Answer>, Failure> {
        let mut request = http.client().get(self.url.clone());
        if let Some(token) = self.token {
            request = request.bearer_auth(token);
        }
        if have > 0 {
            request = request.header(RANGE, format!("bytes={have}-"));
        }
        let response = request.send().await.map_err(|e| unavailable(&e))?;
        let (from, total) = match response.status() {
            StatusCode::PARTIAL_CONTENT => match content_range(&response) {
                Some((from, total)) if from == have => (from, total),
                _ => return Ok(None),
            },
            StatusCode::OK => (0, response.content_length()),
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(None),
            status => {
                return Err(Failure::Unavailable(format!(
                    "the server answered {status}"
                )));
            }
        };
        if let (Some(size), Some(total)) = (self.size, total)
            && size != total
        {
            return Err(Failure::Wrong(format!(
                "the file there has {total} bytes instead of {size}"
            )));
        }
        Ok(Some(Answer {
            response,
            from,
            total: total.or(self.size),
        }))
    }
}

/// A server's answer, whose body begins at byte `from` of a file of `total` bytes.
struct Answer {
    response: Response,
    from: u64,
    total: Option<u64>,
}

impl Answer {
    async fn save(mut self, part: &Path, task: &Task) -> Result<(), Failure> {
        if let Some(total) = self.total {
            check_space(part, total.saturating_sub(self.from))?;
        }
        let mut file = tokio::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(self.from == 0)
            .append(self.from > 0)
            .open(part)
            .await
            .map_err(Failure::io("open", part))?;
        let mut position = self.from;
        task.at(position);
        let received = loop {
            match self.response.chunk().await {
                Ok(Some(chunk)) => {
                    let written = file.write_all(&chunk).await;
                    written.map_err(Failure::io("write", part))?;
                    position += chunk.len() as u64;
                    task.at(position);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(unavailable(&error)),
            }
        };
        file.flush().await.map_err(Failure::io("write", part))?;
        received?;
        match self.total {
            Some(total) if position != total => Err(Failure::Unavailable(format!(
                "the connection ended after {position} of {total} bytes"
            ))),
            _ => Ok(()),
        }
    }
}

/// Start and total of "bytes 100-199/200".
fn content_range(response: &Response) -> Option<(u64, Option<u64>)> {
    let value = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some((from.parse().ok()?, total.parse().ok()))
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

fn remove(path: &Path) -> Result<(), Failure> {
    std::fs::remove_file(path).map_err(Failure::io("remove", path))
}
