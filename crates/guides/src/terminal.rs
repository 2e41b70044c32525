//! Guide pages and findings as plain text for a terminal, wrapped at a width. No colour and no control
//! byte is written; the width is counted in characters. The ways in are [`page_text`], [`section_text`]
//! and [`finding_text`]. Invariant: a line is longer than the width only if it is one unbreakable word.

use pulldown_cmark::{Event, Tag, TagEnd};

use crate::catalogue::FindingText;
use crate::markdown::{Reader, events, finding_document, page_document, section_document, target};
use crate::page::Page;

/// Narrower than this, text is unreadable; smaller widths are raised to it.
pub const WIDTH_MIN_CHARS: usize = 30;

/// A whole page.
pub fn page_text(page: &Page, width: usize) -> String {
    render(&page_document(page, Reader::Person), width)
}

/// One section with its subsections and findings, or `None` if the page has no such anchor.
pub fn section_text(page: &Page, anchor: &str, width: usize) -> Option<String> {
    let parts = page.section_with_parts(anchor);
    if parts.is_empty() {
        return None;
    }
    let documents: Vec<String> =
        parts.into_iter().map(|section| section_document(page, section)).collect();
    Some(render(&documents.join("\n"), width))
}

/// A finding, with general words for its placeholders.
pub fn finding_text(finding: &FindingText, width: usize) -> String {
    render(&finding_document(finding, Reader::Person), width)
}

/// Any Markdown text of this crate, for example the meaning of a finding with its placeholders filled.
pub fn render(markdown: &str, width: usize) -> String {
    let mut writer = Writer { width: width.max(WIDTH_MIN_CHARS), ..Writer::default() };
    for event in events(markdown) {
        writer.event(event);
    }
    writer.flush();
    writer.out
}

#[derive(Default)]
struct Writer {
    width: usize,
    out: String,
    /// Text of the block that is being read.
    text: String,
    /// The open lists; the number of the next item of an ordered one.
    lists: Vec<Option<u64>>,
    /// The mark of a list item whose first block has not been written.
    mark: Option<String>,
    /// Targets of the open links.
    links: Vec<String>,
    in_code_block: bool,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Start(tag) = event {
            self.start(tag);
        } else if let Event::End(tag) = event {
            self.end(tag);
        } else if let Event::Text(text)
        | Event::Code(text)
        | Event::Html(text)
        | Event::InlineHtml(text) = event
        {
            self.text.push_str(&text);
        } else if matches!(event, Event::SoftBreak | Event::HardBreak) {
            self.text.push(' ');
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        if let Tag::List(first) = tag {
            self.flush();
            if self.lists.is_empty() {
                self.blank_line();
            }
            self.lists.push(first);
        } else if tag == Tag::Item {
            self.mark = Some(self.next_mark());
        } else if let Tag::Link { dest_url, .. } = tag {
            self.links.push(target(&dest_url).unwrap_or_else(|| dest_url.to_string()));
        } else if let Tag::CodeBlock(_) = tag {
            self.in_code_block = true;
        }
    }

    fn end(&mut self, tag: TagEnd) {
        if let TagEnd::Heading(level) = tag {
            let rule = if level as u8 == 1 { "=" } else { "-" };
            let length = self.text.chars().count().min(self.width);
            self.flush();
            self.out.push_str(&rule.repeat(length));
            self.out.push('\n');
        } else if matches!(tag, TagEnd::List(_)) {
            self.flush();
            self.lists.pop();
        } else if tag == TagEnd::Link {
            self.end_link();
        } else if matches!(tag, TagEnd::TableCell) {
            self.text.push_str("  ");
        } else if tag == TagEnd::CodeBlock {
            self.code_block();
        } else if matches!(
            tag,
            TagEnd::Paragraph | TagEnd::Item | TagEnd::TableHead | TagEnd::TableRow
        ) {
            self.flush();
        }
    }

    fn end_link(&mut self) {
        let Some(target) = self.links.pop() else { return };
        // A finding is followed by its code already.
        if !target.starts_with("findings/") && !self.text.ends_with(&target) {
            self.text.push_str(" (");
            self.text.push_str(&target);
            self.text.push(')');
        }
    }

    fn next_mark(&mut self) -> String {
        let Some(Some(number)) = self.lists.last_mut() else { return "- ".to_owned() };
        let mark = format!("{number}. ");
        *number += 1;
        mark
    }

    fn code_block(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.in_code_block = false;
        self.blank_line();
        for line in text.lines() {
            self.out.push_str("    ");
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn blank_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes the collected text as one wrapped block.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() || self.in_code_block {
            self.text = text;
            return;
        }
        if self.lists.is_empty() {
            self.blank_line();
        }
        let outer = "   ".repeat(self.lists.len().saturating_sub(1));
        let mark = self.mark.take().unwrap_or_else(|| {
            if self.lists.is_empty() { String::new() } else { "   ".to_owned() }
        });
        let hang = format!("{outer}{}", " ".repeat(mark.chars().count()));
        let first = format!("{outer}{mark}");
        wrap(&mut self.out, &text, [&first, &hang], self.width);
    }
}

/// Writes words in lines of at most `width` characters; the indents are those of the first line and of
/// the others.
fn wrap(out: &mut String, text: &str, [first, hang]: [&str; 2], width: usize) {
    let mut used = first.chars().count();
    out.push_str(first);
    let mut at_start = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !at_start && used + 1 + length > width {
            out.push('\n');
            out.push_str(hang);
            used = hang.chars().count();
            at_start = true;
        }
        if !at_start {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
        at_start = false;
    }
    out.push('\n');
}
