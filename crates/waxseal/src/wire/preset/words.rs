//! The words for single values of a preset, in output. One function for each enum, matched in full, so that
//! a new value cannot go out without a word. Nothing is judged here.

use waxseal_services::presets::{Caution, ClearText, Counted, Evidence, Period, SignIn, UserName};

pub(super) const fn sign_in(kind: SignIn) -> &'static str {
    match kind {
        SignIn::AllowedAddress => "allowed-address",
        SignIn::AppPassword => "app-password",
        SignIn::Key => "key",
        SignIn::NotNeeded => "not-needed",
        SignIn::OAuth2 => "oauth2",
        SignIn::Password => "password",
    }
}

pub(super) const fn user_name(user: UserName) -> &'static str {
    match user {
        UserName::Any => "any",
        UserName::Fixed(_) => "fixed",
        UserName::FullAddress => "full-address",
        UserName::Issued => "issued",
        UserName::NotNeeded => "not-needed",
        UserName::SameAsPassword => "same-as-password",
    }
}

pub(super) const fn fixed_user_name(user: UserName) -> Option<&'static str> {
    match user {
        UserName::Fixed(word) => Some(word),
        UserName::Any
        | UserName::FullAddress
        | UserName::Issued
        | UserName::NotNeeded
        | UserName::SameAsPassword => None,
    }
}

pub(super) const fn clear_text(clear_text: ClearText) -> &'static str {
    match clear_text {
        ClearText::Accepted => "accepted",
        ClearText::NotKnown => "not-known",
        ClearText::Refused => "refused",
    }
}

pub(super) const fn counted(counted: Counted) -> &'static str {
    match counted {
        Counted::Messages => "messages",
        Counted::Recipients => "recipients",
    }
}

pub(super) const fn seconds(period: Period) -> u32 {
    match period {
        Period::Day => 86_400,
        Period::Minute => 60,
        Period::TenMinutes => 600,
    }
}

pub(super) const fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Autoconfig => "autoconfig",
        Evidence::Nodemailer => "nodemailer",
        Evidence::Official => "official",
        Evidence::ThirdParty => "third-party",
    }
}

pub(super) const fn caution(caution: Caution) -> &'static str {
    match caution {
        Caution::AuthLoginOnly => "auth-login-only",
        Caution::CertificateForThisHostOnly => "certificate-for-this-host-only",
        Caution::DataCentre => "data-centre",
        Caution::EnableFirst => "enable-first",
        Caution::FromMustBeMailbox => "from-must-be-mailbox",
        Caution::LoopbackOnly => "loopback-only",
        Caution::PasswordSignInEnds => "password-sign-in-ends",
        Caution::PlanDependent => "plan-dependent",
        Caution::SelfMadeCertificate => "self-made-certificate",
        Caution::SeparateCredentials => "separate-credentials",
        Caution::StreamByHost => "stream-by-host",
    }
}
