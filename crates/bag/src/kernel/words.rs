//! Cutting text at white space.

use std::ops::ControlFlow;

/// Calls `sink` with each run of characters that are not white space, as `str::split_whitespace` finds them.
///
/// ASCII text, which is nearly all of it, is cut byte by byte without decoding.
pub(crate) fn for_each_word(text: &str, sink: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    if !text.is_ascii() {
        return text.split_whitespace().try_for_each(sink);
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        while at < bytes.len() && is_space(bytes[at]) {
            at += 1;
        }
        if at == bytes.len() {
            return ControlFlow::Continue(());
        }
        let start = at;
        while at < bytes.len() && !is_space(bytes[at]) {
            at += 1;
        }
        sink(&text[start..at])?;
    }
}

/// Whether an ASCII byte is `char::is_whitespace`: blank, tab, line feed, vertical tab, form feed, carriage return.
fn is_space(byte: u8) -> bool {
    byte == b' ' || byte.wrapping_sub(9) < 5
}

#[cfg(test)]
mod tests {
    use super::for_each_word;
    use std::ops::ControlFlow;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        let flow = for_each_word(text, &mut |word| {
            words.push(word.to_owned());
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        words
    }

    #[test]
    fn words_are_those_of_the_standard_library() {
        let mut texts: Vec<String> = (0..=127u8).map(|byte| format!("a{}b", char::from(byte))).collect();
        texts.extend(
            ["", " ", "  a", "a  ", "\ta\u{b}b\u{c}c\r\nd", "ü\u{a0}ä\u{2003}b", "\u{85}"].map(str::to_owned),
        );
        for text in texts {
            assert_eq!(words(&text), text.split_whitespace().collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn a_stopped_sink_gets_no_further_word() {
        for text in ["a b c", "ä b c"] {
            let mut seen = 0;
            let flow = for_each_word(text, &mut |_| {
                seen += 1;
                ControlFlow::Break(())
            });
            assert!(flow.is_break());
            assert_eq!(seen, 1);
        }
    }
}
