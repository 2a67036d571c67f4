//! How a failure is told to a person.

use std::{
    error::Error,
    io::{self, Write},
};

use super::models;
use crate::{
    error::{ClientError, model_status},
    exit_status::ExitStatus,
};

/// Why a command failed: exit code, causes, advice.
#[derive(Debug)]
pub struct Failure {
    status: ExitStatus,
    error: anyhow::Error,
    advice: Option<String>,
    /// What went wrong besides.
    others: Vec<Failure>,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(status: ExitStatus, error: impl Into<anyhow::Error>) -> Self {
        Self {
            status,
            error: error.into(),
            advice: None,
            others: Vec::new(),
        }
    }

    /// Says what the person can do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Joins several: the first decides on the exit code, all are printed.
    #[must_use]
    pub fn first_of(failures: Vec<Self>) -> Option<Self> {
        let mut failures = failures.into_iter();
        let mut first = failures.next()?;
        first.others.extend(failures);
        Some(first)
    }

    /// The exit code.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if self.status == ExitStatus::Ok {
            return Ok(());
        }
        writeln!(out, "error: {}", self.error)?;
        let mut said = self.error.to_string();
        let mut cause: Option<&dyn Error> = self.error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Transport errors like to repeat the one above them.
            if !text.is_empty() && !said.contains(&text) {
                writeln!(out, "  because: {text}")?;
                said = text;
            }
            cause = error.source();
        }
        if let Some(advice) = &self.advice {
            writeln!(out, "  try: {advice}")?;
        }
        self.others.iter().try_for_each(|other| other.write(out))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let (status, advice) = (error.exit_status(), error.advice());
        Self {
            status,
            error: error.into(),
            advice,
            others: Vec::new(),
        }
    }
}

impl From<models::Error> for Failure {
    fn from(error: models::Error) -> Self {
        let status = match &error {
            models::Error::Model(error) => model_status(error),
            models::Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitStatus::Ok
            }
            models::Error::Output(_) => ExitStatus::OutputFailed,
        };
        // Model errors say themselves what to run.
        Self::new(status, error)
    }
}

/// Prints a failure to standard error.
pub fn print_failure(failure: &Failure) {
    // Nobody is left to tell if standard error is gone.
    let _ = failure.write(&mut io::stderr().lock());
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn error_cause_and_advice_each_have_their_line() {
        let output = ClientError::Output {
            path: PathBuf::from("out.wav"),
            source: io::ErrorKind::StorageFull.into(),
        };
        let failures = vec![output.into(), ClientError::ShutDown.into()];
        let failure = Failure::first_of(failures).unwrap();
        assert_eq!(failure.status(), ExitStatus::OutputFailed);
        let mut text = Vec::new();
        failure.write(&mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "error: cannot write out.wav\n  because: no storage space\n  \
             try: free some space on that disk; the other outputs are complete\n\
             error: the daemon shut down in the middle of the session\n"
        );
    }
}
