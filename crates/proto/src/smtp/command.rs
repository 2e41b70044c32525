//! SMTP commands as typed values (RFC 5321 §4.1.1).
