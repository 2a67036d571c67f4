//! French, by rules in the order in which they must apply: the more a rule needs to see of the
//! text around a number, the earlier it comes.

mod amounts;
mod calendar;
mod numbers;
mod text;
mod words;

use std::sync::LazyLock;

use super::rules::{Rule, apply};

/// A number: thousands between spaces, a decimal comma (or points, as in "2.0").
const NUMBER: &str = r"\d{1,3}(?: \d{3})+\b(?:,\d+)?|\d+,\d+|\d+(?:\.\d+)*";

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules = text::addresses();
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
                "J'ai 3 chats et 71 chiens.",
                "J'ai trois chats et soixante et onze chiens.",
            ),
            ("Cela coûte 5 €.", "Cela coûte cinq euros."),
            (
                "Prix : 5,50 € ou 21 £",
                "Prix : cinq euros cinquante ou vingt et une livres",
            ),
            ("2,5 millions d'euros", "deux virgule cinq millions d'euros"),
            (
                "3 M€ et 2 milliards $",
                "trois millions d'euros et deux milliards de dollars",
            ),
            ("$20", "vingt dollars"),
            (
                "en 1999 et 2024",
                "en mille neuf cent quatre-vingt-dix-neuf et deux mille vingt-quatre",
            ),
            ("les années 90", "les années quatre-vingt-dix"),
            (
                "le 1er mai et le 1 juin 2020",
                "le premier mai et le premier juin deux mille vingt",
            ),
            (
                "le 14/07/1789",
                "le quatorze juillet mille sept cent quatre-vingt-neuf",
            ),
            ("2024-02-29", "vingt-neuf février deux mille vingt-quatre"),
            (
                "à 10h30, 14 h et 1 h 05",
                "à dix heures trente, quatorze heures et une heure cinq",
            ),
            ("à 21:15", "à vingt et une heures quinze"),
            ("12,5 % des voix", "douze virgule cinq pour cent des voix"),
            ("-5 °C", "moins cinq degrés Celsius"),
            (
                "1 km, 20 km/h, 1,5 kg",
                "un kilomètre, vingt kilomètres heure, un virgule cinq kilo",
            ),
            ("30 m² et 1 t", "trente mètres carrés et une tonne"),
            (
                "le 2e, la 1re, le 21ème et la 2nde",
                "le deuxième, la première, le vingt et unième et la seconde",
            ),
            (
                "au XIXe siècle, le XXIe",
                "au dix-neuvième siècle, le vingt et unième",
            ),
            (
                "Louis XIV et François Ier",
                "Louis quatorze et François premier",
            ),
            ("pages 10-15", "pages dix à quinze"),
            (
                "1 234 567 étoiles",
                "un million deux cent trente-quatre mille cinq cent soixante-sept étoiles",
            ),
            (
                "M. Dupont et Mme Martin",
                "monsieur Dupont et madame Martin",
            ),
            ("le Dr Ehud Ur, etc.", "le docteur Ehud Ur, et cetera."),
            ("n° 5", "numéro cinq"),
            (
                "appelez le 06 12 34 56 78",
                "appelez le zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit",
            ),
            (
                "écrivez à bob.lee@exemple.fr",
                "écrivez à bob point lee arobase exemple point fr",
            ),
            ("Tom & Lola", "Tom et Lola"),
            ("21 pages, 1 fois", "vingt et une pages, une fois"),
            (
                "la SNCF, l'ONU, la NASA, l'ADN",
                "la S N C F, l'ONU, la NASA, l'A D N",
            ),
            ("Daesh (ÉI)", "Daesh (E I)"),
            ("1/2 litre, 3/4", "un demi litre, trois quarts"),
            ("un A380", "un A trois cent quatre-vingts"),
            ("Windows 2.0", "Windows deux point zéro"),
            ("souris de 4 mois", "souris de quatre mois"),
            (
                "vers 300 av. J.-C., Rome",
                "vers trois cents avant Jésus-Christ, Rome",
            ),
        ] {
            assert_eq!(normalize(written, Dialect::French), said, "{written}");
        }
    }

    #[test]
    fn plain_text_stays() {
        for text in [
            "Bonjour, le monde ! Ça va ?",
            "« Aujourd'hui », dit-elle, il fait beau : allons-y.",
            "M. est une lettre, n'est-ce pas ?",
        ] {
            assert_eq!(normalize(text, Dialect::French), text);
        }
    }
}
