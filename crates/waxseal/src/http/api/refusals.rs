//! Refusals of the use cases as problem documents: the code says what kind it is, the field is named as in the
//! body, and a hint that speaks of flags of the command line is left out.

use super::problem::Problem;
use crate::cli::error::chain;
use crate::http::Site;
use crate::limits::BUSY_PAUSE;
use axum::http::StatusCode;
use std::time::Duration;
use waxseal_app::connections::{ConnectionsError, Fault, FieldProblem};
use waxseal_app::jobs::JobError;
use waxseal_app::store::StoreError;
use waxseal_app::test_send::TestError;

/// Why something could not be done with a connection.
pub(super) fn connections(site: &Site, error: &ConnectionsError) -> Problem {
    if let ConnectionsError::Field(problem) = error {
        return field(problem);
    }
    let (code, title) = match error {
        ConnectionsError::ChangedMeanwhile { .. } => {
            ("changed-meanwhile", "The connection was changed meanwhile")
        }
        ConnectionsError::Disabled { .. } => {
            let title = "The connection is disabled: nothing is sent over it";
            return Problem::new(StatusCode::CONFLICT, "disabled", title).hint("enable it first");
        }
        ConnectionsError::TooMany { free_at, .. } => {
            let wait = Duration::try_from(free_at.duration_since(site.now())).unwrap_or_default();
            let title = "This connection was tried as often as it may be";
            return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", title)
                .hint("wait as long as Retry-After says")
                .retry_after(wait);
        }
        ConnectionsError::InUse { .. } => ("in-use", "The connection is in use"),
        ConnectionsError::NotFound { .. } => return Problem::not_found("connection"),
        ConnectionsError::SecretForElsewhere { .. } => {
            let title = "The stored secret was given for another host, service or trust";
            return Problem::new(StatusCode::CONFLICT, "secret-for-elsewhere", title)
                .hint("send the secret in the same request, or null to remove it")
                .field("secret");
        }
        ConnectionsError::SecretInTheWay { .. } => {
            let title = "Mode none never signs in, and a secret is stored";
            return Problem::new(StatusCode::CONFLICT, "secret-in-the-way", title)
                .hint("send secret: null in the same request")
                .field("secret");
        }
        ConnectionsError::Store(StoreError::NameTaken { .. }) => {
            let title = "Another connection has this name";
            return Problem::new(StatusCode::CONFLICT, "name-taken", title).field("name");
        }
        ConnectionsError::Data(_)
        | ConnectionsError::Field(_)
        | ConnectionsError::Store(_)
        | ConnectionsError::Submission(_) => return of_fault(site, error.fault(), error),
    };
    let problem = Problem::new(StatusCode::CONFLICT, code, title);
    hinted(problem, error.hint())
}

fn field(problem: &FieldProblem) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let name = problem.field.replace('-', "_");
    if problem.needs_exception() {
        let title = "Mode none off loopback needs an exception, which no program can give";
        return Problem::new(status, "exception-needed", title)
            .hint(
                "use starttls or tls; else an owner gives the exception on the page of the connection, or with: \
                 waxseal connection edit",
            )
            .field(&name);
    }
    let problem_text = format!("{name}: {}", problem.problem);
    let made = Problem::new(status, "field", "A field is wrong or missing").detail(problem_text);
    hinted(made.field(&name), problem.hint.clone())
}

/// Why a test send or a verification was not begun.
pub(super) fn job(site: &Site, error: &JobError) -> Problem {
    match error {
        JobError::Busy | JobError::Closing => {
            let title = "Too many tests and verifications run at the moment";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title)
                .hint("try again in a minute")
                .retry_after(BUSY_PAUSE)
        }
        JobError::NotFound { .. } => Problem::not_found("job"),
        JobError::Stopped => of_fault(site, Fault::Machine, error),
        JobError::Test(error) => test(site, error),
    }
}

fn test(site: &Site, error: &TestError) -> Problem {
    match error {
        TestError::Connections(error) => connections(site, error),
        TestError::UnderWay => {
            let title = "A test with this key is being carried out";
            Problem::new(StatusCode::CONFLICT, "under-way", title)
                .hint("wait and ask again with the same key")
        }
        TestError::Message { .. } | TestError::NotRecorded { .. } | TestError::Submission(_) => {
            of_fault(site, error.fault(), error)
        }
    }
}

fn of_fault(site: &Site, fault: Fault, error: &dyn std::error::Error) -> Problem {
    let (status, code, title) = match fault {
        Fault::Conflict => {
            (StatusCode::CONFLICT, "conflict", "This does not go with what is stored")
        }
        Fault::Input => {
            (StatusCode::UNPROCESSABLE_ENTITY, "input", "This cannot be done as it stands")
        }
        Fault::NotFound => return Problem::not_found("connection"),
        Fault::Machine => {
            site.fault("handle a connection", error);
            return Problem::broken();
        }
    };
    Problem::new(status, code, title).detail(chain(error))
}

/// With a hint that makes sense here: flags and commands belong to the command line.
fn hinted(problem: Problem, hint: Option<String>) -> Problem {
    match hint {
        Some(hint) if !hint.contains("--") && !hint.contains("waxseal ") => problem.hint(&hint),
        Some(_) | None => problem,
    }
}
