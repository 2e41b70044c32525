//! Identifiers of what is stored: UUID version 7 (RFC 9562 §5.7), one type for each kind of row.
//!
//! The time in it comes from the caller, the rest from the operating system. The ways in are `new` and
//! `parse`. Keep them distinct types: a workspace is never passed where a connection is meant.

use jiff::Timestamp;
use uuid::Uuid;

/// The text is not a UUID in its hyphenated form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: expected 36 characters such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct IdError;

/// Random octets from the system.
///
/// # Errors
/// When the system has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut octets = [0_u8; N];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| NoRandomness)?;
    Ok(octets)
}

/// The system gave no random octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random numbers")]
pub struct NoRandomness;

fn version_7(now: Timestamp) -> Result<Uuid, NoRandomness> {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random()?).into_uuid())
}

fn parse(text: &str) -> Result<Uuid, IdError> {
    let uuid = Uuid::try_parse(text).map_err(|_| IdError)?;
    // Other spellings of the same number would be other keys in the database.
    if uuid.hyphenated().to_string() == text { Ok(uuid) } else { Err(IdError) }
}

macro_rules! identifier {
    ($name:ident, $what:literal) => {
        #[doc = concat!("Identifies ", $what, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier that sorts by `now`.
            ///
            /// # Errors
            /// When the system gives no random numbers.
            pub fn new(now: Timestamp) -> Result<Self, NoRandomness> {
                version_7(now).map(Self)
            }

            /// Reads the hyphenated lower-case form.
            ///
            /// # Errors
            /// Any other text.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }

            /// The time it was made with, to the millisecond.
            pub fn made_at(self) -> Timestamp {
                let (seconds, nanoseconds) =
                    self.0.get_timestamp().map_or((0, 0), |made| made.to_unix());
                let seconds = i64::try_from(seconds).unwrap_or_default();
                let nanoseconds = i32::try_from(nanoseconds).unwrap_or_default();
                Timestamp::new(seconds, nanoseconds).unwrap_or_default()
            }

            /// The number itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}", self.0.hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
    };
}

identifier!(WorkspaceId, "a workspace");
identifier!(ConnectionId, "a connection to a delivery service");
identifier!(TrialId, "one test or verification of a connection");
identifier!(CheckId, "a stored report");
identifier!(UserId, "a person");
identifier!(ApiTokenId, "a token of a program");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_sort_by_time_and_have_one_spelling() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (early, late) =
            (ConnectionId::new(at(1_000)).unwrap(), ConnectionId::new(at(1_001)).unwrap());
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.uuid().get_version_num(), 7);
        assert_eq!(ConnectionId::parse(&early.to_string()), Ok(early));
        assert_eq!(late.made_at(), at(1_001));
        let upper = early.to_string().to_uppercase();
        for text in ["", "1", &upper, &early.uuid().simple().to_string()] {
            assert_eq!(ConnectionId::parse(text), Err(IdError), "{text}");
        }
    }
}
