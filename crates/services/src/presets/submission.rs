//! The SMTP side of delivery services: hosts and ports that each one's documentation states.
//!
//! Data only; [`super::by_name`] and [`super::for_host`] read it. Ports that no official page confirms are
//! left out. Invariant: one row for each service, the recommended endpoint first.

use super::{
    Caution, ClearText, Counted, Evidence, HostPattern, NO_RECYCLING, Period, Preset, Recycling,
    RecyclingAdvice, STARTTLS_587, SignIn, TLS_465, UserName, at, limit, starttls, tls,
};
use crate::service::ServiceId;

/// What most services have in common: a key from the panel, nothing stated about recycling or limits.
const SERVICE: Preset = Preset {
    name: "",
    title: "",
    hosts: &[],
    endpoints: &[],
    sign_in: &[SignIn::Key],
    user: UserName::Issued,
    clear_text: ClearText::NotKnown,
    limits: &[],
    recycling: NO_RECYCLING,
    api: None,
    cautions: &[],
    documentation: "",
    evidence: Evidence::Official,
};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "amazon-ses",
        title: "Amazon SES",
        hosts: &[HostPattern::Varies {
            before: "email-smtp.",
            part: "region",
            after: ".amazonaws.com",
        }],
        endpoints: &[TLS_465, tls(2465), STARTTLS_587, starttls(2587), starttls(25)],
        clear_text: ClearText::Refused,
        recycling: Recycling { advice: RecyclingAdvice::Renew, ..NO_RECYCLING },
        api: Some(ServiceId::AmazonSes),
        cautions: &[Caution::SeparateCredentials, Caution::DataCentre],
        documentation: "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
        ..SERVICE
    },
    Preset {
        name: "sendgrid",
        title: "Twilio SendGrid",
        hosts: &[at("smtp.sendgrid.net"), at("smtp.eu.sendgrid.net")],
        endpoints: &[TLS_465, STARTTLS_587, starttls(2525), starttls(25)],
        user: UserName::Fixed("apikey"),
        clear_text: ClearText::Accepted,
        recycling: Recycling { messages_max: Some(5_000), ..NO_RECYCLING },
        api: Some(ServiceId::SendGrid),
        cautions: &[Caution::DataCentre],
        documentation: "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
        ..SERVICE
    },
    Preset {
        name: "postmark",
        title: "Postmark",
        hosts: &[at("smtp.postmarkapp.com"), at("smtp-broadcasts.postmarkapp.com")],
        endpoints: &[STARTTLS_587, starttls(2525), starttls(25)],
        user: UserName::SameAsPassword,
        clear_text: ClearText::Accepted,
        api: Some(ServiceId::Postmark),
        cautions: &[Caution::StreamByHost],
        documentation: "https://postmarkapp.com/developer/user-guide/send-email-with-smtp",
        ..SERVICE
    },
    Preset {
        name: "mailgun",
        title: "Mailgun",
        hosts: &[at("smtp.mailgun.org"), at("smtp.eu.mailgun.org")],
        endpoints: &[TLS_465, STARTTLS_587, starttls(2525), starttls(25)],
        sign_in: &[SignIn::Password],
        api: Some(ServiceId::Mailgun),
        cautions: &[Caution::SeparateCredentials, Caution::DataCentre],
        documentation: "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp",
        ..SERVICE
    },
    Preset {
        name: "resend",
        title: "Resend",
        hosts: &[at("smtp.resend.com")],
        endpoints: &[TLS_465, tls(2465), STARTTLS_587, starttls(2587), starttls(25)],
        user: UserName::Fixed("resend"),
        api: Some(ServiceId::Resend),
        documentation: "https://resend.com/docs/send-with-smtp",
        ..SERVICE
    },
    Preset {
        name: "sparkpost",
        title: "SparkPost",
        hosts: &[at("smtp.sparkpostmail.com"), at("smtp.eu.sparkpostmail.com")],
        endpoints: &[STARTTLS_587, starttls(2525)],
        user: UserName::Fixed("SMTP_Injection"),
        clear_text: ClearText::Accepted,
        recycling: Recycling { messages_max: Some(100), idle_s_max: Some(60), ..NO_RECYCLING },
        cautions: &[Caution::AuthLoginOnly, Caution::DataCentre],
        documentation: "https://developers.sparkpost.com/api/smtp/",
        ..SERVICE
    },
    Preset {
        name: "brevo",
        title: "Brevo",
        hosts: &[at("smtp-relay.brevo.com")],
        endpoints: &[TLS_465, STARTTLS_587, starttls(2525)],
        clear_text: ClearText::Accepted,
        api: Some(ServiceId::Brevo),
        cautions: &[Caution::SeparateCredentials],
        documentation: "https://developers.brevo.com/docs/smtp-integration",
        ..SERVICE
    },
    Preset {
        name: "mailjet",
        title: "Mailjet",
        hosts: &[at("in-v3.mailjet.com")],
        endpoints: &[
            TLS_465,
            STARTTLS_587,
            starttls(2525),
            starttls(588),
            starttls(80),
            starttls(25),
        ],
        documentation: "https://dev.mailjet.com/smtp-relay/configuration/",
        ..SERVICE
    },
    Preset {
        name: "mailersend",
        title: "MailerSend",
        hosts: &[at("smtp.mailersend.net")],
        endpoints: &[STARTTLS_587],
        sign_in: &[SignIn::Password],
        clear_text: ClearText::Refused,
        documentation: "https://www.mailersend.com/help/smtp-relay",
        ..SERVICE
    },
    Preset {
        name: "smtp2go",
        title: "SMTP2GO",
        hosts: &[
            at("mail.smtp2go.com"),
            at("mail-us.smtp2go.com"),
            at("mail-eu.smtp2go.com"),
            at("mail-au.smtp2go.com"),
        ],
        endpoints: &[
            TLS_465,
            tls(8465),
            tls(443),
            STARTTLS_587,
            starttls(2525),
            starttls(8025),
            starttls(80),
            starttls(25),
        ],
        sign_in: &[SignIn::Password],
        clear_text: ClearText::Accepted,
        documentation: "https://support.smtp2go.com/hc/en-gb/articles/223087967-SMTP-Settings",
        ..SERVICE
    },
    Preset {
        name: "mandrill",
        title: "Mailchimp Transactional (Mandrill)",
        hosts: &[at("smtp.mandrillapp.com")],
        endpoints: &[TLS_465, STARTTLS_587, starttls(2525), starttls(25)],
        user: UserName::Any,
        clear_text: ClearText::Accepted,
        documentation: "https://mailchimp.com/developer/transactional/docs/smtp-integration/",
        ..SERVICE
    },
    Preset {
        name: "zeptomail",
        title: "ZeptoMail",
        hosts: &[
            at("smtp.zeptomail.com"),
            HostPattern::Varies { before: "smtp.zeptomail.", part: "region", after: "" },
        ],
        endpoints: &[TLS_465, STARTTLS_587],
        user: UserName::Fixed("emailapikey"),
        cautions: &[Caution::DataCentre],
        documentation: "https://www.zoho.com/zeptomail/help/smtp-home.html",
        ..SERVICE
    },
    Preset {
        name: "elastic-email",
        title: "Elastic Email",
        hosts: &[at("smtp.elasticemail.com")],
        endpoints: &[TLS_465, STARTTLS_587, starttls(2525), starttls(25)],
        documentation: "https://help.elasticemail.com/en/articles/4803409-smtp-settings",
        ..SERVICE
    },
    Preset {
        name: "scaleway-tem",
        title: "Scaleway Transactional Email",
        hosts: &[at("smtp.tem.scaleway.com"), at("smtp.tem.scw.cloud")],
        endpoints: &[TLS_465, tls(2465), STARTTLS_587, starttls(2587), starttls(25)],
        clear_text: ClearText::Refused,
        documentation: "https://www.scaleway.com/en/docs/transactional-email/reference-content/smtp-configuration/",
        ..SERVICE
    },
    Preset {
        name: "azure-communication-services",
        title: "Azure Communication Services Email",
        hosts: &[at("smtp.azurecomm.net")],
        endpoints: &[STARTTLS_587, starttls(25)],
        clear_text: ClearText::Refused,
        limits: &[limit(30, Counted::Messages, Period::Minute)],
        documentation: "https://learn.microsoft.com/azure/communication-services/quickstarts/email/send-email-smtp/smtp-authentication",
        ..SERVICE
    },
    Preset {
        name: "mailtrap",
        title: "Mailtrap (live)",
        hosts: &[at("live.smtp.mailtrap.io")],
        endpoints: &[STARTTLS_587],
        documentation: "https://docs.mailtrap.io/email-api-smtp/setup/smtp-integration",
        evidence: Evidence::Nodemailer,
        ..SERVICE
    },
    Preset {
        name: "forward-email",
        title: "Forward Email",
        hosts: &[at("smtp.forwardemail.net")],
        endpoints: &[TLS_465],
        documentation: "https://forwardemail.net/en/faq",
        evidence: Evidence::Nodemailer,
        ..SERVICE
    },
];
