//! What the program says of itself: help texts as committed, completions, manual pages, guides.

use super::program::run;

#[test]
fn help_reads_as_committed() {
    let commands: &[&[&str]] = &[
        &[],
        &["backup"],
        &["restore"],
        &["key"],
        &["check"],
        &["connection"],
        &["connection", "add"],
        &["guide"],
        &["headers"],
        &["lab"],
        &["lab", "exec"],
        &["doctor"],
        &["mcp"],
        &["presets"],
        &["serve"],
        &["token"],
        &["token", "create"],
        &["tool"],
        &["tool", "cert", "verify"],
        &["tool", "smtp", "send"],
        &["tool", "tls", "probe"],
    ];
    for command in commands {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let said = run(&arguments);
        assert_eq!((said.status, said.stderr.as_str()), (0, ""), "{said:?}");
        let name = if command.is_empty() { "waxseal".to_owned() } else { command.join("-") };
        insta::assert_snapshot!(format!("help-{name}"), said.stdout);
    }
}

#[test]
fn completions_and_manual_pages_are_generated() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = run(&["completions", shell]);
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.stdout.contains("mta-sts"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["man", folder.path().to_str().unwrap()]);
    assert_eq!(said.status, 0, "{said:?}");
    for page in ["waxseal.1", "waxseal-check.1", "waxseal-tool-cert-verify.1"] {
        assert!(folder.path().join(page).is_file(), "{page}");
    }
}

#[test]
fn guides_are_found_by_page_section_and_code() {
    for (arguments, words) in [
        (&["guide"][..], "waxseal guide PAGE"),
        (&["guide", "tls"], "STARTTLS"),
        (&["guide", "tls#certificate"], "cert-expired"),
        (&["guide", "cert-expired"], "end date"),
        (&["guide", "tls", "--format", "markdown"], "# "),
        (&["guide", "cert-expired", "--format", "html"], "<h"),
    ] {
        let said = run(arguments);
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.stdout.contains(words), "{arguments:?}: {}", said.stdout);
    }
    let near = run(&["guide", "cert-expird"]);
    assert!(near.stderr.contains("near names: cert-expired"), "{near:?}");
    for wrong in ["nothing", "tls#nothing", "\u{1b}[2J"] {
        let said = run(&["guide", wrong]);
        said.is_calm();
        assert_eq!((said.status, said.stderr.lines().count()), (2, 1), "{said:?}");
    }
}
