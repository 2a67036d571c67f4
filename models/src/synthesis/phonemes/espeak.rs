//! espeak-ng as a separate process, one for each language, that lives as long as it is needed.
//!
//! espeak-ng is licensed under the GPL-3: it is only ever run as a program of its own. It reads one
//! line of text at a time and writes its phonemes, one line for each clause; a marker line sent
//! after each request tells where its answer ends.

use std::{
    ffi::OsStr,
    io::{self, Write},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::terminal::Terminal;

/// Phoneme input that is no word of any language, and what espeak-ng answers to it.
const MARKER: &str = "[[ZZZZ]]\n";
const MARKER_ANSWER: &str = "ʒʒʒʒ";
/// espeak-ng reads lines of less than 1000 bytes.
const LONGEST_LINE: usize = 900;
/// An answer takes milliseconds; a program silent for this long is broken.
const PATIENCE: Duration = Duration::from_secs(5);

/// espeak-ng does not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum EspeakError {
    #[error(
        "the program {program} is missing; it phonemises this language: install espeak-ng \
         (Debian, Ubuntu: `apt install espeak-ng`; Fedora: `dnf install espeak-ng`; macOS: \
         `brew install espeak-ng`)"
    )]
    Missing { program: String },
    #[error("the program {program} cannot be run: {reason}")]
    Start { program: String, reason: io::Error },
    #[error("espeak-ng stopped: {0}")]
    Stopped(io::Error),
    #[error("espeak-ng gave no answer for {} s", PATIENCE.as_secs())]
    Silent,
}

/// espeak-ng for one language. Started by the first request, started anew after it died.
#[derive(Debug)]
pub(super) struct Espeak {
    program: PathBuf,
    voice: &'static str,
    running: Option<Running>,
}

impl Espeak {
    /// The program `program` with its voice `voice`; nothing runs yet.
    pub(super) fn new(program: &Path, voice: &'static str) -> Self {
        Self {
            program: program.to_owned(),
            voice,
            running: None,
        }
    }

    /// IPA of `text`, one line; within a sound of several letters they are tied by '^'.
    ///
    /// A process that died since the last request costs nothing but its restart: the request is
    /// tried once more.
    pub(super) fn ipa(&mut self, text: &str) -> Result<String, EspeakError> {
        let mut clauses = Vec::new();
        for line in lines(text) {
            let answer = match self.ask(&line) {
                Err(EspeakError::Stopped(reason)) => {
                    tracing::warn!(voice = self.voice, %reason, "espeak-ng stopped; starting it anew");
                    self.ask(&line)?
                }
                answer => answer?,
            };
            clauses.extend(answer);
        }
        Ok(clauses.join(" "))
    }

    fn ask(&mut self, line: &str) -> Result<Vec<String>, EspeakError> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Running::start(&self.program, self.voice)?,
        };
        // Dropped, and so ended, when the request fails: its answer could come late.
        let answer = running.ask(line)?;
        self.running = Some(running);
        Ok(answer)
    }

    /// The process, where one runs.
    #[cfg(test)]
    pub(super) fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }
}

/// A running process.
#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    output: OwnedFd,
    unread: Vec<u8>,
}

