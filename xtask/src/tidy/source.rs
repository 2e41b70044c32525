//! Checks of single Rust files: their opening, their names, and what must not be written in them.
//!
//! Lines are read as text; rustfmt gives them one form, so no parser is needed. Test code is judged
//! only where a rule says so.

use super::Tree;
use crate::workspace::SourceFile;

const BANNED_NAMES: &[&str] =
    &["common", "helper", "helpers", "manager", "misc", "shared", "types", "util", "utils"];

/// Modules called `danger` and the only files that may name them.
const DANGER_CALLERS: &[(&str, &[&str])] = &[
    (
        "crates/net/src/tls/danger.rs",
        &[
            "crates/net/src/tls/mod.rs",
            "crates/net/src/tls/probe.rs",
            "crates/net/src/tls/verify.rs",
            "crates/net/src/tls/vouching.rs",
        ],
    ),
    (
        "crates/proto/src/tls/danger.rs",
        &[
            "crates/app/src/connections/line.rs",
            "crates/app/src/submission.rs",
            "crates/proto/src/smtp/submission/plan.rs",
            "crates/check/src/diagnose/tests.rs",
            "crates/proto/src/smtp/submission/tests.rs",
            "crates/proto/src/tls/mod.rs",
            "crates/proto/src/tls/requirement.rs",
            "crates/send/src/outcome/tests.rs",
        ],
    ),
];

const DOC_LINES_MAX: usize = 8;
const DOC_LINES_MAX_ROOT: usize = 12;
const MECHANISMS: &[&str] = &["dns", "mta_sts", "smtp", "tls", "tls_rpt", "x509"];
const LIB_LINES_MAX: usize = 150;

/// Every file opens with a module doc of a readable length; a mechanism names its standard.
pub(super) fn module_docs(tree: &Tree) -> Vec<String> {
    // A file without its own folder `src`, `tests` or `benches` is a piece that another one includes.
    let modules = tree.rust.iter().filter(|file| {
        ["/src/", "/tests/", "/benches/"].iter().any(|folder| file.path.contains(folder))
    });
    modules.filter_map(module_doc).collect()
}

fn module_doc(file: &SourceFile) -> Option<String> {
    let doc: Vec<&str> = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let path = &file.path;
    if doc.is_empty() {
        return Some(format!("{path}:1: no module doc (`//!`)"));
    }
    if file.is_test() {
        return None;
    }
    if doc.contains(&"//! placeholder") {
        return Some(format!("{path}:1: the module doc is a placeholder"));
    }
    let is_root = path.ends_with("/lib.rs") || path.ends_with("/main.rs");
    let max = if is_root { DOC_LINES_MAX_ROOT } else { DOC_LINES_MAX };
    let lines = lines_of_text(&doc);
    if lines > max {
        return Some(format!("{path}:1: the module doc has {lines} lines, over {max}"));
    }
    let mechanism =
        MECHANISMS.iter().any(|name| path.starts_with(&format!("crates/proto/src/{name}/")));
    let names_standard = doc.iter().any(|line| line.contains("RFC "));
    (mechanism && !names_standard)
        .then(|| format!("{path}:1: the module doc names no standard (`RFC NNNN §…`)"))
}

/// Lines of a doc outside of fences: the picture of a state machine or an example is not counted.
fn lines_of_text(doc: &[&str]) -> usize {
    let mut fenced = false;
    let mut lines = 0;
    for line in doc {
        if line.trim_start_matches("//!").trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines += 1;
        }
    }
    lines
}

