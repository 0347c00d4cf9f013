//! The `.env` file: `NAME=value` a line.
//!
//! What lives here: [`parse`]. `#` begins a comment at the start of a line or behind a blank; `export ` is
//! skipped; a value in single quotes is literal, in double quotes `\n`, `\"` and `\\` are resolved. There is
//! no `$NAME` substitution and there are no values over several lines.

/// One line that says something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// All entries, and the numbers of the lines that are none, with what is wrong.
pub(super) fn parse(text: &str) -> (Vec<Entry>, Vec<(usize, &'static str)>) {
    let (mut entries, mut bad) = (Vec::new(), Vec::new());
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match entry(line) {
            Ok((name, value)) => entries.push(Entry { line: at + 1, name, value }),
            Err(what) => bad.push((at + 1, what)),
        }
    }
    (entries, bad)
}

fn entry(line: &str) -> Result<(String, String), &'static str> {
    let (name, value) = line.split_once('=').ok_or("no `=`")?;
    let name = name.trim();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(word) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("the part before `=` is not a name");
    }
    Ok((name.to_owned(), unquoted(value.trim())?))
}

fn unquoted(value: &str) -> Result<String, &'static str> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
        return Ok(value[..end].trim_end().to_owned());
    };
    let mut text = String::new();
    let mut chars = value[1..].chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => {
                let rest = chars.as_str().trim();
                return if rest.is_empty() || rest.starts_with('#') {
                    Ok(text)
                } else {
                    Err("text behind the closing quote")
                };
            }
            '\\' if quote == '"' => match chars.next() {
                Some('n') => text.push('\n'),
                Some(c @ ('"' | '\\')) => text.push(c),
                Some(c) => text.extend(['\\', c]),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err("the quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_values_quotes_and_comments_are_told_apart() {
        let text =
            "\u{feff}# c\nA=1\n export B = two # c\nC='x #\\n y' # c\r\nD=\"a\\n\\\"b\\\\\"\n\nE=\nF=a#b=c\n";
        let (entries, bad) = parse(text);
        let read: Vec<_> = entries.iter().map(|e| (e.line, e.name.as_str(), e.value.as_str())).collect();
        let wanted = [
            (2, "A", "1"),
            (3, "B", "two"),
            (4, "C", "x #\\n y"),
            (5, "D", "a\n\"b\\"),
            (7, "E", ""),
            (8, "F", "a#b=c"),
        ];
        assert_eq!((read.as_slice(), bad.as_slice()), (wanted.as_slice(), [].as_slice()));
    }

    #[test]
    fn what_is_no_entry_is_named_by_its_line() {
        let (entries, bad) = parse("A\n=x\n1A=x\nA B=x\nA=\"x\nA='x'y\nA=\"x\\");
        let lines: Vec<_> = bad.iter().map(|(line, _)| *line).collect();
        assert_eq!((entries, lines), (Vec::new(), vec![1, 2, 3, 4, 5, 6, 7]));
    }
}
