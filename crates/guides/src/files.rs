//! The embedded files: every guide page and every finding, by name. Nothing is read from disk at run
//! time. The findings are one line a code, in alphabetical order; a test compares them with the folder.

macro_rules! finding_files {
    ($($code:literal,)+) => {
        /// Code and text of every finding file.
        pub(crate) const FINDING_FILES: &[(&str, &str)] = &[
            $(($code, include_str!(concat!("../findings/en/", $code, ".md"))),)+
        ];
    };
}

macro_rules! page_files {
    ($($name:literal,)*) => {
        /// Name and text of every guide page, in the order in which they are listed.
        pub(crate) const PAGE_FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../pages/en/", $name, ".md"))),)*
        ];
    };
}

page_files! {
    "tls",
    "setup-custom-smtp",
    "dns-and-reverse-dns",
}

finding_files! {
    "cert-chain-order",
    "cert-cn-only",
    "cert-constraint-violated",
    "cert-differs-per-address",
    "cert-eku-wrong",
    "cert-expired",
    "cert-expiring-soon",
    "cert-intermediate-expired",
    "cert-ip-only",
    "cert-lifetime-too-long",
    "cert-missing-intermediate",
    "cert-name-mismatch",
    "cert-not-yet-valid",
    "cert-private-ca",
    "cert-revocation-unknown",
    "cert-self-signed",
    "cert-unparsable",
    "cert-weak-key",
    "cert-weak-signature",
    "cert-wildcard-depth",
    "cert-wildcard-malformed",
    "input-empty",
    "rpt-external",
    "rpt-multiple",
    "rpt-none",
    "rpt-rua-https-unreachable",
    "rpt-rua-mail-undeliverable",
    "rpt-rua-scheme",
    "rpt-syntax",
    "starttls-454",
    "starttls-5xx",
    "starttls-hang",
    "starttls-injected-reply",
    "starttls-not-advertised",
    "starttls-offered-inside-tls",
    "starttls-partial-mx",
    "starttls-stripped",
    "sts-content-type",
    "sts-encoding",
    "sts-enforce-mx-fails",
    "sts-host-cert-invalid",
    "sts-host-unreachable",
    "sts-host-unresolvable",
    "sts-http-status",
    "sts-id-invalid",
    "sts-max-age-invalid",
    "sts-max-age-short",
    "sts-mode-none",
    "sts-mode-testing",
    "sts-mx-missing",
    "sts-mx-not-listed",
    "sts-mx-pattern-invalid",
    "sts-none",
    "sts-oversize",
    "sts-policy-syntax",
    "sts-policy-without-record",
    "sts-record-dns-error",
    "sts-record-multiple",
    "sts-record-syntax",
    "sts-redirect",
    "sts-stale-pattern",
    "sts-subdomain-not-covered",
    "tls-access-denied",
    "tls-alpn-rejected",
    "tls-anonymous",
    "tls-client-cert-required",
    "tls-closed-mid",
    "tls-compression",
    "tls-handshake-timeout",
    "tls-inappropriate-fallback",
    "tls-insufficient-security",
    "tls-integrity-error",
    "tls-internal-error",
    "tls-large-hello-dropped",
    "tls-no-ems",
    "tls-no-pq",
    "tls-no-shared-cipher",
    "tls-no-shared-group",
    "tls-no-shared-sigalg",
    "tls-policy-after-handshake",
    "tls-protocol-error",
    "tls-record-overflow",
    "tls-renegotiation-insecure",
    "tls-reset-mid",
    "tls-small-dh",
    "tls-sni-default-cert",
    "tls-sni-unrecognized",
    "tls-truncated-close",
    "tls-version-too-old",
    "tls13-missing",
}
