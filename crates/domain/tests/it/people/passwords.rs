//! Hashing in turn.

use std::time::{Duration, Instant};

use domain::Error;
use domain::passwords::Passwords;
use futures_util::future::join_all;
use wire::ErrorCode;

use crate::support::{code, fields};

/// The least that bcrypt takes.
const COST: u32 = 4;

#[tokio::test]
async fn a_password_is_its_own() {
    let passwords = Passwords::new(COST, 2);
    let longest = "é".repeat(36);
    for password in ["12345678", "correct horse", &longest] {
        let hash = passwords.hash(password.to_owned()).await.unwrap();
        assert!(!hash.contains(password));
        let verify = |text: &str| passwords.verify(text.to_owned(), Some(hash.clone()));
        assert!(verify(password).await.unwrap());
        assert!(!verify("another one").await.unwrap());
        assert!(!verify("").await.unwrap());
    }
    let once = passwords.hash("12345678".to_owned()).await.unwrap();
    let twice = passwords.hash("12345678".to_owned()).await.unwrap();
    assert_ne!(once, twice);
}

#[tokio::test]
async fn what_bcrypt_would_cut_off_does_not_match() {
    let passwords = Passwords::new(COST, 2);
    let whole = "x".repeat(72);
    let hash = passwords.hash(whole.clone()).await.unwrap();
    let verify = |text: String| passwords.verify(text, Some(hash.clone()));
    assert!(verify(whole.clone()).await.unwrap());
    assert!(!verify(format!("{whole}y")).await.unwrap());
    assert!(!verify(format!("{whole}\0")).await.unwrap());

    for refused in ["short", &"x".repeat(73), "with a \0 inside"] {
        assert_eq!(
            fields(passwords.hash(refused.to_owned()).await),
            ["password"]
        );
    }
}

#[tokio::test]
async fn nobody_has_no_password() {
    let passwords = Passwords::new(COST, 2);
    for password in ["", "12345678", &"x".repeat(73), "\0"] {
        assert!(!passwords.verify(password.to_owned(), None).await.unwrap());
    }
}

#[tokio::test]
async fn a_hash_that_is_none_is_a_fault_and_is_not_told() {
    let passwords = Passwords::new(COST, 2);
    let broken = "$2b$04$secret".to_owned();
    let fault = passwords
        .verify("12345678".to_owned(), Some(broken))
        .await
        .unwrap_err();
    assert!(matches!(fault, Error::Internal(_)));
    assert!(!fault.to_string().contains("secret"), "{fault}");
}

#[tokio::test]
async fn nobody_takes_as_long_as_somebody() {
    // Long enough to be measured.
    let passwords = Passwords::new(9, 1);
    let hash = passwords.hash("12345678".to_owned()).await.unwrap();
    let too_long = "x".repeat(1000);
    let took = async |password: &str, hash: Option<&str>| {
        let began = Instant::now();
        let hash = hash.map(str::to_owned);
        passwords.verify(password.to_owned(), hash).await.unwrap();
        began.elapsed()
    };
    for (password, unlikely) in [
        ("wrong password", None),
        (too_long.as_str(), Some(hash.as_str())),
        ("with a \0 inside", Some(hash.as_str())),
    ] {
        // A loaded machine makes single measurements longer, and none shorter.
        let (mut nobody, mut somebody) = (Duration::MAX, Duration::MAX);
        for _ in 0..30 {
            nobody = nobody.min(took(password, unlikely).await);
            somebody = somebody.min(took("wrong password", Some(&hash)).await);
            if nobody > somebody / 2 {
                break;
            }
        }
        assert!(nobody > somebody / 2, "{nobody:?} against {somebody:?}");
    }
}

#[tokio::test]
async fn the_line_is_only_so_long() {
    let passwords = Passwords::new(6, 1);
    let all = (0..100).map(|_| passwords.verify("12345678".to_owned(), None));
    let results = join_all(all).await;
    let served = results.iter().filter(|result| result.is_ok()).count();
    assert!((65..100).contains(&served), "{served} of 100");
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(code(result), ErrorCode::Unavailable);
    }
    assert!(!passwords.verify("12345678".to_owned(), None).await.unwrap());
}

#[tokio::test]
async fn whoever_hangs_up_leaves_the_line() {
    let passwords = Passwords::new(6, 1);
    for _ in 0..200 {
        let hung_up = passwords.verify("12345678".to_owned(), None);
        // Polled once: it is in the line, or at work, and nobody waits for it.
        tokio::select! {
            biased;
            _ = hung_up => {}
            () = std::future::ready(()) => {}
        }
    }
    testkit::wait::until("a place in the line", testkit::wait::DEADLINE, async || {
        passwords.verify("12345678".to_owned(), None).await.ok()
    })
    .await;
}
