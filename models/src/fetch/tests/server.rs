//! A small web server for tests: real sockets, one thread a connection.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Serves files by path, with ranges, and remembers what it was asked.
pub(super) struct Server {
    pub(super) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// How the server misbehaves.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    /// Close the connection after so many bytes of the first body.
    pub(super) cut_first_after: Option<usize>,
    /// Accept connections and never answer.
    pub(super) silent: bool,
    /// Ignore ranges.
    pub(super) no_ranges: bool,
}

impl Server {
    pub(super) fn start(files: &[(&str, &[u8])], faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let files: HashMap<String, Vec<u8>> = files
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
            .collect();
        let (files, asked) = (Arc::new(files), Arc::new(Mutex::new(Vec::new())));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, log) = (Arc::clone(&files), Arc::clone(&log));
                thread::spawn(move || serve(&stream, &files, &log, faults));
            }
        });
        Self { address, asked }
    }

    /// Requests for bodies so far, such as "/a.bin" or "/a.bin bytes=5-".
    pub(super) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let bodies = asked.iter().filter_map(|line| line.strip_prefix("GET "));
        bodies.map(ToOwned::to_owned).collect()
    }

    /// Requests of any kind, and connections that were never answered.
    pub(super) fn all(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(
    stream: &TcpStream,
    files: &HashMap<String, Vec<u8>>,
    log: &Mutex<Vec<String>>,
    faults: Faults,
) {
    if faults.silent {
        log.lock().unwrap().push("silence".to_owned());
        thread::park();
    }
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(request)) = lines.next() {
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let mut range = None;
        for header in lines.by_ref().map_while(Result::ok) {
            if header.is_empty() {
                break;
            }
            let header = header.to_ascii_lowercase();
            range = header
                .strip_prefix("range: ")
                .map(ToOwned::to_owned)
                .or(range);
        }
        let first = {
            let mut log = log.lock().unwrap();
            let asked = range
                .as_ref()
                .map_or(String::new(), |range| format!(" {range}"));
            log.push(format!("{method} {path}{asked}"));
            log.iter().filter(|line| line.starts_with("GET")).count() == 1
        };
        let range = range.filter(|_| !faults.no_ranges);
        let cut = faults.cut_first_after.filter(|_| first && method == "GET");
        let mut stream = stream;
        let answer = answer(files.get(path), range.as_deref());
        let body = if method == "HEAD" { &[][..] } else { &answer.1 };
        stream.write_all(answer.0.as_bytes()).unwrap();
        match cut {
            Some(cut) => {
                stream.write_all(&body[..cut]).unwrap();
                return;
            }
            None => stream.write_all(body).unwrap(),
        }
    }
}

fn answer(file: Option<&Vec<u8>>, range: Option<&str>) -> (String, Vec<u8>) {
    let Some(file) = file else {
        return (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
            vec![],
        );
    };
    let from = range.and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    let from: usize = from.unwrap_or(0);
    let (total, rest) = (file.len(), file[from..].to_vec());
    let status = match range {
        Some(_) => format!(
            "206 Partial Content\r\ncontent-range: bytes {from}-{}/{total}",
            total - 1
        ),
        None => "200 OK".to_owned(),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
        rest.len()
    );
    (head, rest)
}
