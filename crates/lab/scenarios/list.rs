// One line per scenario: area/name. Kept in the order in which they are shown.
scenarios! {
    "healthy/healthy-one-mx",
    "healthy/healthy-sts-enforce",
    "cert/cert-expired",
    "cert/cert-name-mismatch",
    "cert/cert-self-signed",
    "starttls/starttls-not-advertised",
    "starttls/starttls-injected-reply",
    "dns/dns-no-mail-records",
    "dns/dns-null-mx",
    "tcp/tcp-refused",
    "greeting/greet-4xx",
}
