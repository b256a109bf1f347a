//! Characters that a name must not contain: line breaks, and invisible characters that change how text is read.

/// Whether the character ends a line or controls a terminal: the category `Cc`, and the line and paragraph separators.
pub(super) fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether the character is invisible: the Unicode property `Default_Ignorable_Code_Point` (Unicode 16.0,
/// `DerivedCoreProperties.txt`), which includes the bidirectional controls, zero-width characters and tags; and the
/// interlinear annotations. The property is stable. U+FE00 to U+FE0F are excluded: they select how a symbol is drawn,
/// and emoji need them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a name is refused because of the character.
pub(super) fn is_unfit_for_names(c: char) -> bool {
    breaks_line(c) || is_invisible(c)
}
