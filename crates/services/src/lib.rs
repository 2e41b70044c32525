//! Delivery services: what is known of them (presets), the bytes of a request to their HTTP interfaces,
//! and what an answer means.
//!
//! Nothing here opens a connection: [`service::DeliveryService`] builds an [`http::HttpRequest`] and reads
//! an [`http::HttpResponse`]; the executor carries it over verified HTTPS and follows no redirect. No
//! sentence about a fault is written here either: a [`fault::ServiceFault`] is a value.
//! Invariant: a key leaves only inside [`http::HeaderContent::Secret`], and no fault or outcome holds one.

pub mod account;
pub mod address;
mod amazon_ses;
mod brevo;
pub mod fault;
mod form;
pub mod header;
pub mod http;
mod json;
pub mod limits;
mod mailgun;
pub mod message;
pub mod outcome;
mod postmark;
pub mod presets;
mod resend;
pub mod second_path;
mod sendgrid;
pub mod service;
mod sigv4;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
