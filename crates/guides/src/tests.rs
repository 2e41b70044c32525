//! What holds for all texts: they parse, their links lead somewhere, they are short and plain. The
//! folder is read here only to prove that no file is left out of the embedded list.

use std::collections::BTreeSet;

use super::*;
use crate::files::{FINDING_FILES, PAGE_FILES};

/// The anchors that findings and tools rely on; a page may have more.
const TLS_ANCHORS: &[&str] = &[
    "what-a-pass-means",
    "two-tls-paths",
    "port-and-security-mode",
    "do-not-lower-security",
    "steps",
    "after-the-connection-works",
    "credentials",
    "own-server",
    "advanced-policies",
    "starttls-needs-a-server-side-check",
    "no-mx-records-for-smtp-tls-check",
    "input",
    "connection",
    "greeting",
    "handshake",
    "certificate",
    "sign-in",
    "test-message",
    "api",
    "mta-sts",
    "dane",
    "tls-rpt",
];
const DNS_ANCHORS: &[&str] = &["lookups", "dnssec", "ptr", "helo", "blocklists"];

/// Longer sentences lose readers who are not experts.
const SENTENCE_WORDS_MAX: f64 = 20.0;

#[test]
fn every_file_parses() {
    assert_eq!(problems(), Vec::<&FileError>::new());
    assert_eq!(findings().len(), FINDING_FILES.len());
    assert_eq!(pages().len(), PAGE_FILES.len());
}

#[test]
fn the_embedded_lists_are_sorted_and_equal_the_folders() {
    for (folder, files) in [("findings/en", FINDING_FILES), ("pages/en", PAGE_FILES)] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let on_disk: BTreeSet<String> = std::fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let embedded: BTreeSet<String> =
            files.iter().map(|(name, _)| format!("{name}.md")).collect();
        assert_eq!(on_disk, embedded, "{folder}");
        assert_eq!(files.len(), embedded.len(), "{folder}: a file stands twice");
    }
    assert!(FINDING_FILES.is_sorted_by_key(|(code, _)| *code), "findings are not in order");
}

#[test]
fn the_pages_have_the_promised_anchors() {
    for (name, anchors) in [
        ("tls", TLS_ANCHORS),
        ("setup-custom-smtp", &["settings"]),
        ("dns-and-reverse-dns", DNS_ANCHORS),
        ("from-reply-to-and-return-path", &["from", "return-path"]),
        ("sender-domains-and-authentication", &["verify"]),
        ("bulk", &["requirements", "unsubscribe"]),
    ] {
        let page = page(name).unwrap();
        for anchor in anchors {
            assert!(page.section(anchor).is_some(), "{name}#{anchor}");
        }
    }
}

#[test]
fn pages_are_complete_and_short() {
    for page in pages() {
        let name = page.name;
        assert!(!page.title.is_empty() && !page.summary.is_empty(), "{name}");
        assert!(!page.category.is_empty() && page.keywords.len() >= 5, "{name}");
        assert!(!page.agent_notes.is_empty() && !page.related.is_empty(), "{name}");
        assert!(page.related.iter().all(|other| crate::page(other).is_some()), "{name}");
        assert!(page.reading_minutes() < 6, "{name}: {} words", page.words());
        for section in &page.sections {
            let text: usize =
                page.section_with_parts(&section.anchor).iter().map(|part| part.body.len()).sum();
            assert!(text > 0, "{name}#{} is empty", section.anchor);
        }
    }
}

#[test]
fn every_code_has_its_file() {
    // The codes belong to a crate that this one must not depend on; its list is read as text.
    let codes: BTreeSet<&str> = include_str!("../../proto/src/finding.rs")
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\",")?.split_once(" = \""))
        .map(|(_, code)| code)
        .collect();
    let files: BTreeSet<&str> = findings().iter().map(|finding| finding.code).collect();
    assert_eq!(codes, files);
    assert!(codes.len() > 100, "the list of codes was not found");
}

#[test]
fn findings_point_at_sections_and_codes_that_exist() {
    for finding in findings() {
        let code = finding.code;
        let (name, anchor) = finding.guide_parts();
        let section = page(name).and_then(|page| page.section(anchor));
        assert!(section.is_some(), "{code}: no guide section {}", finding.guide);
        for other in &finding.look_alikes {
            assert!(crate::finding(other).is_some(), "{code}: look-alike {other} is no code");
            assert_ne!(other, code, "{code} looks like itself");
        }
    }
}

