//! Which answer goes wrong: matches questions with the faults of the description.
//!
//! Decides only; `answer` carries it out. The first fault that fits wins, and one with `times` is
//! used up by the questions it fitted.

use std::sync::atomic::{AtomicU32, Ordering};

use hickory_proto::rr::{Name, RecordType};

use super::config::{AnswerFault, FaultConfig, FaultScope, Transport};
use super::error::DnsError;
use super::limits::{DELAY_MS_MAX, FAULTS_MAX};
use super::record::{absolute_name, parse_type};

/// How the description calls the resolver.
const RESOLVER: &str = "resolver";

/// Who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// The recursive resolver.
    Resolver,
    /// The authoritative server of this host name.
    Server(Name),
}

/// One question as far as faults look at it.
pub(super) struct Question<'a> {
    pub(super) name: &'a Name,
    pub(super) record_type: RecordType,
    pub(super) role: &'a Role,
    pub(super) transport: Transport,
    pub(super) checking_disabled: bool,
}

/// One fault with its names read.
pub(super) struct Fault {
    name: Name,
    scope: FaultScope,
    record_type: Option<RecordType>,
    at: Option<Role>,
    transport: Option<Transport>,
    cd: Option<bool>,
    left: Option<AtomicU32>,
    answer: AnswerFault,
}

impl Fault {
    /// Reads the faults; `servers` are the hosts that `at` may name.
    pub(super) fn read_all<'a>(
        configs: &[FaultConfig],
        servers: impl Iterator<Item = &'a Name>,
    ) -> Result<Vec<Self>, DnsError> {
        if configs.len() > FAULTS_MAX {
            return Err(DnsError::Limit { what: "faults".to_owned(), max: FAULTS_MAX });
        }
        let servers: Vec<&Name> = servers.collect();
        configs.iter().map(|config| Self::read(config, &servers)).collect()
    }

    fn read(config: &FaultConfig, servers: &[&Name]) -> Result<Self, DnsError> {
        let fail =
            |reason: String| DnsError::Config { what: format!("fault of {}", config.name), reason };
        let at = match config.at.as_deref() {
            None => None,
            Some(RESOLVER) => Some(Role::Resolver),
            Some(host) => {
                let name = absolute_name("fault server", host)?;
                if !servers.contains(&&name) {
                    return Err(fail(format!("{host} is not a server of any zone")));
                }
                Some(Role::Server(name))
            }
        };
        if let AnswerFault::Slow { delay_ms } = config.answer
            && delay_ms > DELAY_MS_MAX
        {
            return Err(fail(format!("delay_ms is {delay_ms}, at most {DELAY_MS_MAX}")));
        }
        let record_type = config.record_type.as_deref().map(parse_type).transpose();
        Ok(Self {
            name: absolute_name("fault", &config.name)?,
            scope: config.scope,
            record_type: record_type.map_err(fail)?,
            at,
            transport: config.transport,
            cd: config.cd,
            left: config.times.map(AtomicU32::new),
            answer: config.answer.clone(),
        })
    }

    fn fits(&self, question: &Question<'_>) -> bool {
        let name = match self.scope {
            FaultScope::Name => self.name == *question.name,
            FaultScope::Subtree => self.name.zone_of(question.name),
        };
        name && self.record_type.is_none_or(|t| t == question.record_type)
            && self.at.as_ref().is_none_or(|role| role == question.role)
            && self.transport.is_none_or(|t| t == question.transport)
            && self.cd.is_none_or(|cd| cd == question.checking_disabled)
    }

    /// Takes one use, if any is left.
    fn take(&self) -> bool {
        let Some(left) = &self.left else { return true };
        let one_less = |left: u32| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

/// The fault that applies to a question.
pub(super) fn applying<'a>(
    faults: &'a [Fault],
    question: &Question<'_>,
) -> Option<&'a AnswerFault> {
    let fault = faults.iter().find(|fault| fault.fits(question) && fault.take());
    fault.map(|fault| &fault.answer)
}
