//! The date at the end of a `Received` line (RFC 5322 §3.3, with the obsolete forms of §4.3): an instant,
//! and what had to be tolerated. Two-digit years and zone names are read as §4.3 says; the order of the C
//! library's `asctime` is read too. The way in is [`parse_prefix`]. Keep: a date that does not exist is no
//! date, and nothing is filled in but a zone that is missing.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// What was tolerated in a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateDeviation {
    /// The order of `asctime`, with the year last.
    AsctimeOrder,
    /// A year of two or three digits (RFC 5322 §4.3).
    ShortYear,
    /// A zone name without a meaning in the standard; read as UTC (RFC 5322 §4.3, `-0000`).
    UnknownZone,
    /// No zone at all; read as UTC.
    ZoneMissing,
}

/// A date at the start of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateSeen {
    /// The instant.
    pub at: Timestamp,
    /// What was tolerated.
    pub deviations: Vec<DateDeviation>,
    /// Octets of the text that the date took, white space before it included.
    pub octets: usize,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One word of a date and where it ends.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    end: usize,
}

/// Words of a date that are looked at; the longest form has six.
const WORDS_MAX: usize = 8;

/// The date that a text starts with.
pub fn parse_prefix(text: &str) -> Option<DateSeen> {
    let words = words(text);
    let mut rest = words.as_slice();
    while let Some((_, tail)) = rest.split_first().filter(|(word, _)| is_day(word.text)) {
        rest = tail;
    }
    standard(rest).or_else(|| asctime(rest))
}

/// Whether a word is the name of a day, in full or in three letters.
pub fn is_day(word: &str) -> bool {
    let lower = word.trim_end_matches([',', '.']).to_ascii_lowercase();
    lower.get(..3).is_some_and(|short| DAYS.contains(&short))
        && (lower.len() == 3 || lower.ends_with("day"))
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive(|c: char| c.is_ascii_whitespace() || c == ',') {
        let word = piece.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if !word.is_empty() {
            found.push(Word { text: word, end: at + word.len() });
        }
        at += piece.len();
        if found.len() >= WORDS_MAX {
            break;
        }
    }
    found
}