impl Running {
    fn start(program: &Path, voice: &str) -> Result<Self, EspeakError> {
        let failed = |reason: io::Error| match reason.kind() {
            io::ErrorKind::NotFound => EspeakError::Missing {
                program: program.display().to_string(),
            },
            _ => EspeakError::Start {
                program: program.display().to_string(),
                reason,
            },
        };
        let terminal = Terminal::open().map_err(|errno| EspeakError::Start {
            program: program.display().to_string(),
            reason: errno.into(),
        })?;
        let mut child = Command::new(program)
            .args(["-q", "--ipa", "--tie=^", "-v", voice].map(OsStr::new))
            .stdin(Stdio::piped())
            .stdout(terminal.theirs)
            .stderr(Stdio::null())
            // Ctrl-C in the daemon's terminal must not end it while speech is still being made.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let input = child
            .stdin
            .take()
            .ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            child,
            input,
            output: terminal.ours,
            unread: Vec::new(),
        })
    }

    /// Sends one line and the marker; returns the clauses answered before the marker's answer.
    fn ask(&mut self, line: &str) -> Result<Vec<String>, EspeakError> {
        self.input
            .write_all(format!("{line}\n{MARKER}").as_bytes())
            .and_then(|()| self.input.flush())
            .map_err(EspeakError::Stopped)?;
        let deadline = Instant::now() + PATIENCE;
        let mut clauses = Vec::new();
        loop {
            let clause = self.read_line(deadline)?;
            if clause == MARKER_ANSWER {
                return Ok(clauses);
            }
            if !clause.is_empty() {
                clauses.push(clause);
            }
        }
    }

    fn read_line(&mut self, deadline: Instant) -> Result<String, EspeakError> {
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim().to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(EspeakError::Silent);
            }
            self.read_some(left)?;
        }
    }

    /// Waits at most `patience` for output.
    fn read_some(&mut self, patience: Duration) -> Result<(), EspeakError> {
        let patience = Timespec::try_from(patience).ok();
        let mut waited = [PollFd::new(&self.output, PollFlags::IN)];
        match poll(&mut waited, patience.as_ref()) {
            Ok(0) => return Err(EspeakError::Silent),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(EspeakError::Stopped(errno.into())),
        }
        let mut buffer = [0; 4096];
        match rustix::io::read(&self.output, &mut buffer) {
            // A terminal whose other end is closed reads as EIO on Linux, as the end elsewhere.
            Ok(0) | Err(Errno::IO) => {
                Err(EspeakError::Stopped(io::ErrorKind::UnexpectedEof.into()))
            }
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(EspeakError::Stopped(errno.into())),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `text` as lines that espeak-ng can take: short enough, no brackets (it reads phonemes between
/// double ones), no control characters.
fn lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: String = word
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '[' | ']'))
            .take(LONGEST_LINE / 4)
            .collect();
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < LONGEST_LINE => {
                if !line.is_empty() && !word.is_empty() {
                    line.push(' ');
                }
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn french() -> Espeak {
        Espeak::new(Path::new("espeak-ng"), "fr-fr")
    }

    #[test]
    fn one_process_answers_many_requests() {
        let mut espeak = french();
        assert_eq!(espeak.process_id(), None);
        assert_eq!(espeak.ipa("bonjour").unwrap(), "bɔ̃ʒˈuʁ");
        let first = espeak.process_id().unwrap();
        for _ in 0..20 {
            assert_eq!(espeak.ipa("le chat").unwrap(), "lə- ʃˈa");
            assert_eq!(espeak.ipa("…").unwrap(), "");
        }
        assert_eq!(espeak.process_id(), Some(first));
    }

    #[test]
    fn a_killed_process_is_replaced() {
        let mut espeak = french();
        espeak.ipa("bonjour").unwrap();
        let first = espeak.process_id().unwrap();
        espeak.running.as_mut().unwrap().child.kill().unwrap();
        espeak.running.as_mut().unwrap().child.wait().unwrap();
        assert_eq!(espeak.ipa("bonjour").unwrap(), "bɔ̃ʒˈuʁ");
        assert_ne!(espeak.process_id(), Some(first));
    }

    #[test]
    fn a_missing_program_tells_how_to_install_it() {
        let mut espeak = Espeak::new(Path::new("no-such-espeak"), "fr-fr");
        let error = espeak.ipa("bonjour").unwrap_err();
        assert!(matches!(error, EspeakError::Missing { .. }), "{error}");
        assert!(
            error.to_string().contains("apt install espeak-ng"),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_ends_is_an_error_not_a_hang() {
        let mut espeak = Espeak::new(Path::new("true"), "fr-fr");
        let error = espeak.ipa("bonjour").unwrap_err();
        assert!(matches!(error, EspeakError::Stopped(_)), "{error}");
    }

    #[test]
    fn text_cannot_speak_phoneme_input_or_break_the_line() {
        let mut espeak = french();
        let plain = espeak.ipa("ZZZZ").unwrap();
        assert_eq!(espeak.ipa("[[ZZZZ]]").unwrap(), plain);
        assert_eq!(
            espeak.ipa("un\n[[ZZZZ]]\ndeux").unwrap(),
            espeak.ipa("un ZZZZ deux").unwrap()
        );
        assert_eq!(espeak.ipa("bonjour").unwrap(), "bɔ̃ʒˈuʁ");
    }

    #[test]
    fn a_text_longer_than_a_line_is_not_cut() {
        let mut espeak = french();
        let answer = espeak.ipa(&"chat ".repeat(500)).unwrap();
        assert_eq!(answer.matches("ʃˈa").count(), 500);
    }
}
