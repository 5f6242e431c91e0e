//! Sentences that other layers wrote, as HTML.

use maud::{Markup, html};

/// The text with a capital at its start.
pub(in crate::report) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + characters.as_str()
}

/// The text with a capital at its start, and what stands between backticks as code.
pub(in crate::report) fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in capitalised(text).split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_backticks_become_code_and_stay_escaped() {
        let page = prose("a <b> in `det1` and `<i>`").into_string();
        assert_eq!(page, "A &lt;b&gt; in <code>det1</code> and <code>&lt;i&gt;</code>");
    }

    #[test]
    fn a_name_at_the_start_keeps_its_case() {
        assert_eq!(prose("`det1` is dead").into_string(), "<code>det1</code> is dead");
    }
}
