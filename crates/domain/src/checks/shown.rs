//! What of a text can be seen.
//!
//! Two names that look alike must not be two names, and a name must show something. But letters
//! are not the only honest characters: Persian writes with zero-width non-joiners, Sinhala and
//! families of emoji with joiners, Japanese names and emoji with variation selectors, and a number
//! that is copied out of a telephone's contacts comes between embeddings. So:
//! - what shows nothing is taken off both ends ([`trim`]), wherever a text is trimmed;
//! - inside a name, what shows nothing is refused, save joiners, marks, selectors and tags after a
//!   character that can have them;
//! - what reorders the text around it is refused inside every text.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// What a character does to what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It is seen.
    Visible,
    /// Space, or the end of a line.
    Space,
    /// It changes the order of what stands around it, as far as the eye can tell.
    Reordering,
    /// Shapes or orders its neighbours, and belongs into some scripts: after a letter of theirs.
    Joiner,
    /// Chooses a form of the character before it.
    Selector,
    /// Part of the flag of a region, after a black flag.
    Tag,
    /// Nothing is seen, and nothing happens.
    Nothing,
}

const BLACK_FLAG: char = '\u{1F3F4}';

fn kind(c: char) -> Kind {
    match c {
        c if c.is_whitespace() => Kind::Space,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Kind::Reordering,
        // Joiners, and the marks that stand for a letter of a direction.
        '\u{200C}' | '\u{200D}' | '\u{200E}' | '\u{200F}' | '\u{061C}' => Kind::Joiner,
        '\u{180B}'..='\u{180D}'
        | '\u{180F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}' => Kind::Selector,
        '\u{E0020}'..='\u{E007F}' => Kind::Tag,
        // The blank of Braille, the fillers of Hangul, vowels of Khmer that are not written, and
        // the joiner of graphemes: letters, symbols and marks by category.
        '\u{2800}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{3164}' | '\u{FFA0}' => Kind::Nothing,
        // Signs over numbers, which are of the category of formats and are seen.
        '\u{0600}'..='\u{0605}'
        | '\u{06DD}'
        | '\u{070F}'
        | '\u{0890}'
        | '\u{0891}'
        | '\u{08E2}'
        | '\u{110BD}'
        | '\u{110CD}' => Kind::Visible,
        c => match c.general_category() {
            GeneralCategory::Format | GeneralCategory::Control => Kind::Nothing,
            _ => Kind::Visible,
        },
    }
}

/// A text without what shows nothing at its ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    let is_blank = |c: char| {
        matches!(kind(c), Kind::Space | Kind::Reordering | Kind::Nothing)
            // A control character is a fault, not a blank.
            && (c.is_whitespace() || !c.is_control())
    };
    // Marks of direction do nothing at the ends; joiners may shape the last letter.
    let is_mark = |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}');
    text.trim_matches(|c| is_blank(c) || is_mark(c))
}

/// Whether something would be seen differently from how it is written.
pub(super) fn is_reordered(text: &str) -> bool {
    trim(text).chars().any(|c| kind(c) == Kind::Reordering)
}

/// Whether there is a character that is not seen, where none can be.
pub(super) fn hides(text: &str) -> bool {
    let mut before = None;
    trim(text).chars().any(|c| {
        let hides = match (kind(c), before) {
            (Kind::Visible | Kind::Space, _) => false,
            (Kind::Joiner, Some(before)) => !has_joiners(before),
            (Kind::Selector, Some(before)) => kind(before) != Kind::Visible,
            (Kind::Tag, Some(before)) => before != BLACK_FLAG && kind(before) != Kind::Tag,
            (_, _) => true,
        };
        before = Some(c);
        hides
    })
}

/// Whether a joiner after this character can do anything. Latin has none, and one would make two
/// names of one.
fn has_joiners(c: char) -> bool {
    match kind(c) {
        Kind::Visible => !c.is_ascii() && !is_latin(c),
        Kind::Selector => true,
        _ => false,
    }
}

/// Latin with accents: the blocks of it that are in use.
fn is_latin(c: char) -> bool {
    matches!(c, '\u{00C0}'..='\u{024F}' | '\u{1E00}'..='\u{1EFF}')
}

/// Whether anything is seen: a letter, a digit, a sign. Marks alone, and characters that nobody
/// has given a form yet, do not count.
#[must_use]
pub fn shows(text: &str) -> bool {
    text.chars().any(|c| {
        let group = c.general_category_group();
        kind(c) == Kind::Visible
            && !matches!(
                group,
                GeneralCategoryGroup::Mark
                    | GeneralCategoryGroup::Other
                    | GeneralCategoryGroup::Separator
            )
    })
}

/// Whether a character may stay where what is not seen is left away without a word.
pub(crate) fn is_shown(c: char) -> bool {
    !matches!(kind(c), Kind::Nothing | Kind::Reordering | Kind::Tag)
}

/// Whether all of it can be seen, without blanks: what an address is made of.
pub(crate) fn is_all_visible(text: &str) -> bool {
    text.chars().all(|c| {
        kind(c) == Kind::Visible && c.general_category_group() != GeneralCategoryGroup::Other
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_names_pass() {
        for name in [
            "Ann",
            "Chez Nous",
            "O’Brien & Söhne",
            "می\u{200C}خواهم",
            "ශ්\u{200D}රී ලංකා",
            "葛\u{E0100}飾",
            "❤\u{FE0F}\u{200D}🔥",
            "👩\u{200D}👩\u{200D}👧\u{200D}👦",
            "1\u{FE0F}\u{20E3}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "שלום\u{200F} 12",
            "e\u{0301}lodie",
            "12",
            "?",
        ] {
            assert!(!hides(name) && !is_reordered(name) && shows(name), "{name}");
            assert_eq!(trim(name), name);
        }
    }

    #[test]
    fn what_hides_is_seen() {
        for name in [
            "A\u{200B}nn",
            "A\u{00AD}nn",
            "A\u{FEFF}nn",
            "A\u{2060}nn",
            "A\u{200D}nn",
            "A\u{200E}nn",
            "É\u{200C}lodie",
            "An\u{FE0F}\u{FE0F}n",
            "A\u{2800}nn",
            "A\u{3164}nn",
            "A\u{E0041}nn",
            "می\u{200C}\u{200C}خواهم",
            "A\u{180E}nn",
            "A\u{034F}nn",
        ] {
            assert!(hides(name), "{}", name.escape_unicode());
        }
        for text in ["ann\u{202E}gpj.exe", "a\u{2066}b\u{2069}c", "a\u{202A}b"] {
            assert!(is_reordered(text) && hides(text));
        }
        for nothing in [
            "",
            " ",
            "\u{200B}",
            "\u{2800}\u{2800}",
            "\u{3164}",
            "\u{0301}",
            "\u{200D}",
            "\u{FE0F}",
            "\u{E000}",
            "\u{2028}",
            "\u{00A0}\u{3000}",
        ] {
            assert!(!shows(nothing), "{}", nothing.escape_unicode());
        }
    }

    #[test]
    fn ends_that_show_nothing_are_taken_off() {
        assert_eq!(trim("\u{202A}+49 30 1234567\u{202C}"), "+49 30 1234567");
        assert_eq!(trim(" \u{FEFF}Ann\u{200B} \u{200F}"), "Ann");
        assert_eq!(trim("❤\u{FE0F}"), "❤\u{FE0F}");
        assert_eq!(trim("\0Ann"), "\0Ann");
    }
}
