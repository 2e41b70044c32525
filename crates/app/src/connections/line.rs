//! From a stored connection with its secret to what carries a message: a request for SMTP, or a service.
//! The secret is opened here and goes nowhere else. The ways in are [`open`] and [`Line`]. Keep: trust, mode
//! and sign-in are those that are stored, and mode none has no secret to open.

use jiff::Timestamp;
use waxseal_proto::name::MailDomain;
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::sasl::Mechanism as Sasl;
use waxseal_proto::tls::danger::Exception;
use waxseal_proto::tls::requirement::MinimumVersion;
use waxseal_store::connection::{
    ClearTextException, Connection, ConnectionKind, CustomSmtp, EncryptedMode, IpPreference,
    Mechanism, MinimumTls, RelayHost, SecretState, ServiceConnection, SignIn, Transport, Trust,
};
use waxseal_store::connections::Connections as _;
use waxseal_store::limits::EXCEPTION_MAX;
use zeroize::Zeroizing;

use super::error::{ConnectionsError, FieldProblem};
use super::secret::service_settings;
use crate::service::Service;
use crate::store::{Data, NoKeyYet};
use crate::submission::{
    Account, Choice, Credential, Encryption, Family, Goal, Host, Protection, SubmissionRequest,
    Trust as AttemptTrust,
};
use crate::world::World;

/// What carries a message of a connection.
#[derive(Debug)]
pub enum Line {
    /// The HTTPS interface of a built-in service.
    Api(Box<Service>),
    /// An SMTP server.
    Smtp(Box<SubmissionRequest>),
}

/// Opens the secret of a connection and makes what carries its messages. `goal` is for SMTP; `now` is the
/// time of stored things.
///
/// # Errors
/// A secret that is needed and not stored, keys that do not open it, an exception that is over, or settings
/// that the service does not take.
pub async fn open(
    world: &World,
    data: &Data,
    connection: &Connection,
    goal: Goal,
    now: Timestamp,
) -> Result<Line, ConnectionsError> {
    match &connection.settings.kind {
        ConnectionKind::Api(api) => {
            let secret = secret(data, connection, now).await?;
            service(connection, api, &secret).map(|service| Line::Api(Box::new(service)))
        }
        ConnectionKind::Smtp(smtp) => {
            let request = request(world, data, (connection, smtp), goal, now).await?;
            Ok(Line::Smtp(Box::new(request)))
        }
    }
}

async fn secret(
    data: &Data,
    connection: &Connection,
    now: Timestamp,
) -> Result<Secret<Zeroizing<String>>, ConnectionsError> {
    let missing = || {
        let hint = format!("waxseal connection edit {} --secret-file FILE", connection.name);
        ConnectionsError::Field(FieldProblem::new("secret", "none is stored").hint(hint))
    };
    // Without one there is no need for a key.
    if connection.secret == SecretState::Missing {
        return Err(missing());
    }
    let opened = data.vault(NoKeyYet::Refuse, now).await?;
    let found = opened.vault.for_sending(data.workspace(), connection.id).await?;
    // The secret may be newer than the settings at hand, and belongs to no other host than its own.
    let stored = data.store().get(data.workspace(), &[connection.id]).await?;
    if stored.iter().any(|stored| stored.revision != connection.revision) {
        return Err(ConnectionsError::ChangedMeanwhile { name: connection.name.to_string() });
    }
    found.ok_or_else(missing)
}

fn service(
    connection: &Connection,
    api: &ServiceConnection,
    secret: &Secret<Zeroizing<String>>,
) -> Result<Service, ConnectionsError> {
    let (id, settings) = service_settings(api, Some(secret))?;
    let MailDomain::Name(domain) = connection.settings.from_address.domain() else {
        return Err(FieldProblem::new("from-address", "has no domain name").into());
    };
    Service::new(id, &settings, domain.clone())
        .map_err(|error| FieldProblem::new("service", error.to_string()).into())
}

