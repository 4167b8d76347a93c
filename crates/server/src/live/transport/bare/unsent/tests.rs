use std::collections::VecDeque;

use actix_http::ws::{OpCode, Parser};
use bytestring::ByteString;
use proptest::prelude::*;

use super::*;

/// A kernel that does as it is told: takes so many bytes, would block, or is interrupted.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Takes(usize),
    IsFull,
    IsInterrupted,
}

/// What the kernel took while it answered so, and takes at last.
fn write(unsent: &mut Unsent<ByteString>, answers: &[Answer], taken: &mut Vec<u8>) -> bool {
    let mut answers = answers.iter().copied().collect::<VecDeque<_>>();
    loop {
        let done = unsent.write(|parts| {
            let offered: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
            assert!(!offered.is_empty());
            match answers.pop_front() {
                Some(Answer::Takes(bytes)) => {
                    let bytes = bytes.min(offered.len());
                    taken.extend_from_slice(&offered[..bytes]);
                    Ok(bytes)
                }
                Some(Answer::IsInterrupted) => Err(ErrorKind::Interrupted.into()),
                Some(Answer::IsFull) | None => Err(ErrorKind::WouldBlock.into()),
            }
        });
        let done = done.unwrap();
        if done || answers.is_empty() {
            return done;
        }
    }
}

/// The same bytes as somebody else writes them.
fn expected(frames: &[ByteString]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    for frame in frames {
        Parser::write_message(&mut bytes, frame, OpCode::Text, true, false);
    }
    bytes.to_vec()
}

fn frames() -> impl Strategy<Value = Vec<ByteString>> {
    let length = prop_oneof![4 => 0..300_usize, 1 => Just(125), 1 => Just(126),
        1 => 65_530..65_545_usize];
    prop::collection::vec(length, 1..70).prop_map(|lengths| {
        let letters = (b'a'..=b'z').cycle();
        let frame = |(n, length)| letters.clone().skip(n).take(length).map(char::from);
        let frames = lengths.into_iter().enumerate();
        frames
            .map(|numbered| frame(numbered).collect::<String>().into())
            .collect()
    })
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let answer = prop_oneof![
        4 => (1..40_usize).prop_map(Answer::Takes),
        2 => (1..100_000_usize).prop_map(Answer::Takes),
        1 => Just(Answer::IsFull),
        1 => Just(Answer::IsInterrupted),
    ];
    prop::collection::vec(answer, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn cut_anywhere_the_bytes_are_the_same(frames in frames(), answers in answers()) {
        let mut unsent = Unsent::new(Opcode::Text, frames.clone().into());
        let mut taken = Vec::new();
        if !write(&mut unsent, &answers, &mut taken) {
            // The rest of a frame that was begun can be said alone, and nothing else.
            let expected = expected(&frames);
            let begun = [&taken[..], &unsent.begun()].concat();
            prop_assert!(expected.starts_with(&begun));
            let whole = frames.len() - unsent.frames_left() + usize::from(begun != taken);
            prop_assert_eq!(begun, self::expected(&frames[..whole]));
            prop_assert!(write(&mut unsent, &[Answer::Takes(usize::MAX); 70], &mut taken));
        }
        prop_assert_eq!(taken, expected(&frames));
        prop_assert_eq!(unsent.frames_left(), 0);
    }
}

#[test]
fn a_connection_that_takes_nothing_has_ended() {
    let mut unsent = Unsent::new(Opcode::Ping, smallvec![[0_u8; 0]]);
    assert_eq!(
        unsent.write(|_| Ok(0)).unwrap_err().kind(),
        ErrorKind::WriteZero
    );
    let broken = unsent.write(|_| Err(ErrorKind::ConnectionReset.into()));
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::ConnectionReset);
}
