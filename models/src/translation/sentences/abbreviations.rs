//! What a period, or a long sentence, needs to know about a language.

use crate::Language;

/// Word lists of one language. Matching is case-sensitive: "St." is an abbreviation, "st." not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// Abbreviations after which a sentence goes on: titles and the like.
    always: &'static [&'static str],
    /// Abbreviations only where a number follows ("No. 5", but "No. He left.").
    before_number: &'static [&'static str],
    /// Abbreviations that may also end a sentence ("Apple Inc. said", "at Apple Inc. It").
    sometimes: &'static [&'static str],
    /// Capitalised words that begin sentences but hardly names: they tell that a sentence ended
    /// after "sometimes", an acronym or an initial.
    starters: &'static [&'static str],
    /// Words before which a long sentence may be cut.
    conjunctions: &'static [&'static str],
}

/// How the word before a period bears on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Abbreviation,
    AbbreviationBeforeNumber,
    MayEndSentence,
}

impl Words {
    /// The lists of `language`; for languages without their own, what is common to many.
    pub(super) fn of(language: Language) -> &'static Self {
        match language.code() {
            "en" => &ENGLISH,
            "fr" => &FRENCH,
            _ => &GENERIC,
        }
    }

    pub(super) fn kind(&self, word: &str) -> Kind {
        let is_in = |list: &[&str]| list.contains(&word);
        if is_in(self.always) || is_in(GENERIC.always) {
            Kind::Abbreviation
        } else if is_in(self.before_number) || is_in(GENERIC.before_number) {
            Kind::AbbreviationBeforeNumber
        } else if is_in(self.sometimes) || is_in(GENERIC.sometimes) {
            Kind::MayEndSentence
        } else {
            Kind::Word
        }
    }

    pub(super) fn starts_sentence(&self, word: &str) -> bool {
        self.starters.contains(&word)
    }

    pub(super) fn is_conjunction(&self, word: &str) -> bool {
        self.conjunctions.contains(&word)
    }
}

#[rustfmt::skip]
static GENERIC: Words = Words {
    always: &[
        "Dr", "Dr.-Ing", "Prof", "St", "Mr", "Mrs", "Ms", "Mme", "Mlle", "vs", "cf", "Cf", "ca",
        "e.g", "E.g", "i.e", "I.e",
    ],
    before_number: &[
        "No", "no", "Nos", "nos", "Nr", "nr", "N", "n", "p", "P", "pp", "Vol", "vol", "Fig",
        "fig", "Art", "art", "Chap", "chap", "Ch", "ch", "tel", "Tel", "v", "t",
        "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec",
    ],
    sometimes: &["Inc", "Ltd", "Co", "Corp", "Jr", "Sr", "Bros", "Cie", "S.A"],
    starters: &[],
    conjunctions: &[],
};

#[rustfmt::skip]
static ENGLISH: Words = Words {
    always: &[
        "Messrs", "Mmes", "Rev", "Fr", "Hon", "Gen", "Lt", "Col", "Maj", "Capt", "Cpt", "Sgt",
        "Cpl", "Pvt", "Adm", "Cmdr", "Gov", "Sen", "Rep", "Pres", "Supt", "Det", "Insp", "Mt",
        "Ft", "viz", "approx", "Approx", "a.k.a",
    ],
    before_number: &["sec", "Sec", "ed", "Ave", "Rd", "ext", "Ext"],
    sometimes: &["Dept", "Univ", "Assn", "Ave", "Blvd", "Rd", "Ph.D", "M.D"],
    starters: &[
        "A", "After", "All", "Although", "An", "And", "Another", "Any", "As", "At", "Because",
        "Before", "Both", "But", "By", "Can", "Could", "Did", "Do", "Does", "During", "Each",
        "Even", "Every", "Finally", "First", "For", "From", "He", "Her", "Here", "His", "How",
        "However", "I", "If", "In", "Is", "It", "Its", "Just", "Last", "Later", "Let", "Many",
        "Maybe", "Meanwhile", "More", "Most", "My", "Nobody", "Not", "Now", "Of", "On", "Once",
        "One", "Or", "Our", "Perhaps", "Please", "She", "Since", "So", "Some", "Still", "Such",
        "Thank", "Thanks", "That", "The", "Their", "Then", "There", "These", "They", "This",
        "Those", "Though", "Through", "Thus", "To", "Today", "Under", "Until", "Was", "We",
        "Well", "Were", "What", "When", "Where", "Whether", "Which", "While", "Who", "Why",
        "Will", "With", "Would", "Yes", "Yet", "You", "Your",
    ],
    conjunctions: &[
        "after", "although", "and", "as", "because", "before", "but", "if", "or", "since", "so",
        "that", "though", "unless", "until", "when", "where", "whereas", "which", "while", "who",
        "yet",
    ],
};

#[rustfmt::skip]
static FRENCH: Words = Words {
    always: &[
        "M", "MM", "Mgr", "Pr", "Vve", "Mmes", "Mlles", "Mrs", "Gal", "Cdt", "Cap", "Lt", "Col",
        "env", "Env", "approx", "c.-à-d", "c-à-d", "p.ex", "p. ex", "ex", "Ste", "Sts", "Stes",
    ],
    before_number: &[
        "Janv", "janv", "févr", "Févr", "fév", "avr", "juil", "sept", "oct", "nov", "déc", "tél",
        "Tél", "réf", "Réf", "al", "éd", "col", "cap", "num",
    ],
    sometimes: &["av", "boul", "bd", "hab", "apr", "J.-C", "J-C", "Ets", "Sté"],
    starters: &[
        "À", "A", "Afin", "Ainsi", "Alors", "Après", "Au", "Aujourd", "Aussi", "Autre", "Aux",
        "Avant", "Avec", "Beaucoup", "Bien", "Bon", "C", "Car", "Ce", "Cela", "Celle", "Celui",
        "Cependant", "Ces", "Cet", "Cette", "Ceux", "Chaque", "Comme", "Comment", "D", "Dans",
        "De", "Depuis", "Des", "Donc", "Du", "Elle", "Elles", "En", "Enfin", "Ensuite", "Est",
        "Et", "Eux", "Il", "Ils", "J", "Je", "L", "La", "Là", "Le", "Les", "Leur", "Leurs",
        "Lors", "Lorsque", "Lui", "Ma", "Mais", "Malgré", "Merci", "Mes", "Mon", "N", "Ne",
        "Ni", "Non", "Nos", "Notre", "Nous", "On", "Or", "Ou", "Où", "Oui", "Par", "Parce",
        "Parfois", "Pas", "Pendant", "Personne", "Peut", "Plus", "Plusieurs", "Pour", "Pourquoi",
        "Pourtant", "Puis", "Puisque", "Qu", "Quand", "Que", "Quel", "Quelle", "Quelques",
        "Qui", "Quoi", "S", "Sa", "Sans", "Se", "Selon", "Ses", "Si", "Son", "Sous", "Sur", "Ta",
        "Te", "Tes", "Ton", "Tous", "Tout", "Toute", "Toutes", "Très", "Tu", "Un", "Une", "Vers",
        "Voici", "Voilà", "Vos", "Votre", "Vous", "Y",
    ],
    conjunctions: &[
        "afin", "alors", "après", "avant", "car", "comme", "donc", "dont", "et", "lorsque",
        "mais", "ni", "or", "ou", "où", "parce", "pendant", "pour", "puis", "puisque", "quand",
        "que", "qu", "qui", "si", "tandis",
    ],
};
