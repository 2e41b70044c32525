//! What one survey is about: the subject as it was typed, the areas, and what the administrator gave. It
//! holds values only; a change must keep every field meaningful without the network.

use crate::question::ControlQuestion;
use std::collections::BTreeSet;
use waxseal_proto::finding::Code;
use waxseal_proto::name::{DomainName, Target};

/// What a survey is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The domain, or the address of an address literal (RFC 5321 §4.1.3).
    pub target: Target,
    /// What was noticed about the input before anything was asked: a code and what it refers to.
    pub input_notes: Vec<InputFinding>,
    /// The port of the mail hosts, 25 unless the caller says otherwise.
    pub port: u16,
    /// What to look at.
    pub areas: BTreeSet<Area>,
    /// How many sessions an address may get.
    pub depth: Depth,
    /// The MX hosts the provider's page lists, to compare with; empty when not given.
    pub expected_mx: Vec<DomainName>,
    /// Hosts known to answer, configured by the administrator, to tell a blocked port from a dead target.
    pub controls: Vec<ControlQuestion>,
    /// Which addresses count as public.
    pub address_rule: AddressRule,
    /// The seed that shuffles hosts of equal preference (RFC 5321 §5.1).
    pub shuffle_seed: u64,
}

/// Something noticed about the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFinding {
    /// An `input-*` code.
    pub code: Code,
    /// What it is about, already safe to show.
    pub detail: String,
}

/// An area of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// MTA-STS record and policy.
    MtaSts,
    /// MX records and the addresses behind them.
    Mx,
    /// Connection, greeting, EHLO, STARTTLS, TLS and certificate of every mail host.
    Tls,
    /// The TLS reporting record.
    TlsRpt,
}

/// Which addresses count as public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRule {
    /// Private addresses were allowed by the caller: none is a fault.
    AllowPrivate,
    /// A simulated world: 198.18.0.0/15 and 2001:db8::/32 stand for public addresses.
    LabRanges,
    /// The registries of RFC 6890.
    Standard,
}

/// How many sessions an address may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One session; what a second one would show is not checked.
    OneSession,
    /// Further sessions where they tell look-alike faults apart.
    WithFollowUps,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 4] = [Self::Mx, Self::Tls, Self::MtaSts, Self::TlsRpt];

    /// The word used on the command line and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MtaSts => "mta-sts",
            Self::Mx => "mx",
            Self::Tls => "tls",
            Self::TlsRpt => "tls-rpt",
        }
    }

    /// The area of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.as_str() == word)
    }
}

impl Scope {
    /// A full check of one subject on port 25.
    pub fn full(target: Target) -> Self {
        Self {
            target,
            input_notes: Vec::new(),
            port: 25,
            areas: Area::ALL.into_iter().collect(),
            depth: Depth::WithFollowUps,
            expected_mx: Vec::new(),
            controls: Vec::new(),
            address_rule: AddressRule::Standard,
            shuffle_seed: 0,
        }
    }

    /// Whether an area is part of this survey.
    pub fn has(&self, area: Area) -> bool {
        self.areas.contains(&area)
    }
}
