//! What an MX answer means for delivery (RFC 5321 §5.1, RFC 7505 §3). It asks nothing: whether an
//! implicit MX exists is the caller's next question. The way in is [`MxSet::from_answer`]. A change
//! must keep "no mail is taken", "no MX record" and "no answer" apart.

use super::answer::{Authenticity, DnsAnswer, Failure, Outcome};
use super::record::{MxExchange, MxRecord, Record};

/// The mail hosts of a domain, or why there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MxSet {
    /// No usable answer; senders queue.
    Failed(Failure),
    /// MX records, by preference, equal ones in the order of the answer.
    Hosts(Vec<MxRecord>),
    /// The name exists without MX records: the domain itself is the implicit MX (RFC 5321 §5.1).
    NoData,
    /// The domain does not exist.
    NoName,
    /// One record with the root as exchange: the domain takes no mail (RFC 7505 §3). Holds its
    /// preference, which the RFC says is 0.
    Null(u16),
    /// Records with the root as exchange beside others, which RFC 7505 §3 forbids.
    NullMixed {
        /// The other records, by preference.
        hosts: Vec<MxRecord>,
    },
}

impl MxSet {
    /// Reads the answer to an MX question. An answer that failed DNSSEC validation is no answer
    /// (RFC 4035 §5.5).
    pub fn from_answer(answer: &DnsAnswer) -> Self {
        match &answer.outcome {
            Outcome::Failed(failure) => Self::Failed(failure.clone()),
            Outcome::Found(_) | Outcome::NoData | Outcome::NoName
                if answer.authenticity == Authenticity::Bogus =>
            {
                Self::Failed(Failure::Bogus(None))
            }
            Outcome::NoData => Self::NoData,
            Outcome::NoName => Self::NoName,
            Outcome::Found(records) => Self::from_records(records),
        }
    }

    /// The records with a host, address or invalid exchange, by preference; empty if there are none.
    pub fn records(&self) -> &[MxRecord] {
        match self {
            Self::Hosts(records) | Self::NullMixed { hosts: records } => records,
            Self::Failed(_) | Self::NoData | Self::NoName | Self::Null(_) => &[],
        }
    }

    /// The records in the order a sender tries them: by preference, equal ones in an order that only
    /// `seed` decides (RFC 5321 §5.1 asks for a random one).
    pub fn in_order(&self, seed: u64) -> Vec<&MxRecord> {
        let mut records: Vec<(u64, &MxRecord)> = (1..)
            .zip(self.records())
            .map(|(place, record)| (scramble(seed, place), record))
            .collect();
        records.sort_by_key(|&(rank, record)| (record.preference, rank));
        records.into_iter().map(|(_, record)| record).collect()
    }

    fn from_records(records: &[Record]) -> Self {
        let mut all: Vec<MxRecord> = records
            .iter()
            .filter_map(|record| match record {
                Record::Mx(mx) => Some(mx.clone()),
                Record::Address(_)
                | Record::Cname(_)
                | Record::Ns(_)
                | Record::Ptr(_)
                | Record::Soa(_)
                | Record::Tlsa(_)
                | Record::Txt(_) => None,
            })
            .collect();
        all.sort_by_key(|record| record.preference);
        if let [only] = all.as_slice()
            && only.exchange == MxExchange::Root
        {
            return Self::Null(only.preference);
        }
        let count = all.len();
        all.retain(|record| record.exchange != MxExchange::Root);
        match (count, all.len() == count) {
            (0, _) => Self::NoData,
            (_, true) => Self::Hosts(all),
            (_, false) => Self::NullMixed { hosts: all },
        }
    }
}

/// SplitMix64: spreads seed and place over all bits, so that equal preferences get unrelated ranks.
const fn scramble(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
