//! English, by rules in the order in which they must apply: the more a rule needs to see of the
//! text around a number, the earlier it comes.

mod amounts;
mod calendar;
mod numbers;
mod text;
mod words;

use std::sync::LazyLock;

use super::rules::{Rule, apply};

/// A number: thousands between commas, a decimal point.
const NUMBER: &str = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*";

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules = text::addresses();
    rules.extend(amounts::money());
    rules.extend(calendar::rules());
    rules.extend(amounts::rules());
    rules.extend(text::rules());
    rules
});

/// Applies every rule once.
pub(super) fn pass(text: &str) -> String {
    apply(&RULES, text)
}

#[cfg(test)]
mod tests {
    use crate::synthesis::{normalize::normalize, phonemes::Dialect};

    #[test]
    fn sentences_as_said() {
        for (written, said) in [
            (
                "I have 3 cats and 21 dogs.",
                "I have three cats and twenty-one dogs.",
            ),
            ("It costs $5.", "It costs five dollars."),
            (
                "It costs $1.50 or €2,000.",
                "It costs one dollar and fifty cents or two thousand euros.",
            ),
            (
                "a $2.5 million deal",
                "a two point five million dollars deal",
            ),
            ("£3bn", "three billion pounds"),
            ("50 USD", "fifty US dollars"),
            (
                "In 1999 and 2024",
                "In nineteen ninety-nine and twenty twenty-four",
            ),
            (
                "1500 people, 1200 ships",
                "fifteen hundred people, one thousand two hundred ships",
            ),
            (
                "the 1990s and the '80s",
                "the nineteen nineties and the eighties",
            ),
            (
                "On May 12, 2024, we",
                "On May twelfth, twenty twenty-four, we",
            ),
            (
                "on 3 Sept. 1939",
                "on the third of September nineteen thirty-nine",
            ),
            ("the 4th of July", "the fourth of July"),
            ("2024-02-29", "February twenty-ninth, twenty twenty-four"),
            ("12/25/2023", "December twenty-fifth, twenty twenty-three"),
            ("25/12/2023", "December twenty-fifth, twenty twenty-three"),
            ("at 10:30 pm", "at ten thirty p.m."),
            ("at 8:05 a.m. today", "at eight oh five a.m. today"),
            ("at 10:00", "at ten o'clock"),
            ("at 7pm", "at seven p.m."),
            ("about 12.5%", "about twelve point five percent"),
            (
                "-5 °C or 70°F",
                "minus five degrees Celsius or seventy degrees Fahrenheit",
            ),
            (
                "1 km, 20 km/h, 5 kg",
                "one kilometre, twenty kilometres per hour, five kilograms",
            ),
            ("30 m² of land", "thirty square metres of land"),
            (
                "the 1st, 22nd and 103rd",
                "the first, twenty-second and one hundred and third",
            ),
            ("pages 10-15", "pages ten to fifteen"),
            (
                "1,234,567 stars",
                "one million two hundred and thirty-four thousand five hundred and sixty-seven stars",
            ),
            (
                "Dr. Smith vs. Mr. Jones, etc.",
                "Doctor Smith versus Mister Jones, et cetera.",
            ),
            ("St. Paul's on Main St.", "Saint Paul's on Main Street."),
            ("fruit, e.g. apples", "fruit, for example apples"),
            ("Q&A", "Q and A"),
            ("No. 5 and #7", "number five and number seven"),
            (
                "Call 555-123-4567",
                "Call five five five, one two three, four five six seven",
            ),
            (
                "write to bob.lee@example.com",
                "write to bob dot lee at example dot com",
            ),
            (
                "see https://www.example.org/docs.",
                "see example dot org slash docs.",
            ),
            ("World War II", "World War Two"),
            ("Elizabeth II spoke", "Elizabeth the second spoke"),
            ("1/2 cup, ¾ full", "one half cup, three quarters full"),
            (
                "a 4-month-old A380",
                "a four-month-old A three hundred and eighty",
            ),
            ("version 1.2.3", "version one point two point three"),
            ("COVID-19", "COVID-nineteen"),
            ("24/7", "twenty-four seven"),
            ("CO₂", "CO two"),
            ("won 3:2", "won three to two"),
        ] {
            assert_eq!(
                normalize(written, Dialect::AmericanEnglish),
                said,
                "{written}"
            );
        }
    }

    #[test]
    fn plain_text_stays() {
        for text in [
            "Hello, world! How are you?",
            "It's a well-known \"fact\" (or so they say); I am.",
            "Call me at noon. Oct will do. May I?",
        ] {
            assert_eq!(normalize(text, Dialect::BritishEnglish), text);
        }
    }
}
