//! The mail hosts by stage. On a phone the style sheet turns each row into a block, so the roles of a table are
//! written out: a changed display takes them away.

use super::super::matrix::{Row, STAGES, State};
use crate::escape;
use std::fmt::Write as _;

pub(super) fn write(out: &mut String, rows: &[Row], anchor: &str) {
    if !rows.iter().flat_map(|row| &row.lines).any(|line| line.tested) {
        return hosts_alone(out, rows);
    }
    let _ = write!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{anchor}\">\
         <table class=\"stages stack\" role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">\
         <th scope=\"col\" role=\"columnheader\">mail host</th>"
    );
    for stage in STAGES {
        let _ = write!(out, "<th scope=\"col\" role=\"columnheader\">{stage}</th>");
    }
    out.push_str("</tr></thead>\n");
    for row in rows {
        out.push_str("<tbody role=\"rowgroup\">\n");
        host(out, row);
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div>\n");
}

/// Where no session was part of the check, stages would only be empty.
fn hosts_alone(out: &mut String, rows: &[Row]) {
    out.push_str("<dl class=\"facts\">\n");
    for row in rows {
        let addresses: Vec<&str> = row.lines.iter().map(|line| line.address.as_str()).collect();
        let addresses = if addresses.is_empty() {
            "no address that was looked at".to_owned()
        } else {
            escape::html(&addresses.join(", "))
        };
        let _ = writeln!(
            out,
            "<div><dt>{} <strong>{}</strong></dt><dd>{addresses}</dd></div>",
            row.preference,
            escape::html(&row.host)
        );
    }
    out.push_str("</dl>\n");
}

fn host(out: &mut String, row: &Row) {
    let name =
        format!("<span class=\"faint\">{}</span> {}", row.preference, escape::html(&row.host));
    if row.lines.is_empty() {
        let _ = writeln!(
            out,
            "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{name}</th><td role=\"cell\" colspan=\"{}\">no address that was looked at</td></tr>",
            STAGES.len()
        );
    }
    for line in &row.lines {
        let _ = write!(
            out,
            "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{name} <span class=\"faint\">[{}]</span></th>",
            escape::html(&line.address)
        );
        for (cell, stage) in line.cells.iter().zip(STAGES) {
            let class = match cell.state {
                State::Good => "good",
                State::NotReached => "faint",
                State::Problem => "bad",
            };
            let word = escape::html(&cell.word);
            let _ = write!(
                out,
                "<td role=\"cell\" class=\"{class}\" data-label=\"{stage}\">{word}</td>"
            );
        }
        out.push_str("</tr>\n");
        let notes: Vec<String> =
            line.tls.iter().chain(&line.reasons).map(|note| escape::html(note)).collect();
        if !notes.is_empty() {
            let _ = writeln!(
                out,
                "<tr role=\"row\" class=\"notes\"><td role=\"cell\" colspan=\"{}\">{}</td></tr>",
                STAGES.len() + 1,
                notes.join("<br>")
            );
        }
    }
}
