//! How text looks on the terminal.

use std::env;

use crossterm::style::{Attribute, ContentStyle, StyledContent};

/// Whether to style at all; `NO_COLOR` (<https://no-color.org>) turns it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    enabled: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What the speaker said.
    Source,
    /// Its translation.
    Translation,
    /// Source that may still change.
    TentativeSource,
    /// Translation that may still change.
    TentativeTranslation,
    /// Times, languages, notices.
    Margin,
}

impl Style {
    /// As the environment wishes.
    #[must_use]
    pub fn from_env() -> Self {
        Self::new(env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    /// With styling or without.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    /// `text` with the escape codes of its role.
    pub(super) fn paint(self, role: Role, text: &str) -> String {
        let attributes: &[Attribute] = match role {
            Role::Source | Role::Margin => &[Attribute::Dim],
            Role::Translation => &[Attribute::Bold],
            Role::TentativeSource => &[Attribute::Dim, Attribute::Italic],
            Role::TentativeTranslation => &[Attribute::Italic],
        };
        if !self.enabled || text.is_empty() {
            return text.to_owned();
        }
        let style = ContentStyle {
            attributes: attributes.into(),
            ..ContentStyle::default()
        };
        StyledContent::new(style, text).to_string()
    }
}
