//! Classes of replies: permanence and scope (RFC 5321 §4.2.1, RFC 3463).