/// `02 Sep 2023 04:24[:06] [zone]`, the date also as `02-Sep-2023`.
fn standard(words: &[Word<'_>]) -> Option<DateSeen> {
    let (first, rest) = words.split_first()?;
    let dashed: Vec<&str> = first.text.split('-').collect();
    let (day, month, year, rest) = if let [day, month, year] = dashed.as_slice() {
        (number(day)?, month_number(month)?, *year, rest)
    } else {
        let (month, rest) = rest.split_first()?;
        let (year, rest) = rest.split_first()?;
        (number(first.text)?, month_number(month.text)?, year.text, rest)
    };
    let (time, rest) = rest.split_first()?;
    let zone = rest.first().and_then(|word| zone(word.text).map(|offset| (offset, word.end)));
    build((day, month, year), time, zone, Vec::new())
}

/// `Sep 14 14:36:56 [zone] 2018`, after the day.
fn asctime(words: &[Word<'_>]) -> Option<DateSeen> {
    let [month, day, time, next, ..] = words else { return None };
    let noted = vec![DateDeviation::AsctimeOrder];
    let (day, month) = (number(day.text)?, month_number(month.text)?);
    if let Some(offset) = zone(next.text) {
        let year = words.get(4)?;
        return build((day, month, year.text), time, Some((offset, year.end)), noted);
    }
    let mut found = build((day, month, next.text), time, None, noted)?;
    found.octets = next.end;
    Some(found)
}

/// The offset of a zone, `None` inside for a name without a meaning.
type Zone = Option<Offset>;

fn build(
    (day, month, year): (i8, i8, &str),
    time: &Word<'_>,
    zone: Option<(Zone, usize)>,
    mut deviations: Vec<DateDeviation>,
) -> Option<DateSeen> {
    let year = match (year.len(), number::<i16>(year)?) {
        (4, year) => year,
        (2 | 3, short) => {
            deviations.push(DateDeviation::ShortYear);
            // RFC 5322 §4.3: 00 to 49 are of this century, the rest and three digits of the last.
            if year.len() == 2 && short < 50 { 2000 + short } else { 1900 + short }
        }
        _ => return None,
    };
    let mut parts = time.text.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    // A leap second has no place in the calendar used here; the second before it is nearest.
    // SendGrid writes fractions of a second.
    let second = parts.next().map(|text| text.split('.').next().unwrap_or_default());
    let second = second.map_or(Some(0), number::<i8>)?.min(59);
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let (offset, octets) = match zone {
        Some((Some(offset), end)) => (offset, end),
        Some((None, end)) => {
            deviations.push(DateDeviation::UnknownZone);
            (Offset::UTC, end)
        }
        None => {
            deviations.push(DateDeviation::ZoneMissing);
            (Offset::UTC, time.end)
        }
    };
    Some(DateSeen { at: offset.to_timestamp(civil).ok()?, deviations, octets })
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn month_number(text: &str) -> Option<i8> {
    let lower = text.to_ascii_lowercase();
    let short = lower.get(..3)?;
    let at = MONTHS.iter().position(|month| *month == short)?;
    i8::try_from(at + 1).ok()
}

/// A zone (RFC 5322 §3.3, §4.3); `None` when the word is none.
fn zone(word: &str) -> Option<Zone> {
    if let Some(offset) = numeric_zone(word) {
        return Some(Some(offset));
    }
    let hours = match word.to_ascii_uppercase().as_str() {
        "UT" | "GMT" | "UTC" | "Z" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        name if (1..=5).contains(&name.len()) && name.bytes().all(|o| o.is_ascii_uppercase()) => {
            // RFC 5322 §4.3: other names are taken as -0000. The words that start a clause are no zone.
            let clause = ["BY", "FOR", "FROM", "ID", "VIA", "WITH"].contains(&name);
            return if clause { None } else { Some(None) };
        }
        _ => return None,
    };
    Some(Offset::from_hours(hours).ok())
}

fn numeric_zone(word: &str) -> Option<Offset> {
    let (sign, digits) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
        (Some(digits), None) => (1, digits),
        (None, Some(digits)) => (-1, digits),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 {
        return None;
    }
    let value: i32 = number(&digits)?;
    Offset::from_seconds(sign * (value / 100 * 3_600 + value % 100 * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        use DateDeviation as D;
        type Expected = Option<(&'static str, &'static [D])>;
        let table: &[(&str, Expected)] = &[
            ("Tue, 21 Sep 2004 08:59:06 +0300", Some(("2004-09-21T05:59:06Z", &[]))),
            (" 02 Sep 2023 04:24 +0200 (CEST)", Some(("2023-09-02T02:24:00Z", &[]))),
            ("Wed, 12 Feb 2003 14:22:21 PST", Some(("2003-02-12T22:22:21Z", &[]))),
            ("3 Jul 2002 15:43:50 UT", Some(("2002-07-03T15:43:50Z", &[]))),
            ("Wed, 26 Mar 03 20:43:24 -0600", Some(("2003-03-27T02:43:24Z", &[D::ShortYear]))),
            (
                "25 Sep 92 14:13:02 XYZ",
                Some(("1992-09-25T14:13:02Z", &[D::ShortYear, D::UnknownZone])),
            ),
            ("30 Apr 2003 15:06:29", Some(("2003-04-30T15:06:29Z", &[D::ZoneMissing]))),
            (
                "Sun Nov 13 14:50:12 2005",
                Some(("2005-11-13T14:50:12Z", &[D::AsctimeOrder, D::ZoneMissing])),
            ),
            ("Fri Sep 14 14:36:56 EDT 2018", Some(("2018-09-14T18:36:56Z", &[D::AsctimeOrder]))),
            (", 23-Dec-2007 12:57:60 -0800", Some(("2007-12-23T20:57:59Z", &[]))),
            ("Mon, 13 Aug 1998 l8:14:23 +1000", None),
            ("31 Feb 2020 10:00:00 +0000", None),
            ("14:47:44 +0000", None),
            ("", None),
        ];
        for (text, expected) in table {
            let found = parse_prefix(text);
            let shown = found.as_ref().map(|d| (d.at.to_string(), d.deviations.as_slice()));
            let shown = shown.as_ref().map(|(at, deviations)| (at.as_str(), *deviations));
            assert_eq!(shown, *expected, "{text}");
        }
    }

    #[test]
    fn what_follows_a_date_is_left() {
        let text = "Thu, 20 Mar 03 10:06:43 +0100 for <asrg@ietf.org>";
        let octets = parse_prefix(text).unwrap().octets;
        assert_eq!(&text[octets..], " for <asrg@ietf.org>");
        assert_eq!(
            parse_prefix("1 May 2020 10:00 for x").unwrap().octets,
            "1 May 2020 10:00".len()
        );
    }
}
