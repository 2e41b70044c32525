//! Mailbox and hosting providers over SMTP submission, and mail catchers on this machine.
//!
//! Data only; [`super::by_name`] and [`super::for_host`] read it. Most rows rest on Thunderbird's or
//! nodemailer's published lists ([`Evidence`]); ports that only one unofficial source names are left out.
//! Invariant: mode `none` stands in the row of the mail catchers alone.

use waxseal_proto::tls::mode::Mode;

use super::{
    Caution, ClearText, Counted, Endpoint, Evidence, HostPattern, NO_RECYCLING, Period, Preset,
    STARTTLS_587, SignIn, TLS_465, UserName, at, limit, starttls,
};

/// What most providers have in common: the mailbox address and its password.
const MAILBOX: Preset = Preset {
    name: "",
    title: "",
    hosts: &[],
    endpoints: &[],
    sign_in: &[SignIn::Password],
    user: UserName::FullAddress,
    clear_text: ClearText::NotKnown,
    limits: &[],
    recycling: NO_RECYCLING,
    api: None,
    cautions: &[],
    documentation: "",
    evidence: Evidence::Autoconfig,
};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "gmail",
        title: "Gmail",
        hosts: &[at("smtp.gmail.com")],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::AppPassword, SignIn::OAuth2],
        limits: &[limit(500, Counted::Messages, Period::Day)],
        documentation: "https://support.google.com/mail/answer/7126229",
        ..MAILBOX
    },
    Preset {
        name: "google-workspace",
        title: "Google Workspace mailbox",
        hosts: &[at("smtp.gmail.com")],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::AppPassword, SignIn::OAuth2],
        limits: &[limit(2_000, Counted::Messages, Period::Day)],
        documentation: "https://support.google.com/a/answer/176600",
        ..MAILBOX
    },
    Preset {
        name: "google-workspace-relay",
        title: "Google Workspace SMTP relay",
        hosts: &[at("smtp-relay.gmail.com")],
        endpoints: &[STARTTLS_587, TLS_465, starttls(25)],
        sign_in: &[SignIn::AllowedAddress, SignIn::AppPassword],
        limits: &[
            limit(4_600_000, Counted::Recipients, Period::Day),
            limit(319_444, Counted::Recipients, Period::TenMinutes),
        ],
        documentation: "https://support.google.com/a/answer/2956491",
        evidence: Evidence::Official,
        ..MAILBOX
    },
    Preset {
        name: "microsoft-365",
        title: "Microsoft 365",
        hosts: &[at("smtp.office365.com")],
        endpoints: &[STARTTLS_587],
        sign_in: &[SignIn::OAuth2, SignIn::Password],
        limits: &[
            limit(30, Counted::Messages, Period::Minute),
            limit(10_000, Counted::Recipients, Period::Day),
        ],
        cautions: &[Caution::PasswordSignInEnds, Caution::FromMustBeMailbox, Caution::EnableFirst],
        documentation: "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
        ..MAILBOX
    },
    Preset {
        name: "outlook-com",
        title: "Outlook.com, Hotmail",
        hosts: &[at("smtp-mail.outlook.com")],
        endpoints: &[STARTTLS_587],
        sign_in: &[SignIn::OAuth2],
        documentation: "https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040",
        ..MAILBOX
    },
    Preset {
        name: "fastmail",
        title: "Fastmail",
        hosts: &[at("smtp.fastmail.com")],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::AppPassword],
        clear_text: ClearText::Refused,
        documentation: "https://www.fastmail.com/help/technical/servernamesandports.html",
        evidence: Evidence::Official,
        ..MAILBOX
    },
    Preset {
        name: "icloud",
        title: "iCloud Mail",
        hosts: &[at("smtp.mail.me.com")],
        endpoints: &[STARTTLS_587],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://support.apple.com/102525",
        ..MAILBOX
    },
    Preset {
        name: "zoho-mail",
        title: "Zoho Mail",
        hosts: &[
            at("smtp.zoho.com"),
            at("smtp.zoho.eu"),
            at("smtp.zoho.in"),
            at("smtp.zoho.com.au"),
            at("smtp.zoho.jp"),
            at("smtp.zoho.sa"),
            at("smtp.zoho.com.cn"),
        ],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::Password, SignIn::AppPassword],
        cautions: &[Caution::DataCentre],
        documentation: "https://www.zoho.com/mail/help/zoho-smtp.html",
        ..MAILBOX
    },
    Preset {
        name: "zoho-mail-pro",
        title: "Zoho Mail (own domain)",
        hosts: &[
            at("smtppro.zoho.com"),
            at("smtppro.zoho.eu"),
            at("smtppro.zoho.in"),
            at("smtppro.zoho.com.au"),
            at("smtppro.zoho.jp"),
            at("smtppro.zoho.sa"),
            at("smtppro.zoho.com.cn"),
        ],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::Password, SignIn::AppPassword],
        cautions: &[Caution::DataCentre, Caution::FromMustBeMailbox],
        documentation: "https://www.zoho.com/mail/help/zoho-smtp.html",
        evidence: Evidence::ThirdParty,
        ..MAILBOX
    },
    Preset {
        name: "yahoo",
        title: "Yahoo Mail",
        hosts: &[at("smtp.mail.yahoo.com")],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::AppPassword, SignIn::OAuth2],
        documentation: "https://help.yahoo.com/kb/SLN4724.html",
        ..MAILBOX
    },
    Preset {
        name: "aol",
        title: "AOL Mail",
        hosts: &[at("smtp.aol.com")],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::AppPassword, SignIn::OAuth2],
        documentation: "https://help.aol.com/articles/how-do-i-use-other-email-applications-to-send-and-receive-my-aol-mail",
        ..MAILBOX
    },
    Preset {
        name: "ionos",
        title: "IONOS",
        hosts: &[
            at("smtp.ionos.com"),
            at("smtp.ionos.co.uk"),
            at("smtp.ionos.de"),
            at("smtp.1und1.de"),
        ],
        endpoints: &[TLS_465, STARTTLS_587],
        documentation: "https://www.ionos.com/help/email/general-topics/settings-for-your-email-programs-imap-pop3/",
        evidence: Evidence::ThirdParty,
        ..MAILBOX
    },
    Preset {
        name: "ovh",
        title: "OVH MX Plan",
        hosts: &[at("ssl0.ovh.net")],
        endpoints: &[TLS_465, STARTTLS_587],
        cautions: &[Caution::CertificateForThisHostOnly],
        documentation: "https://help.ovhcloud.com/csm/en-mx-plan-hosted-email",
        ..MAILBOX
    },
    Preset {
        name: "ovh-exchange",
        title: "OVH Exchange",
        hosts: &[HostPattern::Varies { before: "ex", part: "number", after: ".mail.ovh.net" }],
        endpoints: &[STARTTLS_587],
        documentation: "https://help.ovhcloud.com/csm/en-exchange",
        evidence: Evidence::ThirdParty,
        ..MAILBOX
    },
    Preset {
        name: "hostinger",
        title: "Hostinger",
        hosts: &[at("smtp.hostinger.com")],
        endpoints: &[TLS_465],
        limits: &[limit(3_000, Counted::Messages, Period::Day)],
        cautions: &[Caution::PlanDependent],
        documentation: "https://support.hostinger.com/en/articles/1575756-how-to-get-email-account-configuration-details-for-hostinger-email",
        evidence: Evidence::ThirdParty,
        ..MAILBOX
    },
    Preset {
        name: "proton",
        title: "Proton Mail (SMTP token)",
        hosts: &[at("smtp.protonmail.ch")],
        endpoints: &[STARTTLS_587],
        sign_in: &[SignIn::Key],
        cautions: &[Caution::PlanDependent],
        documentation: "https://proton.me/support/smtp-submission",
        evidence: Evidence::Official,
        ..MAILBOX
    },
    Preset {
        name: "proton-bridge",
        title: "Proton Mail Bridge",
        hosts: &[at("127.0.0.1")],
        endpoints: &[starttls(1025)],
        sign_in: &[SignIn::Key],
        cautions: &[Caution::SelfMadeCertificate],
        documentation: "https://proton.me/support/bridge",
        evidence: Evidence::ThirdParty,
        ..MAILBOX
    },
    Preset {
        name: "gmx",
        title: "GMX",
        hosts: &[at("mail.gmx.com"), at("mail.gmx.net")],
        endpoints: &[TLS_465, STARTTLS_587],
        cautions: &[Caution::EnableFirst],
        documentation: "https://support.gmx.com/pop-imap/index.html",
        ..MAILBOX
    },
    Preset {
        name: "web-de",
        title: "WEB.DE",
        hosts: &[at("smtp.web.de")],
        endpoints: &[TLS_465, STARTTLS_587],
        cautions: &[Caution::EnableFirst],
        documentation: "https://hilfe.web.de/pop-imap/index.html",
        ..MAILBOX
    },
    Preset {
        name: "posteo",
        title: "Posteo",
        hosts: &[at("posteo.de")],
        endpoints: &[TLS_465, STARTTLS_587],
        documentation: "https://posteo.de/en/help",
        ..MAILBOX
    },
    Preset {
        name: "strato",
        title: "Strato",
        hosts: &[at("smtp.strato.de")],
        endpoints: &[TLS_465, STARTTLS_587],
        documentation: "https://www.strato.de/faq/mail/",
        ..MAILBOX
    },
    Preset {
        name: "gandi",
        title: "Gandi",
        hosts: &[at("mail.gandi.net")],
        endpoints: &[TLS_465, STARTTLS_587],
        documentation: "https://docs.gandi.net/en/gandimail/standard_email_settings/index.html",
        ..MAILBOX
    },
    Preset {
        name: "infomaniak",
        title: "Infomaniak",
        hosts: &[at("mail.infomaniak.com")],
        endpoints: &[STARTTLS_587],
        documentation: "https://www.infomaniak.com/en/support/faq/mail",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "yandex",
        title: "Yandex",
        hosts: &[at("smtp.yandex.com"), at("smtp.yandex.ru")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://yandex.com/support/mail/mail-clients/others.html",
        ..MAILBOX
    },
    Preset {
        name: "mail-ru",
        title: "Mail.ru",
        hosts: &[at("smtp.mail.ru")],
        endpoints: &[TLS_465, STARTTLS_587],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://help.mail.ru/mail/mailer/popsmtp",
        ..MAILBOX
    },
    Preset {
        name: "rackspace",
        title: "Rackspace Email",
        hosts: &[at("secure.emailsrvr.com")],
        endpoints: &[TLS_465],
        documentation: "https://docs.rackspace.com/docs/email-settings",
        ..MAILBOX
    },
    Preset {
        name: "godaddy",
        title: "GoDaddy (older hosting mail)",
        hosts: &[at("smtpout.secureserver.net")],
        endpoints: &[TLS_465],
        documentation: "https://www.godaddy.com/help/server-and-port-settings-for-workspace-email-6949",
        ..MAILBOX
    },
    Preset {
        name: "comcast",
        title: "Comcast Xfinity",
        hosts: &[at("smtp.comcast.net")],
        endpoints: &[TLS_465, STARTTLS_587],
        documentation: "https://www.xfinity.com/support/articles/email-client-programs-with-xfinity-email",
        ..MAILBOX
    },
    Preset {
        name: "att",
        title: "AT&T",
        hosts: &[at("smtp.mail.att.net")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://www.att.com/support/article/email-support/KM1240308/",
        ..MAILBOX
    },
    Preset {
        name: "one-com",
        title: "one.com",
        hosts: &[at("send.one.com")],
        endpoints: &[TLS_465],
        documentation: "https://help.one.com/hc/en-us",
        ..MAILBOX
    },
    Preset {
        name: "runbox",
        title: "Runbox",
        hosts: &[at("smtp.runbox.com")],
        endpoints: &[TLS_465],
        documentation: "https://help.runbox.com/email-client-settings/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "aruba",
        title: "Aruba",
        hosts: &[at("smtps.aruba.it")],
        endpoints: &[TLS_465],
        cautions: &[Caution::AuthLoginOnly],
        documentation: "https://guide.hosting.aruba.it/email.aspx",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "seznam",
        title: "Seznam",
        hosts: &[at("smtp.seznam.cz")],
        endpoints: &[TLS_465],
        documentation: "https://napoveda.seznam.cz/cz/email/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "kolab-now",
        title: "Kolab Now",
        hosts: &[at("smtp.kolabnow.com")],
        endpoints: &[TLS_465],
        cautions: &[Caution::AuthLoginOnly],
        documentation: "https://kolabnow.com/clients",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "qq",
        title: "QQ Mail",
        hosts: &[at("smtp.qq.com")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://service.mail.qq.com/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "163",
        title: "NetEase 163",
        hosts: &[at("smtp.163.com")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://help.mail.163.com/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "126",
        title: "NetEase 126",
        hosts: &[at("smtp.126.com")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://help.mail.163.com/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "aliyun",
        title: "Aliyun Mail",
        hosts: &[at("smtp.aliyun.com")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://help.aliyun.com/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "feishu",
        title: "Feishu Mail",
        hosts: &[at("smtp.feishu.cn")],
        endpoints: &[TLS_465],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://www.feishu.cn/hc",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "naver",
        title: "Naver",
        hosts: &[at("smtp.naver.com")],
        endpoints: &[STARTTLS_587],
        sign_in: &[SignIn::AppPassword],
        documentation: "https://help.naver.com/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "bluewin",
        title: "Bluewin",
        hosts: &[at("smtpauths.bluewin.ch")],
        endpoints: &[TLS_465],
        documentation: "https://www.swisscom.ch/en/residential/help.html",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "loopia",
        title: "Loopia",
        hosts: &[at("mailcluster.loopia.se")],
        endpoints: &[TLS_465],
        documentation: "https://support.loopia.com/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
    Preset {
        name: "local-mail-catcher",
        title: "Mail catcher on this machine (Mailpit, MailHog, MailDev)",
        hosts: &[at("localhost")],
        endpoints: &[Endpoint { port: 1025, mode: Mode::None }],
        sign_in: &[SignIn::NotNeeded],
        user: UserName::NotNeeded,
        clear_text: ClearText::Accepted,
        cautions: &[Caution::LoopbackOnly],
        documentation: "https://mailpit.axllent.org/docs/",
        evidence: Evidence::Nodemailer,
        ..MAILBOX
    },
];
