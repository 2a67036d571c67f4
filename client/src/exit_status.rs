//! What the exit code of `interpret` means. The same table is in `docs/exit-codes.md` and in
//! `interpret --help`; a test keeps the three equal.

use std::process::ExitCode;

/// How a run of `interpret` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// All is well.
    Ok = 0,
    /// Something that should not happen.
    Unexpected = 1,
    /// The command line asks for something that cannot be.
    Usage = 2,
    /// The input is no audio, or in a codec that cannot be decoded.
    InputNotAudio = 3,
    /// The input is cut short or damaged; what is there was interpreted.
    InputTruncated = 4,
    /// The input holds no sound.
    InputEmpty = 5,
    /// A language code that is not known.
    UnknownLanguage = 6,
    /// No model translates between these languages.
    NoModelForPair = 7,
    /// A model file is damaged.
    ModelCorrupt = 8,
    /// A model has not been fetched.
    ModelMissing = 9,
    /// No daemon answers at the address.
    ServerUnreachable = 10,
    /// The daemon is full or shutting down.
    ServerRefused = 11,
    /// The session broke in the middle; the files hold what came before.
    SessionFailed = 12,
    /// An output cannot be written.
    OutputFailed = 13,
    /// A download failed.
    DownloadFailed = 14,
    /// The input cannot be opened or read.
    InputUnreadable = 15,
    /// No microphone or loudspeaker, or it cannot be used.
    DeviceFailed = 16,
    /// Stopped by Ctrl-C; the files hold what came before.
    Interrupted = 130,
}

impl ExitStatus {
    /// Every status, by code.
    pub const ALL: [Self; 18] = [
        Self::Ok,
        Self::Unexpected,
        Self::Usage,
        Self::InputNotAudio,
        Self::InputTruncated,
        Self::InputEmpty,
        Self::UnknownLanguage,
        Self::NoModelForPair,
        Self::ModelCorrupt,
        Self::ModelMissing,
        Self::ServerUnreachable,
        Self::ServerRefused,
        Self::SessionFailed,
        Self::OutputFailed,
        Self::DownloadFailed,
        Self::InputUnreadable,
        Self::DeviceFailed,
        Self::Interrupted,
    ];

    /// The number the process exits with.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// One line for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "all is well",
            Self::Unexpected => "something unexpected",
            Self::Usage => "the command line asks for something that cannot be",
            Self::InputNotAudio => "the input is no audio, or in a codec that cannot be decoded",
            Self::InputTruncated => {
                "the input is cut short or damaged; what is there was interpreted"
            }
            Self::InputEmpty => "the input holds no sound",
            Self::UnknownLanguage => "a language code that is not known",
            Self::NoModelForPair => "no model translates between these languages",
            Self::ModelCorrupt => "a model file is damaged",
            Self::ModelMissing => "a model has not been fetched",
            Self::ServerUnreachable => "no daemon answers at the address",
            Self::ServerRefused => "the daemon is full or shutting down",
            Self::SessionFailed => {
                "the session broke in the middle; the files hold what came before"
            }
            Self::OutputFailed => "an output cannot be written",
            Self::DownloadFailed => "a download failed",
            Self::InputUnreadable => "the input cannot be opened or read",
            Self::DeviceFailed => "no microphone or loudspeaker, or it cannot be used",
            Self::Interrupted => "stopped by Ctrl-C; the files hold what came before",
        }
    }

    /// The table as `--help` shows it.
    #[must_use]
    pub fn help_table() -> String {
        let mut table = String::from("Exit codes:\n");
        for status in Self::ALL {
            table.push_str(&format!("{:>5}  {}\n", status.code(), status.meaning()));
        }
        table
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_table_is_this_table() {
        let written = include_str!("../../docs/exit-codes.md");
        for status in ExitStatus::ALL {
            let row = format!("| {} | {} |", status.code(), status.meaning());
            assert!(written.contains(&row), "docs/exit-codes.md lacks: {row}");
        }
        let rows = written
            .lines()
            .filter(|line| line.starts_with("| "))
            .count();
        assert_eq!(
            rows,
            ExitStatus::ALL.len() + 1,
            "one heading and one row a code"
        );
    }

    #[test]
    fn no_two_statuses_share_a_code() {
        let mut codes: Vec<u8> = ExitStatus::ALL.iter().map(|status| status.code()).collect();
        codes.dedup();
        assert!(codes.is_sorted() && codes.len() == ExitStatus::ALL.len());
    }
}
