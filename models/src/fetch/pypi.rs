//! Wheels of a Python package index, by the configuration of the machine's own pip.

use std::{collections::BTreeMap, path::Path};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use url::Url;

use super::{
    checksum::Checksum,
    client,
    failure::Failure,
    http::{Http, Route, unavailable},
    registry::Found,
};

/// A pip that runs here, and where it looks for packages.
#[derive(Debug, Clone)]
pub(crate) struct Pip {
    program: &'static [&'static str],
    pub(crate) route: Route,
    /// Base addresses of the simple repository API, in order; none where only pip itself will do.
    indexes: Vec<Url>,
}

const PROGRAMS: &[&[&str]] = &[
    &["python3", "-m", "pip"],
    &["pip3"],
    &["pip"],
    &["python", "-m", "pip"],
];

impl Pip {
    /// Finds pip and reads its configuration.
    pub(crate) async fn find() -> Result<Self, Failure> {
        for program in PROGRAMS {
            let Ok(configuration) = client::ask(program, &["config", "list"]).await else {
                continue;
            };
            let help = client::ask(program, &["help", "download"]).await?;
            return Ok(Self::configured(program, &configuration, &help));
        }
        Err(Failure::Unavailable(
            "pip is not installed (tried python3 -m pip, pip3 and pip)".to_owned(),
        ))
    }

