//! The flags of `connection add` and `connection edit`, and the form they become. Nothing is judged here but
//! the shape of `NAME=VALUE`, and that no secret stands in an argument.

use super::super::error::CliError;
use super::super::input;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use waxseal_app::connections::{ExceptionForm, Form};

/// Every setting of a connection.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct FormFlags {
    /// A built-in service, by its HTTPS API: amazon-ses, brevo, mailgun, postmark, resend, sendgrid
    #[arg(long, value_name = "NAME", help_heading = "Built-in service")]
    service: Option<String>,
    /// A setting of the service; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Built-in service")]
    setting: Vec<String>,
    /// Take host, port and mode from a preset (waxseal presets)
    #[arg(long, value_name = "NAME", help_heading = "SMTP server")]
    preset: Option<String>,
    /// Host name or address
    #[arg(long, help_heading = "SMTP server")]
    host: Option<String>,
    /// Port
    #[arg(long, value_name = "N", help_heading = "SMTP server")]
    port: Option<String>,
    /// starttls, tls or none
    #[arg(long, value_name = "MODE", help_heading = "SMTP server")]
    security: Option<String>,
    /// User name to sign in with
    #[arg(long, value_name = "NAME", help_heading = "SMTP server")]
    user: Option<String>,
    /// automatic, scram-sha-256, plain, login, cram-md5 or xoauth2 (then the secret is a token)
    #[arg(long, value_name = "MECHANISM", help_heading = "SMTP server")]
    auth: Option<String>,
    /// Trust this private authority (PEM) in place of the public roots
    #[arg(long, value_name = "FILE", help_heading = "SMTP server")]
    ca: Option<PathBuf>,
    /// Trust certificates with this key alone (SHA-256, hexadecimal or base64); may be repeated
    #[arg(long, value_name = "SHA256", help_heading = "SMTP server")]
    pin: Vec<String>,
    /// Oldest TLS version: 1.2 or 1.3
    #[arg(long, value_name = "VERSION", help_heading = "SMTP server")]
    minimum_tls: Option<String>,
    /// Name given in EHLO
    #[arg(long, value_name = "NAME", help_heading = "SMTP server")]
    ehlo_name: Option<String>,
    /// any, ipv4-first, ipv4-only, ipv6-first or ipv6-only
    #[arg(long, value_name = "PREFERENCE", help_heading = "SMTP server")]
    ip: Option<String>,
    /// Name beside the From address
    #[arg(long, value_name = "NAME", help_heading = "Sender")]
    from_name: Option<String>,
    /// From address
    #[arg(long, value_name = "ADDR", help_heading = "Sender")]
    from_address: Option<String>,
    /// Read the secret from a file; - is standard input. FIELD names one of several of a service
    #[arg(long, value_name = "[FIELD=]FILE", help_heading = "Secret")]
    secret_file: Vec<String>,
    /// The provider's https page that says that there is no encryption
    #[arg(long, value_name = "URL", help_heading = "Exception for mode none")]
    exception_page: Option<String>,
    /// Why nothing can be encrypted
    #[arg(long, value_name = "TEXT", help_heading = "Exception for mode none")]
    exception_reason: Option<String>,
    /// When the exception ends, at most 90 days from now
    #[arg(long, value_name = "DATE", help_heading = "Exception for mode none")]
    exception_until: Option<String>,
    /// Not an option: secrets are never arguments
    #[arg(
        long = "password",
        aliases = ["secret", "api-key", "server-token", "secret-access-key", "session-token", "token", "pass"],
        hide = true,
        num_args = 0..=1,
        default_missing_value = ""
    )]
    secret_as_argument: Option<String>,
}

impl FormFlags {
    /// The form. `name` is what the connection is to be called.
    pub(super) fn read(&self, name: Option<String>) -> Result<Form, CliError> {
        if self.secret_as_argument.is_some() {
            return Err(CliError::usage(
                "a secret is never an argument: it would stand in the shell's history and in the list of processes",
            )
            .hint("--secret-file FILE, --secret-file - for standard input, or the prompt"));
        }
        let mut settings = BTreeMap::new();
        for pair in &self.setting {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(CliError::usage("--setting: not NAME=VALUE")
                    .hint("such as --setting region=eu-west-1"));
            };
            if settings.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(CliError::usage(format!("--setting {key}: given twice")));
            }
        }
        let ca = match &self.ca {
            None => None,
            Some(path) if path.as_os_str().is_empty() => Some(String::new()),
            Some(path) => Some(input::read_text(path)?),
        };
        Ok(Form {
            name,
            from_name: self.from_name.clone(),
            from_address: self.from_address.clone(),
            service: self.service.clone(),
            settings,
            preset: self.preset.clone(),
            host: self.host.clone(),
            port: self.port.clone(),
            security: self.security.clone(),
            user: self.user.clone(),
            auth: self.auth.clone(),
            ca,
            pins: (!self.pin.is_empty()).then(|| self.pin.clone()),
            minimum_tls: self.minimum_tls.clone(),
            ehlo_name: self.ehlo_name.clone(),
            ip: self.ip.clone(),
        })
    }

    /// The exception, where one of its flags is given. Whoever can write the data folder is its owner.
    pub(super) fn exception(&self) -> Option<ExceptionForm> {
        let given = [&self.exception_page, &self.exception_reason, &self.exception_until];
        if given.iter().all(|flag| flag.is_none()) {
            return None;
        }
        let who = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let who = who.filter(|who| !who.trim().is_empty());
        Some(ExceptionForm {
            documentation: self.exception_page.clone().unwrap_or_default(),
            reason: self.exception_reason.clone().unwrap_or_default(),
            ends: self.exception_until.clone().unwrap_or_default(),
            granted_by: who.map_or_else(
                || "the owner, on the command line".to_owned(),
                |who| format!("{who}, on the command line"),
            ),
        })
    }

    /// Where the secrets are to be read.
    pub(super) fn secret_files(&self) -> &[String] {
        &self.secret_file
    }
}
