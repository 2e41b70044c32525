//! What every delivery service offers to the rest of the product, whatever its HTTP interface looks like.
//!
//! The ways in are [`ServiceId`] for settings. Invariant: one variant for each service, in one order
//! everywhere.

/// A service with a built-in HTTP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceId {
    /// Amazon SES, version 2 of its interface.
    AmazonSes,
    /// Brevo.
    Brevo,
    /// Mailgun.
    Mailgun,
    /// Postmark.
    Postmark,
    /// Resend.
    Resend,
    /// Twilio SendGrid.
    SendGrid,
}

impl ServiceId {
    /// Every service.
    pub const ALL: [Self; 6] =
        [Self::AmazonSes, Self::Brevo, Self::Mailgun, Self::Postmark, Self::Resend, Self::SendGrid];

    /// The key in settings and output; also the name of the preset of its SMTP side.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmazonSes => "amazon-ses",
            Self::Brevo => "brevo",
            Self::Mailgun => "mailgun",
            Self::Postmark => "postmark",
            Self::Resend => "resend",
            Self::SendGrid => "sendgrid",
        }
    }

    /// The service of that key.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.as_str() == word)
    }
}
