//! Certificate chains (RFC 5280, RFC 9525).
