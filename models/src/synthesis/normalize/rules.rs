//! A rule: what it finds, what it says instead.

use regex::{Captures, Regex};

/// One replacement.
pub(super) struct Rule {
    find: Regex,
    say: fn(&Captures<'_>) -> String,
}

impl Rule {
    /// A rule for the pattern `find`.
    #[expect(
        clippy::expect_used,
        reason = "patterns are constants of this program; every test of a language compiles them"
    )]
    pub(super) fn new(find: &str, say: fn(&Captures<'_>) -> String) -> Self {
        Self {
            find: Regex::new(find).expect("a constant pattern compiles"),
            say,
        }
    }
}

/// Applies `rules` one after the other.
pub(super) fn apply(rules: &[Rule], text: &str) -> String {
    rules.iter().fold(text.to_owned(), |text, rule| {
        rule.find.replace_all(&text, rule.say).into_owned()
    })
}

/// The text of group `index`, empty where it took no part.
pub(super) fn group<'t>(captures: &'t Captures<'_>, index: usize) -> &'t str {
    captures.get(index).map_or("", |found| found.as_str())
}

/// What the rule found, unchanged.
pub(super) fn unchanged(captures: &Captures<'_>) -> String {
    group(captures, 0).to_owned()
}

/// What `table` says for `key`.
pub(super) fn look_up<V: Copy>(table: &[(&str, V)], key: &str) -> Option<V> {
    table
        .iter()
        .find(|(entry, _)| *entry == key)
        .map(|(_, value)| *value)
}

/// A pattern for any key of `table`, the longest first.
pub(super) fn any_of<V>(table: &[(&str, V)]) -> String {
    let mut keys: Vec<&str> = table.iter().map(|(key, _)| *key).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    let keys: Vec<String> = keys.into_iter().map(regex::escape).collect();
    format!("(?:{})", keys.join("|"))
}