/// No module is called after nothing in particular, and a crate's `lib.rs` is a page, not an attic.
pub(super) fn module_names(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in &tree.rust {
        let parts = file.path.trim_end_matches(".rs").split('/');
        for name in parts.filter(|name| BANNED_NAMES.contains(name)) {
            problems.push(format!("{}:1: a module may not be called '{name}'", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            if let Some(name) = inline_module(line).filter(|name| BANNED_NAMES.contains(name)) {
                problems.push(format!(
                    "{}:{}: a module may not be called '{name}'",
                    file.path,
                    number + 1
                ));
            }
        }
        let lines = file.inline_tests_start();
        if file.path.ends_with("/lib.rs") && lines > LIB_LINES_MAX {
            problems
                .push(format!("{}:1: {lines} lines, over {LIB_LINES_MAX} for a lib.rs", file.path));
        }
    }
    problems
}

fn inline_module(line: &str) -> Option<&str> {
    let rest = line.trim_start();
    let rest =
        rest.strip_prefix("pub(crate) ").or_else(|| rest.strip_prefix("pub ")).unwrap_or(rest);
    rest.strip_prefix("mod ")?.split([' ', ';', '{']).next()
}

/// No ignored test, no test that must panic, no silenced lint.
pub(super) fn attributes(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in &tree.rust {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.trim_start();
            for (start, advice) in [
                ("#[ignore", "an ignored test proves nothing"),
                ("#[should_panic", "assert on the error instead"),
                ("#[allow(", "use #[expect(lint, reason = \"…\")]"),
                ("#![allow(", "use #![expect(lint, reason = \"…\")]"),
            ] {
                if line.starts_with(start) {
                    problems.push(format!("{}:{}: {start}…: {advice}", file.path, number + 1));
                }
            }
        }
    }
    problems
}

/// Modules that weaken a check are called `danger`, and only listed files name them.
pub(super) fn danger(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in tree.rust.iter().filter(|file| file.path.starts_with("crates/")) {
        let is_module = file.path.ends_with("/danger.rs") || file.path.contains("/danger/");
        if is_module {
            if !DANGER_CALLERS.iter().any(|(module, _)| *module == file.path) {
                problems.push(format!(
                    "{}:1: unlisted danger module (xtask/src/tidy/source.rs)",
                    file.path
                ));
            }
            continue;
        }
        let listed =
            DANGER_CALLERS.iter().any(|(_, callers)| callers.contains(&file.path.as_str()));
        let in_lab = file.path.starts_with("crates/lab/");
        for (number, line) in file.code_lines() {
            let code = line.split("//").next().unwrap_or_default();
            let names = code.contains("danger::")
                || code.contains("mod danger")
                || code.contains(".dangerous()");
            if names && !listed && !in_lab {
                problems.push(format!(
                    "{}:{number}: not in the list of callers of danger modules",
                    file.path
                ));
            }
        }
    }
    problems
}

/// A time or size that bounds something from outside has a name in `limits.rs`.
pub(super) fn limits(tree: &Tree) -> Vec<String> {
    const BOUNDED: &[&str] = &["app", "check", "net", "proto", "services", "store", "waxseal"];
    let mut problems = Vec::new();
    for file in &tree.rust {
        let bounded =
            BOUNDED.iter().any(|name| file.path.starts_with(&format!("crates/{name}/src/")));
        if !bounded || file.is_test() || file.path.ends_with("/limits.rs") {
            continue;
        }
        for (number, line) in file.code_lines() {
            if has_duration_literal(line) {
                problems.push(format!(
                    "{}:{number}: a duration belongs in limits.rs, with a name",
                    file.path
                ));
            }
        }
    }
    problems
}

fn has_duration_literal(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split("Duration::from_").skip(1).any(|rest| {
        let argument = rest.split_once('(').map(|(_, argument)| argument).unwrap_or_default();
        argument.starts_with(|first: char| first.is_ascii_digit()) && !argument.starts_with("0)")
    })
}

/// Domain values of the pure crates carry no serde; wire and row structs do, in modules of that name.
pub(super) fn formats(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in &tree.rust {
        let pure = ["crates/proto/src/", "crates/check/src/", "crates/services/src/"];
        let judged = pure.iter().any(|start| file.path.starts_with(start)) && !file.is_test();
        let edge = ["/wire.rs", "/wire/", "/rows.rs", "/rows/"];
        if !judged || edge.iter().any(|part| file.path.contains(part)) {
            continue;
        }
        for (number, line) in file.code_lines() {
            let derives = line.trim_start().starts_with("#[derive(");
            if derives && (line.contains("Serialize") || line.contains("Deserialize")) {
                problems.push(format!(
                    "{}:{number}: serde outside a module `wire` or `rows`",
                    file.path
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_string(), text: text.to_string() }
    }

    #[test]
    fn a_mechanism_names_its_standard() {
        let without = file("crates/proto/src/smtp/reply.rs", "//! Replies.\n//! Bounded.\n");
        let with = file("crates/proto/src/smtp/reply.rs", "//! Replies.\n//! RFC 5321 §4.2.\n");
        let elsewhere = file("crates/app/src/lib.rs", "//! Use cases.\n//! More.\n");
        assert!(module_doc(&without).unwrap().contains("names no standard"));
        assert_eq!(module_doc(&with), None);
        assert_eq!(module_doc(&elsewhere), None);
    }

    #[test]
    fn module_docs_have_a_length() {
        assert!(module_doc(&file("a/b.rs", "use x;\n")).unwrap().contains("no module doc"));
        let picture = format!("//! A machine.\n//! ```text\n{}//! ```\n", "//! -->\n".repeat(9));
        assert_eq!(module_doc(&file("a/b.rs", &picture)), None);
        assert!(module_doc(&file("a/b.rs", &"//! Line.\n".repeat(9))).unwrap().contains("9 lines"));
        assert_eq!(module_doc(&file("a/lib.rs", &"//! Line.\n".repeat(9))), None);
    }

    #[test]
    fn literals_are_told_from_names() {
        assert!(has_duration_literal("let x = Duration::from_secs(30);"));
        assert!(!has_duration_literal("let x = Duration::from_secs(GREETING_S_MAX);"));
        assert!(!has_duration_literal("// like Duration::from_secs(30)"));
        assert_eq!(inline_module("    pub(crate) mod util {"), Some("util"));
        assert_eq!(inline_module("let modern = 1;"), None);
    }
}
