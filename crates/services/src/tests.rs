//! Tests over all services: requests byte by byte, answers of every documented shape, and what no answer
//! and no field may do.

mod answers;
mod properties;
mod requests;