#[test]
fn findings_are_complete() {
    for finding in findings() {
        let code = finding.code;
        assert!(!finding.title.is_empty() && !finding.title.ends_with('.'), "{code}: title");
        assert!(!finding.sources.is_empty(), "{code}: no source");
        for (what, items) in
            [("causes", &finding.causes), ("fix", &finding.fix), ("never", &finding.never)]
        {
            assert!(!items.is_empty(), "{code}: no {what}");
            for item in items {
                assert!(item.ends_with(['.', '?', ')']), "{code}: {what}: {item}");
            }
        }
        assert!(finding.meaning.split("\n\n").count() <= 3, "{code}: meaning is too long");
        let whens: Vec<&str> = finding.cases.iter().map(|case| case.when.as_str()).collect();
        assert!(!whens.contains(&"any") || whens.len() == 1, "{code}: `any` has company");
        assert_eq!(whens.contains(&"a"), whens.contains(&"b"), "{code}: one path is missing");
        for text in texts(finding) {
            let filled = placeholder::fill(&text, "", "");
            assert!(!filled.contains(['{', '}']), "{code}: unknown placeholder in: {text}");
        }
    }
}

#[test]
fn sentences_are_short() {
    for page in pages() {
        let mut blocks = vec![page.summary.clone(), page.intro.clone()];
        blocks.extend(page.sections.iter().map(|section| section.body.clone()));
        check_sentences(page.name, &blocks.join("\n\n"));
    }
    for finding in findings() {
        check_sentences(finding.code, &texts(finding).join("\n\n"));
    }
}

#[test]
fn internal_links_resolve() {
    let mut seen = 0;
    let documents = pages()
        .iter()
        .map(|page| (page.name, markdown::page_markdown(page)))
        .chain(findings().iter().map(|one| (one.code, markdown::finding_markdown(one))));
    for (name, document) in documents {
        for link in links(&document) {
            let Some(target) = markdown::target(&link) else {
                assert!(link.starts_with("https://"), "{name}: link {link}");
                continue;
            };
            seen += 1;
            assert!(link_exists(&target), "{name}: link {link} leads nowhere");
        }
    }
    assert!(seen > 50, "only {seen} links found");
}

fn link_exists(target: &str) -> bool {
    if let Some(code) = target.strip_prefix("findings/") {
        return finding(code).is_some();
    }
    let (name, anchor) = target.split_once('#').map_or((target, None), |(n, a)| (n, Some(a)));
    page(name).is_some_and(|page| anchor.is_none_or(|anchor| page.section(anchor).is_some()))
}

fn links(document: &str) -> Vec<String> {
    markdown::events(document)
        .filter_map(|event| {
            if let pulldown_cmark::Event::Start(pulldown_cmark::Tag::Link { dest_url, .. }) = event
            {
                return Some(dest_url.to_string());
            }
            None
        })
        .collect()
}

fn texts(finding: &FindingText) -> Vec<String> {
    let mut texts = vec![finding.meaning.clone()];
    texts.extend(finding.causes.iter().chain(&finding.fix).chain(&finding.never).cloned());
    texts
}

/// Average number of words in a sentence; a list item and a paragraph end one.
fn check_sentences(name: &str, markdown: &str) {
    let mut plain = String::new();
    for event in markdown::events(markdown) {
        if let pulldown_cmark::Event::Text(text) | pulldown_cmark::Event::Code(text) = event {
            plain.push_str(&text);
        } else if matches!(event, pulldown_cmark::Event::SoftBreak) {
            plain.push(' ');
        } else if matches!(
            event,
            pulldown_cmark::Event::End(
                pulldown_cmark::TagEnd::Paragraph | pulldown_cmark::TagEnd::Item
            )
        ) {
            plain.push('\u{1}');
        }
    }
    let ends = plain.replace(". ", "\u{1}").replace("? ", "\u{1}").replace("! ", "\u{1}");
    let sentences: Vec<usize> = ends
        .split('\u{1}')
        .map(|sentence| sentence.split_whitespace().count())
        .filter(|words| *words > 0)
        .collect();
    let words: usize = sentences.iter().sum();
    let average = f64::from(u32::try_from(words).unwrap())
        / f64::from(u32::try_from(sentences.len().max(1)).unwrap());
    assert!(average <= SENTENCE_WORDS_MAX, "{name}: {average:.1} words a sentence");
    assert!(sentences.iter().all(|words| *words <= 40), "{name}: a sentence has over 40 words");
}

mod reading {
    //! Bad files give typed errors.
    use crate::catalogue::parse;
    use crate::front_matter::Problem;

    const FRONT: &str = "+++\ntitle = \"t\"\nguide = \"tls#input\"\nsources = [\"s\"]\n\
        look_alikes = []\n[[cases]]\nwhen = \"any\"\nseverity = \"fail\"\nowner = \"app\"\n+++\n";
    const BODY: &str = "\n## Meaning\n\nOne\ntwo.\n\n## Causes\n\n1. A\n   b.\n\n## Fix\n\n1. C.\n\n\
        ## Never\n\n- D.\n";

    #[test]
    fn a_good_finding_keeps_its_parts() {
        let finding = parse("x", &format!("{FRONT}{BODY}")).unwrap();
        assert_eq!(finding.meaning, "One two.");
        assert_eq!(finding.causes, ["A b."]);
        assert_eq!(finding.case("any").unwrap().owner.as_str(), "app");
        assert_eq!(finding.case("b"), None);
    }

