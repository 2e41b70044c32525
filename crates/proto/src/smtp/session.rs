//! The SMTP client session as a state machine without I/O (RFC 5321, RFC 3207).
