//! Tests of the reply reader: tables of replies, splits, caps and saved replies.

use proptest::prelude::*;

use super::super::reply::{EnhancedCode, Reply};
use super::{FileReplyError, Progress, ReplyReader, parse_reply_file};
use crate::deviation::Deviation;
use crate::limits::{REPLY_LINE_OCTETS_MAX, REPLY_LINES_MAX};

fn read(wire: &[u8]) -> (usize, Progress) {
    let fed = ReplyReader::new().feed(wire);
    (fed.consumed, fed.progress)
}

fn whole(wire: &[u8]) -> Reply {
    match read(wire) {
        (consumed, Progress::Complete(reply)) if consumed == wire.len() => reply,
        other => panic!("not one whole reply: {other:?}"),
    }
}

#[test]
fn whole_replies_have_code_text_and_deviations() {
    use Deviation as D;
    let cases: &[(&[u8], u16, &str, &[D])] = &[
        (b"220 mx.example ESMTP\r\n", 220, "mx.example ESMTP", &[]),
        (b"220\r\n", 220, "", &[]),
        (b"220 \r\n", 220, "", &[]),
        (b"250-a\r\n250-B C\r\n250 d\r\n", 250, "a\nB C\nd", &[]),
        (b"250-a\r\n250\r\n", 250, "a\n", &[]),
        (b"220-hi\r\n250 ok\r\n", 220, "hi\nok", &[D::DifferingCodes]),
        (b"250-a\r\n220-b\r\n250 c\r\n", 250, "a\nb\nc", &[D::DifferingCodes]),
        (b"220hi\r\n", 220, "hi", &[D::MissingSeparator]),
        (b"2200 hi\r\n", 220, "0 hi", &[D::MissingSeparator]),
        (b"250-a\r\nSIZE 10\r\n250 b\r\n", 250, "a\nSIZE 10\nb", &[D::MissingCode]),
        (b"250-a\r\n\r\n250 b\r\n", 250, "a\n\nb", &[D::MissingCode]),
        (b"220 a\nb\r\n", 220, "a\nb", &[D::BareLf]),
        (b"220 a\rb\r\n", 220, "a\rb", &[D::BareCr]),
        (b"220 a\r\r\n", 220, "a\r", &[D::BareCr]),
        (b"220 a\0b\x1b\r\n", 220, "a\0b\x1b", &[D::ControlOctet]),
        ("220 gr\u{fc}n\r\n".as_bytes(), 220, "gr\u{fc}n", &[D::NonAscii]),
        (b"220 \xff\r\n", 220, "\u{fffd}", &[D::NonAscii]),
    ];
    for (wire, code, message, deviations) in cases {
        let reply = whole(wire);
        assert_eq!(reply.code.number(), *code, "{wire:?}");
        assert_eq!(reply.message(), *message, "{wire:?}");
        assert_eq!(reply.deviations, *deviations, "{wire:?}");
    }
}

#[test]
fn contradicting_lines_make_a_reply_inconsistent_and_blemishes_do_not() {
    let cases: &[(&[u8], bool, bool)] = &[
        (b"220 a\r\n", true, true),
        (b"220-a\r\n220 b\r\n", true, true),
        (b"220-a\r\n250 b\r\n", false, false),
        (b"220-a\r\nb\r\n220 c\r\n", false, false),
        (b"220hi\r\n", true, false),
        (b"220 a\nb\r\n", true, false),
    ];
    for (wire, consistent, clean) in cases {
        let reply = whole(wire);
        assert_eq!((reply.is_consistent(), reply.is_clean()), (*consistent, *clean), "{wire:?}");
    }
}

#[test]
fn enhanced_codes_count_only_in_their_grammar_and_class() {
    let some = |class, subject, detail| Some(EnhancedCode { class, subject, detail });
    let cases: &[(&[u8], Option<EnhancedCode>)] = &[
        (b"550 5.7.1 no\r\n", some(5, 7, 1)),
        (b"250 2.0.0\r\n", some(2, 0, 0)),
        (b"421 4.7.999 later\r\n", some(4, 7, 999)),
        (b"550-5.1.1 a\r\n550 5.1.1 b\r\n", some(5, 1, 1)),
        (b"550 4.7.1 class differs\r\n", None),
        (b"550 5.7 short\r\n", None),
        (b"550 5.7.1.2 long\r\n", None),
        (b"550 5.07.1 leading zero\r\n", None),
        (b"550 5.7.1000 four digits\r\n", None),
        (b"550 5.+7.1 sign\r\n", None),
        (b"550 5.7.1: colon\r\n", None),
        (b"550 x 5.7.1\r\n", None),
        (b"350 3.0.0 class unknown\r\n", None),
    ];
    for (wire, expected) in cases {
        assert_eq!(whole(wire).enhanced, *expected, "{wire:?}");
    }
}

#[test]
fn nothing_behind_the_reply_is_consumed() {
    let (consumed, progress) = read(b"220 go\r\n250 injected\r\n");
    assert_eq!(consumed, b"220 go\r\n".len());
    assert!(matches!(progress, Progress::Complete(reply) if reply.lines == ["go"]));
}

#[test]
fn foreign_protocols_are_no_reply() {
    for wire in [
        &b"HTTP/1.1 400 Bad Request\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"* OK IMAP4rev1\r\n",
        b"+OK POP3\r\n",
        b"\r\n",
        b"22\r\n",
        b"099 low\r\n",
    ] {
        let (_, progress) = read(wire);
        assert!(
            matches!(&progress, Progress::NotReply(partial)
                if partial.deviations.contains(&Deviation::MissingCode)),
            "{progress:?}"
        );
    }
}

