//! A report in every shape people and programs read. [`document`](mod@document) arranges one report into blocks; the
//! writers beside it turn blocks into text, Markdown or HTML and escape every foreign text on the way.
//! No judgement happens here, and no wording of a finding: both come with the report.

mod document;
mod html;
mod junit;
mod markdown;
mod matrix;
mod sent;
mod site;
mod text;

pub(crate) use sent::{sent as site_sent, state_seal, step as site_step, steps as site_steps};
pub(crate) use site::{
    circumstances as site_circumstances, report as site_report, time as site_time,
};

use crate::cli::error::CliError;
use crate::cli::output;
use anstyle::{AnsiColor, Style};
use waxseal_check::report::FailOn;
use waxseal_check::report::send::wire::{SendV1, StepV1};
use waxseal_check::report::wire::ReportV1;

/// The shape of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One self-contained page, without scripts or outside requests
    Html,
    /// One JSON object, or JSON Lines for several domains
    Json,
    /// JUnit XML for build servers
    Junit,
    /// Markdown
    Markdown,
    /// Text for a terminal
    #[default]
    Text,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Colours, or none.
    pub(crate) palette: Palette,
    /// Columns.
    pub(crate) width: usize,
}

/// The colours of text output; every one comes with a word that says the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Palette {
    /// Titles.
    pub(crate) strong: Style,
    /// What is in order.
    pub(crate) good: Style,
    /// What is wrong.
    pub(crate) bad: Style,
    /// What is weak or unknown.
    pub(crate) unsure: Style,
    /// What matters less.
    pub(crate) faint: Style,
}

impl Palette {
    /// No colours.
    pub(crate) fn plain() -> Self {
        Self::default()
    }

    /// Colours of the basic sixteen, so that the terminal's own scheme applies.
    pub(crate) const fn coloured() -> Self {
        Self {
            strong: Style::new().bold(),
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default().bold(),
            unsure: AnsiColor::Yellow.on_default(),
            faint: Style::new().dimmed(),
        }
    }
}

/// Reports in one shape. Text, Markdown and JSON Lines of several reports are the single ones one after the
/// other; HTML and JUnit are one document.
pub(crate) fn reports(
    reports: &[ReportV1],
    format: Format,
    fail_on: FailOn,
    layout: Layout,
) -> Result<String, CliError> {
    Ok(match format {
        Format::Html => html::page(reports),
        Format::Json => reports.iter().map(output::json_line).collect::<Result<_, _>>()?,
        Format::Junit => junit::suites(reports, fail_on),
        Format::Markdown => {
            let texts: Vec<String> = reports.iter().map(markdown::report).collect();
            texts.join("\n---\n\n")
        }
        Format::Text => {
            let texts: Vec<String> =
                reports.iter().map(|report| text::report(report, layout)).collect();
            texts.join("\n")
        }
    })
}

/// A message that was sent or tried, as text.
pub(crate) fn sent(sent: &SendV1, layout: Layout) -> String {
    text::sent(sent, layout)
}

/// One step of an attempt as it passes, as one line.
pub(crate) fn step(step: &StepV1) -> String {
    text::step(step)
}

/// A text of the guides as HTML.
pub(crate) fn prose(text: &str) -> String {
    html::prose(text)
}

/// One report as Markdown.
pub(crate) fn markdown(report: &ReportV1) -> String {
    markdown::report(report)
}

#[cfg(test)]
mod tests;