    #[test]
    fn bad_findings_are_named() {
        let many = "1. C.\n".repeat(6);
        for (text, expected) in [
            (BODY.to_owned(), "no front matter between two `+++` lines"),
            (
                format!("{}{BODY}", FRONT.replace("tls#input", "tls")),
                "guide `tls` is not page#section",
            ),
            (
                format!("{FRONT}{}", BODY.replace("## Never", "## Nope")),
                "sections are Meaning, Causes, Fix, Nope, expected Meaning, Causes, Fix, Never",
            ),
            (format!("{FRONT}{}", BODY.replace("- D.", "")), "section `Never` is empty"),
            (
                format!("{FRONT}{}", BODY.replace("1. C.", "C.")),
                "section `Fix`: not a list item: `C.`",
            ),
            (format!("{FRONT}{}", BODY.replace("1. C.", &many)), "6 fix steps, at most 5 allowed"),
            (
                format!("{}{BODY}", FRONT.replace("fail", "panic")),
                "front matter: unknown variant `panic`, expected one of `fail`, `warn`, `info`",
            ),
        ] {
            let problem: Problem = parse("x", &text).unwrap_err();
            assert_eq!(problem.to_string(), expected);
        }
    }

    #[test]
    fn a_heading_without_its_own_anchor_is_an_error() {
        let front = "+++\ntitle = \"t\"\nsummary = \"s\"\ncategory = \"c\"\nkeywords = []\n\
            related = []\nagent_notes = []\n+++\n";
        for body in ["## Plain\n", "# One {#one}\n", "## A {#a}\n\n## B {#a}\n", "## C {#Big}\n"] {
            let problem = crate::page::parse("p", &format!("{front}{body}")).unwrap_err();
            assert!(matches!(problem, Problem::Anchor(_)), "{body}: {problem}");
        }
    }
}

mod rendering {
    //! One source, three shapes.
    use crate::{markdown, page, terminal};

    #[test]
    fn the_twin_holds_what_an_agent_needs() {
        let twin = markdown::page_markdown(page("tls").unwrap());
        for part in [
            "- Address: /guides/tls (Markdown: /guides/tls.md)",
            "- Reading time: 5 minutes",
            "## Notes for agents {#agent-notes}",
            "(findings/input-empty.md) (`input-empty`, fail)",
            "- [Connecting an app over custom SMTP](setup-custom-smtp.md): Which",
        ] {
            assert!(twin.contains(part), "{part}");
        }
        let input = twin.find("{#input}").unwrap();
        let connection = twin.find("{#connection}").unwrap();
        let listed = twin.find("findings/input-empty.md").unwrap();
        assert!(input < listed && listed < connection, "the finding stands under its section");
    }

    #[test]
    fn html_links_lead_to_pages_for_people() {
        let html = markdown::page_html(page("tls").unwrap());
        assert!(html.contains("<h2 id=\"input\">"), "{html}");
        assert!(html.contains("href=\"/guides/findings/input-empty\""));
        assert!(html.contains("href=\"/guides/setup-custom-smtp#settings\""));
        assert!(!html.contains(".md"));
        let finding = markdown::finding_html(crate::finding("input-empty").unwrap());
        assert!(finding.contains("href=\"/guides/tls#input\""));
        assert!(finding.contains("href=\"/guides/findings/input-domain-syntax\""));
    }

    #[test]
    fn terminal_lines_keep_the_width() {
        for width in [40, 60, 100] {
            for text in crate::pages().iter().map(|page| terminal::page_text(page, width)).chain(
                crate::findings().iter().map(|finding| terminal::finding_text(finding, width)),
            ) {
                for line in text.lines().filter(|line| line.trim().contains(' ')) {
                    let one_word = line.trim_start_matches([' ', '-']).split(' ').count() <= 2;
                    assert!(one_word || line.chars().count() <= width, "{width}: {line}");
                }
                assert!(!text.contains("{#") && !text.contains("]("), "{text}");
            }
        }
    }

    #[test]
    fn a_section_brings_its_parts() {
        let tls = page("tls").unwrap();
        let text = terminal::section_text(tls, "common-issues", 80).unwrap();
        assert!(text.contains("There are no mail servers to test"), "{text}");
        assert!(!text.contains("Checklist"), "{text}");
        assert_eq!(terminal::section_text(tls, "absent", 80), None);
    }

    #[test]
    fn text_is_indented_and_numbered() {
        let text = terminal::render("# T\n\nOne `two` [three](tls.md#input).\n\n1. a\n2. b\n", 30);
        assert_eq!(text, "T\n=\n\nOne two three (tls#input).\n\n1. a\n2. b\n");
    }

    #[test]
    fn raw_html_is_shown_as_text() {
        let mut finding = crate::finding("input-empty").unwrap().clone();
        finding.meaning = "a <script>alert(1)</script> b".to_owned();
        let html = markdown::finding_html(&finding);
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
    }
}
