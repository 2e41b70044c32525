//! The codes of findings. A code names one bad pattern, is kebab-case, and is never reused for another
//! meaning; its words are one file of that name in `crates/guides/findings`, its judgement is one rule in
//! `crates/check/src/rules`. The way in is [`Code`]. Codes are ordered by the stage that sees them.

macro_rules! codes {
    ($($variant:ident = $text:literal,)+) => {
        /// One finding code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each code is documented by its own finding file")]
        pub enum Code {
            $($variant,)+
        }

        impl Code {
            /// Every code, in the order of the stages.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as reports, links and file names show it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The code with this text, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

codes! {
    InputEmpty = "input-empty",
    InputDomainSyntax = "input-domain-syntax",
    InputAddressOrUrlGiven = "input-address-or-url-given",
    InputIdnInvalid = "input-idn-invalid",
    InputPublicSuffix = "input-public-suffix",
    InputIpLiteralTarget = "input-ip-literal-target",
    InputPortInvalid = "input-port-invalid",
    InputModePortConflict = "input-mode-port-conflict",
    InputModeNone = "input-mode-none",
    InputTargetPrivate = "input-target-private",
    DnsDomainNxdomain = "dns-domain-nxdomain",
    DnsNoMailRecords = "dns-no-mail-records",
    DnsImplicitMx = "dns-implicit-mx",
    DnsNullMx = "dns-null-mx",
    DnsNullMxMixed = "dns-null-mx-mixed",
    DnsMxServfail = "dns-mx-servfail",
    DnsDnssecBogus = "dns-dnssec-bogus",
    DnsTimeout = "dns-timeout",
    DnsTruncation = "dns-truncation",
    DnsRefused = "dns-refused",
    DnsMxCname = "dns-mx-cname",
    DnsMxIpLiteral = "dns-mx-ip-literal",
    DnsMxDangling = "dns-mx-dangling",
    DnsMxNoAddress = "dns-mx-no-address",
    DnsMxPrivateAddress = "dns-mx-private-address",
    DnsMxUnexpected = "dns-mx-unexpected",
    DnsResolverDisagreement = "dns-resolver-disagreement",
    DnsSingleMx = "dns-single-mx",
    DnsTooManyMx = "dns-too-many-mx",
    DnsHostUnresolvable = "dns-host-unresolvable",
    TcpRefused = "tcp-refused",
    TcpTimeout = "tcp-timeout",
    TcpPort25Blocked = "tcp-port25-blocked",
    TcpResetEarly = "tcp-reset-early",
    TcpUnreachable = "tcp-unreachable",
    TcpWrongPort = "tcp-wrong-port",
    TcpIpv6Broken = "tcp-ipv6-broken",
    TcpMxPartial = "tcp-mx-partial",
    TcpConnectionLimited = "tcp-connection-limited",
    GreetNone = "greet-none",
    GreetTarpit = "greet-tarpit",
    GreetDelay = "greet-delay",
    Greet4xx = "greet-4xx",
    Greet5xx = "greet-5xx",
    GreetNotSmtp = "greet-not-smtp",
    GreetTlsPortInPlaintext = "greet-tls-port-in-plaintext",
    GreetPlainPortWithTls = "greet-plain-port-with-tls",
    GreetOversizedLine = "greet-oversized-line",
    GreetMalformed = "greet-malformed",
    GreetEarlyClose = "greet-early-close",
    GreetNameDiffers = "greet-name-differs",
    EhloRejected = "ehlo-rejected",
    EhloNameRejected = "ehlo-name-rejected",
    EhloTemporary = "ehlo-temporary",
    EhloHang = "ehlo-hang",
    EhloMalformed = "ehlo-malformed",
    EhloChangesAfterTls = "ehlo-changes-after-tls",
    StarttlsNotAdvertised = "starttls-not-advertised",
    StarttlsPartialMx = "starttls-partial-mx",
    StarttlsStripped = "starttls-stripped",
    Starttls454 = "starttls-454",
    Starttls5xx = "starttls-5xx",
    StarttlsInjectedReply = "starttls-injected-reply",
    StarttlsHang = "starttls-hang",
    StarttlsOfferedInsideTls = "starttls-offered-inside-tls",
    TlsVersionTooOld = "tls-version-too-old",
    Tls13Missing = "tls13-missing",
    TlsNoSharedCipher = "tls-no-shared-cipher",
    TlsInsufficientSecurity = "tls-insufficient-security",
    TlsSmallDh = "tls-small-dh",
    TlsNoSharedGroup = "tls-no-shared-group",
    TlsNoSharedSigalg = "tls-no-shared-sigalg",
    TlsSniUnrecognized = "tls-sni-unrecognized",
    TlsSniDefaultCert = "tls-sni-default-cert",
    TlsHandshakeTimeout = "tls-handshake-timeout",
    TlsLargeHelloDropped = "tls-large-hello-dropped",
    TlsResetMid = "tls-reset-mid",
    TlsClosedMid = "tls-closed-mid",
    TlsRecordOverflow = "tls-record-overflow",
    TlsProtocolError = "tls-protocol-error",
    TlsIntegrityError = "tls-integrity-error",
    TlsInternalError = "tls-internal-error",
    TlsAccessDenied = "tls-access-denied",
    TlsClientCertRequired = "tls-client-cert-required",
    TlsAlpnRejected = "tls-alpn-rejected",
    TlsInappropriateFallback = "tls-inappropriate-fallback",
    TlsAnonymous = "tls-anonymous",
    TlsCompression = "tls-compression",
    TlsRenegotiationInsecure = "tls-renegotiation-insecure",
    TlsNoEms = "tls-no-ems",
    TlsNoPq = "tls-no-pq",
    TlsTruncatedClose = "tls-truncated-close",
    TlsPolicyAfterHandshake = "tls-policy-after-handshake",
    CertExpired = "cert-expired",
    CertNotYetValid = "cert-not-yet-valid",
    CertExpiringSoon = "cert-expiring-soon",
    CertNameMismatch = "cert-name-mismatch",
    CertWildcardDepth = "cert-wildcard-depth",
    CertWildcardMalformed = "cert-wildcard-malformed",
    CertCnOnly = "cert-cn-only",
    CertIpOnly = "cert-ip-only",
    CertSelfSigned = "cert-self-signed",
    CertPrivateCa = "cert-private-ca",
    CertMissingIntermediate = "cert-missing-intermediate",
    CertChainOrder = "cert-chain-order",
    CertIntermediateExpired = "cert-intermediate-expired",
    CertWeakKey = "cert-weak-key",
    CertWeakSignature = "cert-weak-signature",
    CertRevocationUnknown = "cert-revocation-unknown",
    CertEkuWrong = "cert-eku-wrong",
    CertConstraintViolated = "cert-constraint-violated",
    CertLifetimeTooLong = "cert-lifetime-too-long",
    CertUnparsable = "cert-unparsable",
    CertDiffersPerAddress = "cert-differs-per-address",
    AuthBadCredentials = "auth-bad-credentials",
    SendRecipientUnknown = "send-recipient-unknown",
    SendTemporary = "send-temporary",
    SendPermanent = "send-permanent",
    StsNone = "sts-none",
    StsRecordMultiple = "sts-record-multiple",
    StsRecordSyntax = "sts-record-syntax",
    StsIdInvalid = "sts-id-invalid",
    StsRecordDnsError = "sts-record-dns-error",
    StsPolicyWithoutRecord = "sts-policy-without-record",
    StsHostUnresolvable = "sts-host-unresolvable",
    StsHostUnreachable = "sts-host-unreachable",
    StsHostCertInvalid = "sts-host-cert-invalid",
    StsRedirect = "sts-redirect",
    StsHttpStatus = "sts-http-status",
    StsContentType = "sts-content-type",
    StsOversize = "sts-oversize",
    StsEncoding = "sts-encoding",
    StsPolicySyntax = "sts-policy-syntax",
    StsModeTesting = "sts-mode-testing",
    StsModeNone = "sts-mode-none",
    StsMaxAgeShort = "sts-max-age-short",
    StsMaxAgeInvalid = "sts-max-age-invalid",
    StsMxMissing = "sts-mx-missing",
    StsMxPatternInvalid = "sts-mx-pattern-invalid",
    StsMxNotListed = "sts-mx-not-listed",
    StsStalePattern = "sts-stale-pattern",
    StsEnforceMxFails = "sts-enforce-mx-fails",
    StsSubdomainNotCovered = "sts-subdomain-not-covered",
    RptNone = "rpt-none",
    RptMultiple = "rpt-multiple",
    RptSyntax = "rpt-syntax",
    RptRuaScheme = "rpt-rua-scheme",
    RptRuaMailUndeliverable = "rpt-rua-mail-undeliverable",
    RptRuaHttpsUnreachable = "rpt-rua-https-unreachable",
    RptExternal = "rpt-external",
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
