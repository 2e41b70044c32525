//! What operators are told to type is what the program takes: every command line in the guide for operators, the
//! unit, the container file and the examples for proxies is compared with the help of its command.

use crate::program::run;
use std::path::Path;

const FILES: [&str; 6] = [
    "Containerfile",
    "README.md",
    "docs/deploy.md",
    "packaging/Caddyfile",
    "packaging/nginx.conf",
    "packaging/waxseal.service",
];

/// The words behind the last `waxseal` of each line; lines that go on are joined.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ").replace("WAXSEAL_OPTIONS=", "waxseal serve ");
    let words = |line: &str| -> Vec<String> {
        let plain = |c: char| matches!(c, '"' | '\'' | '`' | '|' | ',' | '[' | ']' | '(' | ')');
        line.replace(plain, " ").split_whitespace().map(str::to_owned).collect()
    };
    joined
        .lines()
        .map(words)
        .filter_map(|words| {
            let at = words.iter().rposition(|word| word == "waxseal" || word.ends_with("/waxseal"));
            Some(words.get(at? + 1..)?.to_vec())
        })
        .collect()
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn command_lines_for_operators_are_what_the_program_takes() {
    let mut compared = 0;
    for file in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        for words in command_lines(&text) {
            let mut path: Vec<&str> = Vec::new();
            let mut help = run(&["--help"]).stdout;
            for word in &words {
                if !commands(&help).contains(word) {
                    break;
                }
                path.push(word);
                help = run(&[&path[..], &["--help"]].concat()).stdout;
            }
            if path.is_empty() {
                continue;
            }
            let end = words.iter().position(|word| word.starts_with('#')).unwrap_or(words.len());
            for option in words[..end].iter().filter(|word| word.starts_with("--")) {
                let name = option.split('=').next().unwrap();
                let listed = help.split([' ', ',']).any(|word| word.trim() == name);
                assert!(listed, "{file}: waxseal {} has no {name}", path.join(" "));
                compared += 1;
            }
        }
    }
    assert!(compared > 25, "{compared} options were found");
}
