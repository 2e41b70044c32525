//! Which crate may depend on which: the edge list of ARCHITECTURE.md, and the outside crates that a
//! pure crate may use.
//!
//! Normal and build dependencies count, those of tests do not, except that the lab and the client never
//! meet even there (nothing but the binary sees both).

use super::Tree;

/// One of our crates: which of ours it may use, and which outside crates (`None`: any).
struct Edges {
    name: &'static str,
    ours: &'static [&'static str],
    outside: Option<&'static [&'static str]>,
}

const EDGES: &[Edges] = &[
    Edges {
        name: "waxseal-proto",
        ours: &[],
        outside: Some(&[
            "aws-lc-rs",
            "base64",
            "hmac",
            "idna",
            "jiff",
            "md-5",
            "psl",
            "rustls-pki-types",
            "rustls-webpki",
            "stringprep",
            "thiserror",
            "tls-parser",
            "x509-parser",
        ]),
    },
    Edges {
        name: "waxseal-guides",
        ours: &[],
        outside: Some(&["pulldown-cmark", "serde", "thiserror", "toml"]),
    },
    Edges {
        name: "waxseal-services",
        ours: &["waxseal-proto"],
        outside: Some(&["aws-lc-rs", "base64", "jiff", "serde", "serde_json", "thiserror"]),
    },
    Edges {
        name: "waxseal-check",
        ours: &["waxseal-proto", "waxseal-guides", "waxseal-services"],
        outside: Some(&["jiff", "schemars", "serde", "serde_json", "thiserror"]),
    },
    Edges {
        name: "waxseal-send",
        ours: &["waxseal-proto"],
        outside: Some(&["base64", "jiff", "thiserror"]),
    },
    Edges {
        name: "waxseal-net",
        ours: &["waxseal-proto", "waxseal-check", "waxseal-send", "waxseal-services"],
        outside: None,
    },
    Edges { name: "waxseal-store", ours: &["waxseal-proto", "waxseal-check"], outside: None },
    Edges {
        name: "waxseal-app",
        ours: &[
            "waxseal-proto",
            "waxseal-guides",
            "waxseal-services",
            "waxseal-check",
            "waxseal-send",
            "waxseal-net",
            "waxseal-store",
        ],
        outside: None,
    },
    Edges {
        name: "waxseal",
        ours: &[
            "waxseal-proto",
            "waxseal-guides",
            "waxseal-services",
            "waxseal-check",
            "waxseal-app",
            "waxseal-lab",
        ],
        outside: None,
    },
    Edges { name: "waxseal-lab", ours: &[], outside: None },
    Edges {
        name: "waxseal-bench",
        ours: &["waxseal-app", "waxseal-check", "waxseal-lab"],
        outside: None,
    },
    Edges {
        name: "waxseal-fuzz",
        ours: &[
            "waxseal-proto",
            "waxseal-guides",
            "waxseal-services",
            "waxseal-check",
            "waxseal-net",
        ],
        outside: None,
    },
    Edges { name: "xtask", ours: &[], outside: Some(&["anyhow", "serde_json", "sha2", "toml"]) },
];

/// Compares every manifest with the list.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let ours: Vec<&str> = tree.metadata.own().map(|package| package.name.as_str()).collect();
    let mut problems = Vec::new();
    for package in tree.metadata.own() {
        let Some(edges) = EDGES.iter().find(|edges| edges.name == package.name) else {
            problems.push(format!(
                "Cargo.toml: crate '{}' is not in the edge list (xtask/src/tidy/edges.rs)",
                package.name
            ));
            continue;
        };
        for dependency in &package.normal {
            if let Some(problem) = problem(edges, dependency, ours.contains(&dependency.as_str())) {
                problems.push(problem);
            }
        }
    }
    problems
}

fn problem(edges: &Edges, dependency: &str, is_ours: bool) -> Option<String> {
    let allowed = if is_ours {
        edges.ours.contains(&dependency)
    } else {
        edges.outside.is_none_or(|outside| outside.contains(&dependency))
    };
    let name = edges.name;
    (!allowed)
        .then(|| format!("Cargo.toml of {name}: must not depend on '{dependency}' (edge list)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_downward_only() {
        let edges = |name| EDGES.iter().find(|edges: &&Edges| edges.name == name).unwrap();
        let cases = [
            ("waxseal-check", "waxseal-proto", true, true),
            ("waxseal-check", "waxseal-net", true, false),
            ("waxseal-proto", "tokio", false, false),
            ("waxseal", "waxseal-net", true, false),
            ("waxseal-lab", "waxseal-proto", true, false),
            ("waxseal-net", "tokio", false, true),
        ];
        for (from, to, ours, allowed) in cases {
            assert_eq!(problem(edges(from), to, ours).is_none(), allowed, "{from} -> {to}");
        }
    }
}
