//! `parse_mode=HTML`: what the platform shows, and what it refuses.
//!
//! After the reading rules of TDLib's HTML parser: a fixed set of tags, four named entities and numeric ones,
//! tags closed in order. A user's `<` that slipped into a text unescaped is refused here as it is there.

use std::borrow::Cow;

use super::Refusal;
use crate::telegram::params::Params;
use crate::telegram::shapes::EntityOut;

/// A text as it is shown.
#[derive(Debug, Default)]
pub(super) struct Shown<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) entities: Vec<EntityOut>,
}

/// The text (or caption) of a call as its `parse_mode` shows it, checked against `max` characters.
/// Markdown is not read: it is shown as it was sent.
pub(super) fn shown<'a>(
    params: &'a Params,
    name: &str,
    max: usize,
    too_long: &str,
) -> Result<Option<Shown<'a>>, Refusal> {
    let Some(raw) = params.text(name) else { return Ok(None) };
    let mode = params.text("parse_mode").unwrap_or_default().to_ascii_lowercase();
    let shown = match mode.as_str() {
        "html" => read_html(raw).map_err(|e| Refusal::bad(&format!("can't parse entities: {e}")))?,
        "" | "markdown" | "markdownv2" => Shown { text: raw.into(), entities: Vec::new() },
        _ => return Err(Refusal::bad("unsupported parse_mode")),
    };
    // Characters are counted only when bytes leave a doubt.
    if shown.text.len() > max && shown.text.chars().count() > max {
        return Err(Refusal::bad(too_long));
    }
    Ok(Some(shown))
}

struct Open {
    tag: String,
    kind: &'static str,
    url: Option<String>,
    /// In UTF-16 units, as entities count.
    offset: usize,
}

/// Reads HTML. `Err`: what follows "can't parse entities: " in the refusal. Linear in the length.
fn read_html(html: &str) -> Result<Shown<'static>, String> {
    let mut text = String::with_capacity(html.len());
    let mut entities = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut length = 0;
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        let at = html.len() - rest.len();
        if c == '&' {
            let (decoded, tail) = entity(rest).unwrap_or(('&', &rest[1..]));
            text.push(decoded);
            length += decoded.len_utf16();
            rest = tail;
        } else if c != '<' {
            text.push(c);
            length += c.len_utf16();
            rest = &rest[c.len_utf8()..];
        } else if let Some(end) = rest.strip_prefix("</") {
            rest = close(end, at, length, &mut open, &mut entities)?;
        } else {
            rest = start(&rest[1..], at, length, &mut open)?;
        }
    }
    match open.pop() {
        Some(left) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", left.tag)),
        None => {
            entities.sort_by_key(|e: &EntityOut| (e.offset, std::cmp::Reverse(e.length)));
            Ok(Shown { text: text.into(), entities })
        }
    }
}

/// `&lt;`, `&gt;`, `&amp;`, `&quot;` and numbers; anything else is text.
fn entity(text: &str) -> Option<(char, &str)> {
    let end = text.char_indices().take(12).find(|(_, c)| *c == ';')?.0;
    let (name, tail) = (&text[1..end], &text[end + 1..]);
    let decoded = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    Some((decoded, tail))
}

/// A start tag; returns what follows it.
fn start<'a>(text: &'a str, at: usize, offset: usize, open: &mut Vec<Open>) -> Result<&'a str, String> {
    let unclosed = || format!("Unclosed start tag at byte offset {at}");
    let name_end = text.find(|c: char| c.is_ascii_whitespace() || c == '>').ok_or_else(unclosed)?;
    let tag = text[..name_end].to_ascii_lowercase();
    let kind = match tag.as_str() {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        "tg-spoiler" => "spoiler",
        "tg-emoji" => "custom_emoji",
        "span" => "span",
        _ => return Err(format!("Unsupported start tag \"{tag}\" at byte offset {at}")),
    };
    let tag_end = end_of_tag(text, name_end).ok_or_else(unclosed)?;
    let attributes = &text[name_end..tag_end];
    let kind = match kind {
        "span" if attribute(attributes, "class") == Some("tg-spoiler") => "spoiler",
        "span" => return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {at}")),
        kind => kind,
    };
    let url = attribute(attributes, "href").map(unescape);
    open.push(Open { tag, kind, url, offset });
    Ok(&text[tag_end + 1..])
}

/// Where the tag's `>` is, quotes respected.
fn end_of_tag(text: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    for (i, c) in text[from..].char_indices() {
        match (quote, c) {
            (None, '>') => return Some(from + i),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    None
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let value = attributes.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next(),
        _ => value.split_ascii_whitespace().next(),
    }
}

fn unescape(value: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(c) = rest.chars().next() {
        let (decoded, tail) =
            if c == '&' { entity(rest) } else { None }.unwrap_or((c, &rest[c.len_utf8()..]));
        out.push(decoded);
        rest = tail;
    }
    out
}

/// An end tag; returns what follows it.
fn close<'a>(
    text: &'a str,
    at: usize,
    length: usize,
    open: &mut Vec<Open>,
    entities: &mut Vec<EntityOut>,
) -> Result<&'a str, String> {
    let Some(last) = open.pop() else { return Err(format!("Unexpected end tag at byte offset {at}")) };
    let end = text.find('>').ok_or_else(|| format!("Unclosed end tag at byte offset {at}"))?;
    let found = text[..end].trim_end().to_ascii_lowercase();
    if !found.is_empty() && found != last.tag {
        let expected = &last.tag;
        return Err(format!(
            "Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{found}>\""
        ));
    }
    if length > last.offset {
        entities.push(EntityOut {
            offset: last.offset,
            length: length - last.offset,
            kind: last.kind,
            url: last.url.filter(|_| last.kind == "text_link"),
        });
    }
    Ok(&text[end + 1..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_become_entities_counted_in_utf16_units() {
        let shown =
            read_html("😀 <b>نتيجة <i>x</i></b> <a href=\"https://e.org/?a=1&amp;b=2\">link</a>").unwrap();
        assert_eq!(shown.text, "😀 نتيجة x link");
        let found: Vec<_> = shown.entities.iter().map(|e| (e.kind, e.offset, e.length)).collect();
        assert_eq!(found, [("bold", 3, 7), ("italic", 9, 1), ("text_link", 11, 4)]);
        assert_eq!(shown.entities[2].url.as_deref(), Some("https://e.org/?a=1&b=2"));
    }

    #[test]
    fn what_is_not_well_formed_is_refused_in_the_platforms_words() {
        for (html, words) in [
            ("a <x>b</x>", "Unsupported start tag \"x\" at byte offset 2"),
            ("5 < 6", "Unsupported start tag \"\" at byte offset 2"),
            ("<b>a", "Can't find end tag corresponding to start tag \"b\""),
            ("a</b>", "Unexpected end tag at byte offset 1"),
            ("<b><i>a</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
            ("<b", "Unclosed start tag at byte offset 0"),
        ] {
            assert_eq!(read_html(html).map(|s| s.text), Err(words.into()), "{html}");
        }
    }

    #[test]
    fn escaped_text_comes_back_as_it_was() {
        assert_eq!(read_html("&lt;b&gt; &amp; &#39;&quot; &nope; &").unwrap().text, "<b> & '\" &nope; &");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_escaped_text_is_always_shown(text in "[<>&;#/a-z\"'= é😀]{0,40}") {
            let _ = read_html(&text);
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(read_html(&escaped).map(|s| s.text.into_owned()), Ok(text));
        }
    }
}