    fn configured(program: &'static [&'static str], configuration: &str, help: &str) -> Self {
        let settings = settings(configuration);
        let setting = |key: &str| settings.get(key).map(String::as_str);
        let only_pip = setting("no-index").is_some_and(|value| value != "0" && value != "false");
        let first = setting("index-url").map(ToOwned::to_owned);
        let first = first.or_else(|| default_index(help));
        let more = setting("extra-index-url").unwrap_or_default();
        let all = first
            .iter()
            .map(String::as_str)
            .chain(more.split_whitespace());
        let indexes = all
            .filter_map(|index| Url::parse(&format!("{}/", index.trim_end_matches('/'))).ok())
            .filter(|index| !only_pip && matches!(index.scheme(), "http" | "https"));
        Self {
            program,
            route: Route {
                certificates: setting("cert").map(ToOwned::to_owned),
                proxy: setting("proxy").map(ToOwned::to_owned),
            },
            indexes: indexes.collect(),
        }
    }

    /// Finds a wheel in the indexes.
    pub(crate) async fn wheel(
        &self,
        http: &Http,
        name: &str,
        version: &str,
        tags: Option<&str>,
    ) -> Result<Found, Failure> {
        let mut last = Failure::Unavailable("pip is configured without a web index".to_owned());
        for index in &self.indexes {
            match look_up(http, index, name, version, tags).await {
                Ok(found) => return Ok(found),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// Lets pip download the wheel into `folder`, which is empty.
    pub(crate) async fn download(
        &self,
        name: &str,
        version: &str,
        tags: Option<&str>,
        folder: &Path,
    ) -> Result<(), Failure> {
        let (package, folder) = (format!("{name}=={version}"), folder.to_string_lossy());
        let mut arguments = vec!["download", "--quiet", "--no-deps", "--only-binary=:all:"];
        arguments.extend(["--dest", &folder]);
        let mut parts = tags.unwrap_or_default().splitn(3, '-');
        if let (Some(python), Some(abi), Some(platform)) =
            (parts.next(), parts.next(), parts.next())
            && let Some((implementation, python)) = python.split_at_checked(2)
        {
            arguments.extend([
                "--implementation",
                implementation,
                "--python-version",
                python,
            ]);
            arguments.extend(["--abi", abi, "--platform", platform]);
        }
        arguments.push(&package);
        client::run(self.program, &arguments).await.map(drop)
    }
}

/// The settings in `pip config list`, which writes "global.index-url='...'". What the environment
/// says (":env:") comes before a command's section, that before "global".
fn settings(configuration: &str) -> BTreeMap<String, String> {
    let mut ranked: BTreeMap<String, (u8, String)> = BTreeMap::new();
    for line in configuration.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let Some((section, key)) = key.rsplit_once('.') else {
            continue;
        };
        let rank = match section {
            ":env:" => 3,
            "download" => 2,
            "global" => 1,
            _ => continue,
        };
        let value = value.trim().trim_matches(['\'', '"']).replace("\\n", "\n");
        if ranked.get(key).is_none_or(|(known, _)| *known < rank) {
            ranked.insert(key.to_owned(), (rank, value));
        }
    }
    ranked
        .into_iter()
        .map(|(key, (_, value))| (key, value))
        .collect()
}

/// pip's help names the index it uses when none is configured: "(default https://...)".
fn default_index(help: &str) -> Option<String> {
    let words: Vec<&str> = help.split_whitespace().collect();
    let index = words.windows(2).find_map(|pair| {
        let address = pair[1].trim_end_matches([')', '.', ',']);
        (pair[0] == "(default" && address.starts_with("http")).then_some(address)
    })?;
    Some(index.to_owned())
}

async fn look_up(
    http: &Http,
    index: &Url,
    name: &str,
    version: &str,
    tags: Option<&str>,
) -> Result<Found, Failure> {
    http.reach(index).await?;
    let page = index
        .join(&format!("{}/", normalised(name)))
        .map_err(|e| Failure::Unavailable(e.to_string()))?;
    let request = http.client().get(page).header(
        ACCEPT,
        "application/vnd.pypi.simple.v1+json, text/html;q=0.1",
    );
    let response = request.send().await.map_err(|e| unavailable(&e))?;
    if !response.status().is_success() {
        return Err(Failure::Unavailable(format!(
            "the index {index} answered {} for {name}",
            response.status()
        )));
    }
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    let page = response.url().clone();
    let text = response.text().await.map_err(|e| unavailable(&e))?;
    let files = if json {
        let project: Project = serde_json::from_str(&text)
            .map_err(|e| Failure::Unavailable(format!("the index {index} answers badly: {e}")))?;
        project.files
    } else {
        links(&text)
    };
    let wanted = files
        .into_iter()
        .find(|file| is_wheel(&file.filename, name, version, tags))
        .ok_or_else(|| {
            Failure::Unavailable(format!(
                "the index {index} has no wheel {name} {version} ({})",
                tags.unwrap_or("py3-none-any")
            ))
        })?;
    Ok(Found {
        url: page
            .join(&wanted.url)
            .map_err(|e| Failure::Unavailable(e.to_string()))?,
        size: wanted.size,
        checksum: wanted.hashes.sha256.map(Checksum::Sha256),
    })
}

/// A project's page in the simple repository API (PEP 691).
#[derive(Deserialize)]
struct Project {
    files: Vec<WheelFile>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct WheelFile {
    filename: String,
    url: String,
    size: Option<u64>,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

/// The links of the API's older form (PEP 503), an HTML page.
fn links(html: &str) -> Vec<WheelFile> {
    let addresses = html.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    });
    addresses
        .map(|address| {
            let (url, fragment) = address.split_once('#').unwrap_or((address, ""));
            let path = url.split('?').next().unwrap_or(url);
            WheelFile {
                filename: path.rsplit('/').next().unwrap_or(path).to_owned(),
                url: url.replace("&amp;", "&"),
                size: None,
                hashes: Hashes {
                    sha256: fragment.strip_prefix("sha256=").map(ToOwned::to_owned),
                },
            }
        })
        .collect()
}

/// Whether `file` is the wheel NAME-VERSION-TAGS.whl.
fn is_wheel(file: &str, name: &str, version: &str, tags: Option<&str>) -> bool {
    let Some(stem) = file.strip_suffix(".whl") else {
        return false;
    };
    let Some((project, rest)) = stem.split_once('-') else {
        return false;
    };
    let Some(found) = rest.strip_prefix(version).and_then(|r| r.strip_prefix('-')) else {
        return false;
    };
    let right_tags = match tags {
        Some(tags) => found == tags,
        None => matches!(found, "py3-none-any" | "py2.py3-none-any"),
    };
    right_tags && normalised(project) == normalised(name)
}

/// A project's name as PEP 503 compares it.
fn normalised(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "  -i, --index-url <url>  Base URL of the Python Package Index (default\n \
        https://index.example/simple). This should point";

    #[test]
    fn pip_tells_its_default_index() {
        let pip = Pip::configured(PROGRAMS[0], "", HELP);
        assert_eq!(
            pip.indexes,
            ["https://index.example/simple/".parse().unwrap()]
        );
    }

    #[test]
    fn the_environment_comes_before_the_file() {
        let configuration = ":env:.index-url='https://env.example/simple/'\n\
            global.index-url='https://file.example/simple'\n\
            global.extra-index-url='https://a.example\\nhttps://b.example'\n\
            global.cert='/etc/ca.pem'\n";
        let pip = Pip::configured(PROGRAMS[0], configuration, HELP);
        let hosts: Vec<_> = pip.indexes.iter().filter_map(Url::host_str).collect();
        assert_eq!(hosts, ["env.example", "a.example", "b.example"]);
        assert_eq!(pip.route.certificates.as_deref(), Some("/etc/ca.pem"));
    }

    #[test]
    fn without_an_index_only_pip_itself_will_do() {
        let pip = Pip::configured(PROGRAMS[0], "global.no-index='true'\n", HELP);
        assert!(pip.indexes.is_empty());
    }

    #[test]
    fn old_indexes_answer_with_a_page_of_links() {
        let page = r#"<a href="../../a_b-1.0-py3-none-any.whl#sha256=00ff" data-x="y">a</a>"#;
        assert_eq!(
            links(page),
            [WheelFile {
                filename: "a_b-1.0-py3-none-any.whl".to_owned(),
                url: "../../a_b-1.0-py3-none-any.whl".to_owned(),
                size: None,
                hashes: Hashes {
                    sha256: Some("00ff".to_owned())
                },
            }]
        );
    }

    #[test]
    fn the_wheel_does_not_depend_on_the_python_here() {
        let tags = Some("cp311-cp311-manylinux_2_28_x86_64");
        let x86 = "onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl";
        assert!(is_wheel(x86, "onnxruntime", "1.32.0", tags));
        assert!(!is_wheel(x86, "onnxruntime", "1.32.0", None));
        assert!(!is_wheel(x86, "onnxruntime", "1.32", tags));
        assert!(is_wheel("A_b.c-1-py3-none-any.whl", "a-B_c", "1", None));
        assert!(!is_wheel("a-1.tar.gz", "a", "1", None));
    }
}