#[test]
fn lines_and_counts_over_the_caps_end_the_reading() {
    let longest = [b"220 ", vec![b'a'; REPLY_LINE_OCTETS_MAX - 4].as_slice(), b"\r\n"].concat();
    assert_eq!(whole(&longest).deviations, [Deviation::LineOverStandard]);
    for end in [&b"\r\n"[..], b"\r\r\n", b""] {
        let over = [b"220 ", vec![b'a'; REPLY_LINE_OCTETS_MAX - 3].as_slice(), end].concat();
        let (_, progress) = read(&over);
        assert!(
            matches!(&progress, Progress::CapReached(partial)
                if partial.deviations.contains(&Deviation::LineOverCap)),
            "{end:?}"
        );
    }
    let standard = [b"220 ", vec![b'a'; 506].as_slice(), b"\r\n"].concat();
    assert_eq!((standard.len(), whole(&standard).is_clean()), (512, true));

    let most = [b"250-x\r\n".repeat(REPLY_LINES_MAX - 1), b"250 y\r\n".to_vec()].concat();
    assert_eq!(whole(&most).lines.len(), REPLY_LINES_MAX);
    let (consumed, progress) = read(&b"250-x\r\n".repeat(REPLY_LINES_MAX + 5));
    assert_eq!(consumed, REPLY_LINES_MAX * 7);
    assert!(matches!(progress, Progress::CapReached(partial)
        if partial.deviations == [Deviation::TooManyLines]));
}

#[test]
fn what_had_come_of_an_unfinished_reply_is_kept() {
    let mut reader = ReplyReader::new();
    assert!(reader.take_partial().is_none());
    reader.feed(b"220-wait\r\n220 lf only\n");
    let partial = reader.take_partial().expect("octets had come");
    assert_eq!(partial.code.map(super::ReplyCode::number), Some(220));
    assert_eq!(partial.lines, ["wait", "lf only\n"]);
    assert_eq!(partial.octets, 22);
    assert_eq!(partial.deviations, [Deviation::BareLf, Deviation::MissingFinalLine]);
    assert_eq!(reader.octets(), 0);
}

/// A file, and its code, message, completeness, octets behind it and deviations.
type Saved = (&'static [u8], u16, &'static str, bool, usize, &'static [Deviation]);

#[test]
fn saved_replies_may_end_lines_by_lf() {
    let cases: &[Saved] = &[
        (b"250 ok\r\n", 250, "ok", true, 0, &[]),
        (b"250-a\n250 b\n", 250, "a\nb", true, 0, &[Deviation::BareLf]),
        (b"250 a\n221 b\n", 250, "a", true, 6, &[Deviation::BareLf]),
        (b"250-a\r\n", 250, "a", false, 0, &[Deviation::MissingFinalLine]),
        (b"250 a", 250, "a", false, 0, &[Deviation::MissingFinalLine]),
        (b"250-a\r\n250-b", 250, "a\nb", false, 0, &[Deviation::MissingFinalLine]),
        (b"550 5.1.1 no such user\r\n", 550, "5.1.1 no such user", true, 0, &[]),
    ];
    for (bytes, code, message, complete, trailing, deviations) in cases {
        let file = parse_reply_file(bytes).unwrap();
        assert_eq!(file.reply.code.number(), *code, "{bytes:?}");
        assert_eq!(file.reply.message(), *message, "{bytes:?}");
        assert_eq!((file.complete, file.trailing), (*complete, *trailing), "{bytes:?}");
        assert_eq!(file.reply.deviations, *deviations, "{bytes:?}");
        assert!(file.complete || !file.reply.is_consistent(), "{bytes:?}");
    }
    assert_eq!(parse_reply_file(b""), Err(FileReplyError::Empty));
    assert_eq!(parse_reply_file(b"hello\r\n"), Err(FileReplyError::NoCode));
    assert_eq!(parse_reply_file(b"he"), Err(FileReplyError::NoCode));
}

/// Feeds everything, part by part, and collects what came out.
fn all_progress(parts: &[&[u8]]) -> (Vec<Progress>, Vec<String>) {
    let mut reader = ReplyReader::new();
    let (mut out, mut raw) = (Vec::new(), Vec::new());
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            let fed = reader.feed(rest);
            assert!(fed.consumed > 0);
            rest = &rest[fed.consumed..];
            if fed.progress != Progress::NeedMore {
                out.push(fed.progress);
            }
            raw.append(&mut reader.take_raw_lines());
        }
    }
    out.extend(reader.take_partial().map(Progress::CapReached));
    raw.append(&mut reader.take_raw_lines());
    (out, raw)
}

/// Octets that often look like replies.
fn reply_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"250-".to_vec()),
        4 => Just(b"250 ".to_vec()),
        2 => Just(b"220".to_vec()),
        4 => Just(b"\r\n".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => (0_usize..5000).prop_map(|count| vec![b'x'; count]),
        2 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_replies(octets in reply_like(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
        places.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for place in places {
            parts.push(&octets[from..place]);
            from = place;
        }
        parts.push(&octets[from..]);
        prop_assert_eq!(all_progress(&parts), all_progress(&[&octets]));
    }

    #[test]
    fn no_buffer_grows_over_the_caps(octets in reply_like()) {
        let mut reader = ReplyReader::new();
        for octet in &octets {
            reader.feed(&[*octet]);
            prop_assert!(reader.line.len() <= REPLY_LINE_OCTETS_MAX + 1);
            prop_assert!(reader.lines.len() <= REPLY_LINES_MAX);
            reader.take_raw_lines();
        }
    }

    #[test]
    fn a_saved_reply_never_panics(octets in reply_like()) {
        if let Ok(file) = parse_reply_file(&octets) {
            prop_assert!(file.trailing <= octets.len());
        }
    }
}
