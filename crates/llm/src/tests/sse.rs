//! The parser of server-sent events: the listed cases, all splits, limits.

use proptest::prelude::*;

use crate::{SseEvent, SseLimits, SseParser, SseTooLarge};

fn limits() -> SseLimits {
    SseLimits {
        line: 64,
        event: 128,
        total: 4096,
    }
}

fn parse<'a>(
    limits: SseLimits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<SseEvent>, Result<(), SseTooLarge>) {
    let mut parser = SseParser::new(limits);
    let mut events = Vec::new();
    for piece in pieces {
        if let Err(error) = parser.push(piece, |event| events.push(event)) {
            return (events, Err(error));
        }
    }
    let last = parser.finish().map(|event| events.extend(event));
    (events, last)
}

fn events(text: &str) -> Vec<(String, String)> {
    let (events, result) = parse(SseLimits::default(), [text.as_bytes()]);
    result.unwrap();
    events
        .into_iter()
        .map(|event| (event.name, event.data))
        .collect()
}

fn data(text: &str) -> Vec<String> {
    events(text).into_iter().map(|(_, data)| data).collect()
}

#[test]
fn sse_lines_end_with_cr_lf_or_both() {
    for end in ["\n", "\r", "\r\n"] {
        let text = format!("data: a{end}data: b{end}{end}data: c{end}{end}");
        assert_eq!(data(&text), ["a\nb", "c"], "{end:?}");
    }
    assert_eq!(data("data: a\r\n\n\rdata: b\n\r\n"), ["a", "b"]);
}

#[test]
fn sse_a_byte_order_mark_is_skipped_once() {
    assert_eq!(data("\u{feff}data: a\n\n"), ["a"]);
    assert_eq!(data("data: a\n\n\u{feff}data: b\n\n"), ["a"]);
    assert_eq!(data("\u{feff}\u{feff}data: a\n\n"), Vec::<String>::new());
}

#[test]
fn sse_comments_and_unknown_fields_are_skipped() {
    let text =
        ": ping\n\n:\nid: 1\nretry: 5\nother: x\nother\ndata: a\n: in the middle\ndata: b\n\n";
    assert_eq!(data(text), ["a\nb"]);
}

#[test]
fn sse_data_of_several_lines_is_joined() {
    assert_eq!(data("data: a\ndata:b\ndata:  c\ndata\n\n"), ["a\nb\n c\n"]);
    assert_eq!(data("data:\n\n"), [""]);
    assert_eq!(data("event: x\n\n\n\n"), Vec::<String>::new());
}

#[test]
fn sse_a_name_is_of_one_event_only() {
    let both = events("event: one\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n");
    let expected = [("one", "a"), ("", "b"), ("", "c")];
    assert_eq!(
        both,
        expected.map(|(name, data)| (name.to_owned(), data.to_owned()))
    );
}

#[test]
fn sse_the_last_event_needs_no_blank_line() {
    for text in ["data: a", "data: a\n", "data: a\r"] {
        assert_eq!(data(text), ["a"], "{text:?}");
    }
    assert_eq!(data("data: a\n\n: end"), ["a"]);
}

#[test]
fn sse_text_may_be_cut_at_any_byte() {
    let text = "\u{feff}event: é\r\ndata: ä🙂\r\n\r\n: c\r\rdata: x\ndata: y\n\ndata: z".as_bytes();
    let whole = parse(limits(), [text]);
    assert_eq!(whole.0.len(), 3);
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let pieces = [&text[..first], &text[first..second], &text[second..]];
            assert_eq!(parse(limits(), pieces), whole, "{first} {second}");
        }
    }
    assert_eq!(parse(limits(), text.chunks(1)), whole);
}

#[test]
fn sse_a_line_of_a_megabyte_is_read() {
    let long = "x".repeat(1 << 20);
    let text = format!("data: {long}\n\n");
    assert_eq!(data(&text), [long.as_str()]);
    let (events, result) = parse(SseLimits::default(), text.as_bytes().chunks(1000));
    assert_eq!((events.len(), result), (1, Ok(())));
}

#[test]
fn sse_what_is_too_large_is_refused() {
    let line = format!("data: a\n\ndata: {}", "x".repeat(64));
    let event = "data: xxxxxxxxxxxxxxxxxxxx\n".repeat(8);
    let total = ": xxxxxxxxxxxxxxxxxxxxxxx\n".repeat(200);
    for (text, limit, seen) in [(&line, 64, 1), (&event, 128, 0), (&total, 4096, 0)] {
        for size in [1, 7, usize::MAX] {
            let (events, result) = parse(limits(), text.as_bytes().chunks(size.min(text.len())));
            assert_eq!(
                (events.len(), result),
                (seen, Err(SseTooLarge(limit))),
                "{size}"
            );
        }
    }
}

#[test]
fn sse_bytes_that_are_not_utf8_are_replaced() {
    let (events, _) = parse(limits(), [b"data: a\xff\xf0\x9fb\n\n".as_slice()]);
    assert_eq!(events[0].data, "a\u{fffd}\u{fffd}b");
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"data: ".to_vec()),
        Just(b"data".to_vec()),
        Just(b"event: x".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(":🙂".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn sse_any_split_gives_the_same_events(
        bytes in stream(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let pieces = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(parse(limits(), pieces), parse(limits(), [bytes.as_slice()]));
    }

    #[test]
    fn sse_what_was_written_is_read_back(
        lines in proptest::collection::vec("[^\r\n]{0,20}", 1..4),
        name in "[a-z]{0,8}",
    ) {
        let mut text = format!("event: {name}\r\n");
        for line in &lines {
            text.push_str(&format!("data: {line}\n"));
        }
        text.push('\n');
        let (events, result) = parse(SseLimits::default(), [text.as_bytes()]);
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(events, vec![SseEvent { name, data: lines.join("\n") }]);
    }
}
