//! The second path, from the delivery service to the inbox: what each service can insist on or say about TLS
//! there (RFC 3207 §6: every hop is encrypted or not on its own), as data.
//!
//! The way in is [`of`]. Nothing is worded here. Invariant: what a service does not document is
//! [`Control::NotVisible`], never assumed.

use crate::service::ServiceId;

/// What an account or domain is set to insist on towards inboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxPolicy {
    /// TLS where the other side offers it, clear text otherwise.
    Opportunistic,
    /// TLS, or no delivery; the certificate may be anybody's.
    Required,
    /// TLS with a verified certificate, or no delivery.
    RequiredVerified,
}

/// Where the policy is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Once for the whole account.
    Account,
    /// In a named configuration set, which each message refers to.
    ConfigurationSet,
    /// On the sending domain.
    Domain,
    /// On each message, and as a default on the sending domain.
    Message,
    /// The service documents no setting and no way to look.
    NotVisible,
}

/// What can be insisted on at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strongest {
    /// Nothing.
    Nothing,
    /// TLS without a verified certificate.
    Tls,
    /// TLS with a verified certificate.
    VerifiedTls,
}

/// Whether we can read the setting with the connection's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readable {
    /// No.
    No,
    /// Yes, if the key may read account settings.
    WithPermission,
}

/// Whether events or logs of the service tell how a message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A delivery event says whether TLS was used.
    InEvents,
    /// Nowhere that is documented.
    NotTold,
}

/// What one service offers about the path to the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondPath {
    /// Where the policy is set.
    pub control: Control,
    /// The service's own name for the setting; empty when there is none.
    pub setting: &'static str,
    /// The most it can insist on.
    pub strongest: Strongest,
    /// Whether we can read it.
    pub readable: Readable,
    /// Whether one can see afterwards how a message travelled.
    pub told: Told,
    /// The page that documents it; empty when there is none.
    pub documentation: &'static str,
}

const NOT_VISIBLE: SecondPath = SecondPath {
    control: Control::NotVisible,
    setting: "",
    strongest: Strongest::Nothing,
    readable: Readable::No,
    told: Told::NotTold,
    documentation: "",
};

/// What a service offers about the path to the inbox.
pub const fn of(service: ServiceId) -> SecondPath {
    match service {
        ServiceId::AmazonSes => SecondPath {
            control: Control::ConfigurationSet,
            setting: "DeliveryOptions.TlsPolicy=REQUIRE",
            strongest: Strongest::Tls,
            readable: Readable::WithPermission,
            told: Told::NotTold,
            documentation: "https://docs.aws.amazon.com/ses/latest/dg/security-protocols.html",
        },
        ServiceId::Mailgun => SecondPath {
            control: Control::Message,
            setting: "o:require-tls=yes, o:skip-verification=no",
            strongest: Strongest::VerifiedTls,
            readable: Readable::WithPermission,
            told: Told::NotTold,
            documentation: "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/tls-sending",
        },
        ServiceId::Resend => SecondPath {
            control: Control::Domain,
            setting: "tls=enforced",
            strongest: Strongest::Tls,
            readable: Readable::No,
            told: Told::NotTold,
            documentation: "https://resend.com/docs/dashboard/domains/tls",
        },
        ServiceId::SendGrid => SecondPath {
            control: Control::Account,
            setting: "require_tls=true, require_valid_cert=true",
            strongest: Strongest::VerifiedTls,
            readable: Readable::WithPermission,
            told: Told::InEvents,
            documentation: "https://www.twilio.com/docs/sendgrid/api-reference/settings-enforced-tls",
        },
        ServiceId::Brevo | ServiceId::Postmark => NOT_VISIBLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_has_a_name_and_a_page_and_nothing_else_has() {
        for id in ServiceId::ALL {
            let path = of(id);
            let is_visible = path.control != Control::NotVisible;
            assert_eq!(is_visible, path.documentation.starts_with("https://"), "{id:?}");
            assert_eq!(is_visible, !path.setting.is_empty(), "{id:?}");
            assert_eq!(is_visible, path.strongest != Strongest::Nothing, "{id:?}");
        }
        assert_eq!(of(ServiceId::Postmark).control, Control::NotVisible);
    }
}
