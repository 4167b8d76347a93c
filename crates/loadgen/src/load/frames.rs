//! WebSocket frames, read where they lie and never copied: ten thousand sessions share one
//! processor with the servers that they measure.

use anyhow::bail;

/// The greatest message that is taken: nothing that is sent to us is near it.
const LONGEST: u64 = 16 << 20;

/// A frame from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    Close { code: u16, reason: &'a [u8] },
    Other,
}

/// The first frame of these bytes and how many of them it takes; `None` when it is not whole yet.
///
/// # Errors
/// When no server of ours would say this: masked, in fragments, compressed or endless.
pub(crate) fn first(bytes: &[u8]) -> anyhow::Result<Option<(Frame<'_>, usize)>> {
    let [flags, short, rest @ ..] = bytes else {
        return Ok(None);
    };
    if flags & 0b1111_0000 != 0b1000_0000 {
        bail!("a frame in fragments or compressed");
    }
    if short & 0b1000_0000 != 0 {
        bail!("a masked frame from a server");
    }
    let (length, rest) = match (short, rest) {
        (126, [a, b, rest @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), rest),
        (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
            let bytes = [*a, *b, *c, *d, *e, *f, *g, *h];
            (u64::from_be_bytes(bytes), rest)
        }
        (126 | 127, _) => return Ok(None),
        (short, rest) => (u64::from(*short), rest),
    };
    if length > LONGEST {
        bail!("a frame of {length} bytes");
    }
    let length = usize::try_from(length)?;
    let Some(payload) = rest.get(..length) else {
        return Ok(None);
    };
    let frame = match (flags & 0b1111, payload) {
        (1, payload) => Frame::Text(payload),
        (8, [high, low, reason @ ..]) => Frame::Close {
            code: u16::from_be_bytes([*high, *low]),
            reason,
        },
        // 1005: closed without a code.
        (8, _) => Frame::Close {
            code: 1005,
            reason: &[],
        },
        (9, payload) => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Ok(Some((frame, bytes.len() - rest.len() + length)))
}

/// The answer to a ping, masked as a client must; of a control frame's length.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    let mask: [u8; 4] = rand::random();
    let length = u8::try_from(payload.len().min(125)).unwrap_or(125);
    let mut frame = vec![0b1000_1010, 0b1000_0000 | length];
    frame.extend(mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    frame.extend(
        masked
            .take(usize::from(length))
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x81];
        match payload.len() {
            length @ 0..126 => frame.push(u8::try_from(length).unwrap()),
            length @ 126..0x1_0000 => {
                frame.push(126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                frame.push(127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn each_length_is_read_once_it_is_whole_and_not_before() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 100_000] {
            let payload = vec![b'x'; length];
            let mut bytes = text(&payload);
            let whole = bytes.len();
            for part in [0, 1, 2, 3, 9, whole / 2, whole - 1] {
                let part = bytes.get(..part.min(whole - 1)).unwrap();
                assert_eq!(first(part).unwrap(), None, "{length}");
            }
            // The next frame's beginning is left alone.
            bytes.push(0x81);
            let expected = Some((Frame::Text(&payload), whole));
            assert_eq!(first(&bytes).unwrap(), expected, "{length}");
        }
    }

    #[test]
    fn control_frames() {
        let read = |bytes: &'static [u8]| first(bytes).unwrap().unwrap().0;
        assert_eq!(read(&[0x89, 2, b'h', b'i']), Frame::Ping(b"hi"));
        assert_eq!(read(&[0x8a, 0]), Frame::Other);
        let (code, reason) = (4503, &b"slow"[..]);
        assert_eq!(
            read(&[0x88, 6, 0x11, 0x97, b's', b'l', b'o', b'w']),
            Frame::Close { code, reason }
        );
        let nothing = Frame::Close {
            code: 1005,
            reason: b"",
        };
        assert_eq!(read(&[0x88, 0]), nothing);
    }

    #[test]
    fn what_no_server_says_is_an_error() {
        first(&[0x01, 0]).unwrap_err(); // in fragments
        first(&[0xc1, 0]).unwrap_err(); // compressed
        first(&[0x81, 0x80, 0, 0, 0, 0]).unwrap_err(); // masked
        first(&[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0]).unwrap_err(); // endless
    }

    #[test]
    fn a_pong_carries_the_payload_under_a_mask() {
        let frame = pong(b"hello");
        let [flags, length, a, b, c, d, masked @ ..] = &frame[..] else {
            panic!("{frame:?}");
        };
        assert_eq!((*flags, *length), (0x8a, 0x85));
        let mask = [*a, *b, *c, *d];
        let plain = masked.iter().zip(mask.iter().cycle());
        assert_eq!(
            plain.map(|(byte, mask)| byte ^ mask).collect::<Vec<_>>(),
            b"hello"
        );
    }
}
