//! A refusing reply, ready for questions (RFC 5321 §4.2, RFC 2034 §4): basic code, enhanced code of any class,
//! and the words of all lines as one text. The way in is [`Refusal::read`]. Keep: words only tell refusals
//! apart; whether to try again is said by the basic code alone.

use waxseal_proto::smtp::reply::{EnhancedCode, Reply};
use waxseal_proto::smtp::reply_class::Permanence;
use waxseal_proto::smtp::submission::Step;

/// A refusing reply and the step it came in.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    pub(super) reply: &'a Reply,
    pub(super) step: Step,
    text: String,
    enhanced: Option<EnhancedCode>,
}

impl<'a> Refusal<'a> {
    /// Reads a reply: lower case, lines joined by spaces, without the codes at the start of each.
    pub(super) fn read(reply: &'a Reply, step: Step) -> Self {
        let lines: Vec<&str> = reply
            .lines
            .iter()
            .map(|line| match (EnhancedCode::at_start_of(line), line.split_once(' ')) {
                (Some(_), Some((_, words))) => words.trim(),
                (Some(_), None) => "",
                (None, _) => line.trim(),
            })
            .collect();
        Self { reply, step, text: lines.join(" ").to_ascii_lowercase(), enhanced: any_class(reply) }
    }

    pub(super) const fn code(&self) -> u16 {
        self.reply.code.number()
    }

    pub(super) const fn permanence(&self) -> Permanence {
        Permanence::of(self.reply.code)
    }

    pub(super) fn is_permanent(&self) -> bool {
        self.permanence() == Permanence::Permanent
    }

    /// Whether the message itself was refused.
    pub(super) const fn in_message(&self) -> bool {
        matches!(self.step, Step::Body)
    }

    /// Whether the enhanced code has this subject and detail, whatever its class.
    pub(super) fn is(&self, subject: u16, detail: u16) -> bool {
        self.subject_and_detail() == Some((subject, detail))
    }

    pub(super) fn subject(&self) -> Option<u16> {
        self.enhanced.map(|code| code.subject)
    }

    pub(super) fn subject_and_detail(&self) -> Option<(u16, u16)> {
        self.enhanced.map(|code| (code.subject, code.detail))
    }

    /// Whether any of these phrases stands in the text.
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase))
    }

    /// Whether any of these is a word of the text, hyphens being part of words.
    pub(super) fn names(&self, words: &[&str]) -> bool {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '-';
        self.text.split(|letter: char| !is_part(letter)).any(|word| words.contains(&word))
    }
}

/// The enhanced code at the start of the text, also where its class is not that of the basic code.
fn any_class(reply: &Reply) -> Option<EnhancedCode> {
    reply.lines.first().and_then(|line| EnhancedCode::at_start_of(line))
}

/// Whether basic and enhanced code say different things about trying again (RFC 2034 §4).
pub(super) fn classes_differ(reply: &Reply) -> Option<EnhancedCode> {
    any_class(reply).filter(|code| u16::from(code.class) != reply.code.first_digit())
}
