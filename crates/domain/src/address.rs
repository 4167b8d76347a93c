//! What an e-mail address is, and when two are the same.
//!
//! This is the only place that says so: whatever looks an account up, counts guesses at it, or
//! finds a person, goes by [`key`]. The database stores the key and compares bytes; its own
//! `lower()` depends on the locale of the cluster, and folds `İ` onto `i`.
//!
//! - **The domain** is compared as the mail system does: in its ASCII form (IDNA, UTS 46).
//! - **The local part** is compared without case, composed (NFC). Mail systems may distinguish
//!   case; none that people use does, and a second account for `Ann@` beside `ann@` helps only
//!   who wants to be taken for her.
//! - **Beyond ASCII**, a local part is what UTS 39 recommends for e-mail: letters and digits of the
//!   recommended sets, no compatibility forms (`ａ`, `ﬁ`), one script (or Latin beside Chinese,
//!   Japanese or Korean, as those are written), and not a row of letters that all look like ASCII
//!   ones. Scripts that are mixed have no use that anybody knows, and `аnn@` with a Cyrillic `а`
//!   costs nothing to refuse. What is not refused are two addresses of one foreign script that
//!   look alike: that takes an index of skeletons, and a mailbox has to be proved anyway.
//! - A domain in foreign letters has to pass the same test to be taken as it is typed; its ASCII
//!   form (`xn--…`) is always understood, and looks like nothing else.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::{UnicodeNormalization, is_nfkc};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use crate::checks::{is_all_visible, trim, trimmed};

/// The longest address, in characters (RFC 5321 has octets: of what is sent, which is ASCII or
/// shorter than its octets).
const LENGTH: usize = 254;

const SYNTAX: &str = "must be an e-mail address";
const HIDDEN: &str = "must not contain invisible characters";
const ALIKE: &str =
    "has letters that look like others: write the domain in its ASCII form (xn--…) if it is right";
const FOREIGN: &str =
    "has letters before the @ that are not used in addresses, or look like others";

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As it was typed, to be shown and to be written to.
    pub written: String,
    /// As it is compared.
    pub key: String,
}

/// Reads an address.
///
/// # Errors
/// With what is wrong, for a field.
pub fn read(text: &str) -> Result<Address, &'static str> {
    let text = trim(text);
    // Before anything that takes longer for a longer text.
    if text.len() > 4 * LENGTH || text.chars().count() > LENGTH {
        return Err("must have at most 254 characters");
    }
    let (local, domain) = text.rsplit_once('@').ok_or(SYNTAX)?;
    if text.chars().any(char::is_whitespace) || text.chars().any(|c| c.is_ascii_control()) {
        return Err(SYNTAX);
    }
    if !is_all_visible(text) {
        return Err(HIDDEN);
    }
    let (local, local_key) = read_local(local)?;
    let (domain, domain_key) = read_domain(domain)?;
    let key = format!("{local_key}@{domain_key}");
    if key.chars().count() > LENGTH {
        return Err("must have at most 254 characters");
    }
    Ok(Address {
        written: format!("{local}@{domain}"),
        key,
    })
}

/// The form in which an address is compared; `None` for what is none.
#[must_use]
pub fn key(text: &str) -> Option<String> {
    read(text).ok().map(|address| address.key)
}

/// An address as it is stored, in a form that has been checked; `None` for nothing.
#[must_use]
pub fn stored(text: Option<&str>) -> Option<String> {
    let text = trimmed(text)?;
    Some(read(&text).map_or(text, |address| address.written))
}

/// What an address might be written like by others who mean the same.
#[must_use]
pub fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![trim(text).to_owned()];
    if let Ok(address) = read(text) {
        if let Some((local, domain)) = address.key.rsplit_once('@') {
            all.push(format!("{local}@{}", unicode(domain)));
        }
        all.extend([address.written, address.key]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The part before the @: as it is shown, and as it is compared.
fn read_local(local: &str) -> Result<(String, String), &'static str> {
    let is_ascii_fine =
        |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    if local.is_empty() || !local.chars().all(is_ascii_fine) {
        return Err(SYNTAX);
    }
    let local: String = local.nfc().collect();
    let key: String = local.chars().flat_map(lower).nfc().collect();
    let is_foreign = !key.is_ascii();
    if is_foreign && (!is_recommended(&key) || !is_nfkc(&local)) {
        return Err(FOREIGN);
    }
    Ok((local, key))
}

/// The part after the @: as it is shown, and as it is compared.
fn read_domain(domain: &str) -> Result<(String, String), &'static str> {
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| SYNTAX)?
        .into_owned();
    if domain.is_ascii() {
        return Ok((domain.to_owned(), ascii));
    }
    let shown = unicode(&ascii);
    let is_fine = |label: &str| label.is_ascii() || is_recommended(label);
    if !shown.split('.').all(is_fine) {
        return Err(ALIKE);
    }
    Ok((shown, ascii))
}

