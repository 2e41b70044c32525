//! Domain and host names (RFC 1035 §2.3, RFC 5890, RFC 5891). The only constructor parses.

mod domain;

pub use domain::{DomainName, NameError, NameErrorKind};