async fn request(
    world: &World,
    data: &Data,
    (connection, smtp): (&Connection, &CustomSmtp),
    goal: Goal,
    now: Timestamp,
) -> Result<SubmissionRequest, ConnectionsError> {
    let protection = match &smtp.transport {
        Transport::Clear { exception: None } => Protection::None(None),
        Transport::Clear { exception: Some(exception) } => {
            Protection::None(Some(running(exception, now, world.now())?))
        }
        Transport::Encrypted { mode, sign_in, trust, minimum_tls } => {
            let account = match sign_in {
                None => None,
                Some(sign_in) => Some(account(sign_in, &secret(data, connection, now).await?)),
            };
            let minimum = match minimum_tls {
                MinimumTls::Tls12 => MinimumVersion::Tls12,
                MinimumTls::Tls13 => MinimumVersion::Tls13,
            };
            let encryption = Encryption { minimum, trust: trusted(trust), account };
            match mode {
                EncryptedMode::Starttls => Protection::StartTls(encryption),
                EncryptedMode::Tls => Protection::Tls(encryption),
            }
        }
    };
    Ok(SubmissionRequest {
        host: match &smtp.host {
            RelayHost::Address(address) => Host::Address(*address),
            RelayHost::Name(name) => Host::Name(name.clone()),
        },
        port: smtp.port.get(),
        protection,
        ehlo_name: smtp.ehlo_name.clone(),
        family: match smtp.ip_preference {
            // All, in the order of the resolver, is IPv6 first.
            IpPreference::Any | IpPreference::Ipv6First => Family::Any,
            IpPreference::Ipv4First => Family::Ipv4First,
            IpPreference::Ipv4Only => Family::Ipv4Only,
            IpPreference::Ipv6Only => Family::Ipv6Only,
        },
        goal,
    })
}

/// The stored exception as an attempt needs it. Whether it runs is judged by the time of stored things; a
/// world with a clock of its own must not find it too young.
fn running(
    exception: &ClearTextException,
    now: Timestamp,
    world_now: Timestamp,
) -> Result<Exception, ConnectionsError> {
    let over = || {
        FieldProblem::new("exception", "is not in force: nothing is sent without encryption")
            .hint("use --security starttls or tls, or grant another one with connection edit")
    };
    if !exception.is_in_force(now) {
        return Err(over().into());
    }
    let grant = exception.grant();
    let begins = grant.granted_at.min(world_now);
    let ends =
        begins.checked_add(EXCEPTION_MAX).map_or(grant.ends_at, |max| grant.ends_at.min(max));
    Exception::grant(grant.documentation.as_str(), grant.reason.as_str(), (begins, ends))
        .map_err(|error| FieldProblem::new("exception", error.to_string()).into())
}

fn account(sign_in: &SignIn, secret: &Secret<Zeroizing<String>>) -> Account {
    let text = Secret::new(secret.expose().as_str().to_owned());
    let only = |mechanism| (Credential::Password(text.clone()), Choice::Only(mechanism));
    let (credential, choice) = match sign_in.mechanism {
        Mechanism::Automatic => (Credential::Password(text), Choice::Automatic),
        Mechanism::CramMd5 => only(Sasl::CramMd5),
        Mechanism::Login => only(Sasl::Login),
        Mechanism::Plain => only(Sasl::Plain),
        Mechanism::ScramSha256 => only(Sasl::ScramSha256),
        Mechanism::Xoauth2 => (Credential::Token(text), Choice::Only(Sasl::Xoauth2)),
    };
    Account { user: sign_in.user.to_string(), credential, choice }
}

fn trusted(trust: &Trust) -> AttemptTrust {
    match trust {
        Trust::Authority(pem) => AttemptTrust::Authority(pem.as_str().as_bytes().to_vec()),
        Trust::PinnedKeys(keys) => {
            AttemptTrust::PinnedKeys(keys.iter().map(|key| *key.octets()).collect())
        }
        Trust::PublicRoots => AttemptTrust::PublicRoots,
    }
}