fn unicode(domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

/// One letter in lower case, whatever stands around it: a sigma at the end of a word is a sigma.
fn lower(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().map(|c| if c == 'ς' { 'σ' } else { c })
}

/// Whether a text beyond ASCII is what UTS 39 recommends for names that have to be told apart.
fn is_recommended(text: &str) -> bool {
    let word: String = text.chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let is_dotted_twice = ["i\u{307}", "j\u{307}"]
        .iter()
        .any(|twice| text.contains(twice));
    word.chars().all(GeneralSecurityProfile::identifier_allowed)
        && word.check_restriction_level(RestrictionLevel::HighlyRestrictive)
        && !is_dotted_twice
        && !unicode_security::skeleton(&word).all(|c| c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_key() {
        for (spellings, same) in [
            (
                &["ann@example.com", " Ann@Example.COM ", "ANN@ｅxample.com"][..],
                "ann@example.com",
            ),
            (
                &[
                    "ann@bücher.de",
                    "ann@BÜCHER.de",
                    "Ann@xn--bcher-kva.de",
                    "ann@bu\u{308}cher.de",
                ],
                "ann@xn--bcher-kva.de",
            ),
            (
                &["Élodie@example.com", "e\u{301}lodie@example.com"],
                "élodie@example.com",
            ),
            (
                &["ΝΊΚΟΣ@example.com", "νίκος@example.com"],
                "νίκοσ@example.com",
            ),
            (&["O'Brien+x@example.com"], "o'brien+x@example.com"),
            (&["admin@localhost"], "admin@localhost"),
            (&["山田taro@example.jp"], "山田taro@example.jp"),
            (&["ИВАН@пример.рф"], "иван@xn--e1afmkfd.xn--p1ai"),
        ] {
            for spelling in spellings {
                assert_eq!(key(spelling).as_deref(), Some(same), "{spelling}");
            }
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            "ann@@example.com",
            "ann@exa mple.com",
            "ann@example..com",
            "ann@example.com.",
            "ann@-example.com",
            "ann@exam_ple.com",
            "ann@[127.0.0.1]",
            "ann@xn--a",
            "\"ann\"@example.com",
            "<ann@example.com>",
            "ann,bob@example.com",
            "ann\0@example.com",
            "ann\u{200B}@example.com",
            "ann@exam\u{AD}ple.com",
            "ann\u{202E}@example.com",
            "ann\u{2800}@example.com",
            "ann\u{FE0F}@example.com",
            "ann\u{E000}@example.com",
            "ann\u{378}@example.com",
            "a\u{3000}nn@example.com",
            // They look like others.
            "аnn@example.com",
            "ann@аpple.com",
            "оса@example.com",
            "ａnn@example.com",
            "ﬁn@example.com",
            "İİİ@example.com",
            "😀@example.com",
        ] {
            assert!(read(text).is_err(), "{}", text.escape_unicode());
        }
        assert!(read(&format!("{}@example.com", "a".repeat(242))).is_ok());
        assert!(read(&format!("{}@example.com", "a".repeat(243))).is_err());
    }

    #[test]
    fn what_is_shown_is_what_was_typed() {
        for (typed, written) in [
            (" Ann@Example.COM", "Ann@Example.COM"),
            ("E\u{301}lodie@BÜCHER.de", "Élodie@bücher.de"),
            ("a@xn--bcher-kva.de", "a@xn--bcher-kva.de"),
        ] {
            assert_eq!(read(typed).unwrap().written, written);
            // What was stored is compared as what was typed.
            assert_eq!(key(written), key(typed));
        }
    }
}
