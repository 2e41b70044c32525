//! `waxseal token …`: tokens by which programs come in to the HTTP interface and to the tools for agents. A new
//! one is printed once, alone on standard output, and is nowhere to be read afterwards.

use super::connection::data_error;
use super::error::{CliError, chain};
use super::exit::Exit;
use super::world::WorldSource;
use super::{block_on, output};
use crate::config::data::{self, DataFlags};
use crate::{clock, escape};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;
use waxseal_app::store::{Data, DataError, Opening};
use waxseal_app::tokens::wire::TokenView;
use waxseal_app::tokens::{Expiry, NewToken, Scope, TokenError, Tokens};

/// Who acts in the log when nobody is signed in.
const WHO: &str = "(command line)";

/// `waxseal token`.
#[derive(Subcommand, Debug)]
pub(crate) enum Token {
    /// Make a token; it is printed once
    #[command(after_help = "Examples:\n  \
        waxseal token create --name dashboard --scope read\n  \
        waxseal token create --name deploy --scope check --scope read --expires 30d\n  \
        waxseal token create --name agent --scope read --scope test-send --expires 2027-01-31 --json\n\n\
        Scopes: read looks at connections and jobs; check has domains checked; add-connection adds\n\
        connections without their secrets; connections changes, verifies and removes them and stores\n\
        secrets; test-send sends real test messages. A token acts in its workspace only, and within\n\
        its scopes.")]
    Create(Create),
    /// List the tokens of the workspace; the tokens themselves are not kept
    #[command(after_help = "Examples:\n  waxseal token list\n  waxseal token list --json")]
    List(List),
    /// Revoke a token: from now on it lets nobody in
    #[command(after_help = "Examples:\n  waxseal token revoke deploy")]
    Revoke(Revoke),
}

/// `waxseal token create`.
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// What to call it
    #[arg(long)]
    name: String,
    /// What it may do: read, check, add-connection, connections or test-send; may be repeated
    #[arg(long, value_name = "SCOPE", required = true)]
    scope: Vec<String>,
    /// When it ends: a date, a time, a number of days such as 30d, or never; default: 90d
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    #[command(flatten)]
    rest: Rest,
}

/// `waxseal token list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    rest: Rest,
}

/// `waxseal token revoke`.
#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// Its name or identifier
    token: String,
    #[command(flatten)]
    rest: Rest,
}

#[derive(Args, Debug)]
struct Rest {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// A new token, with its text.
#[derive(Serialize)]
struct New<'a> {
    secret: &'a str,
    token: &'a TokenView,
    workspace: &'a str,
}

#[derive(Serialize)]
struct One<'a> {
    token: &'a TokenView,
    workspace: &'a str,
}

#[derive(Serialize)]
struct All<'a> {
    tokens: &'a [TokenView],
    workspace: &'a str,
}

pub(super) fn run(
    command: &Token,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let rest = match command {
        Token::Create(Create { rest, .. })
        | Token::List(List { rest })
        | Token::Revoke(Revoke { rest, .. }) => rest,
    };
    let place = data::load(config, &rest.data, world.lab_data())?;
    block_on(async {
        let opened = Data::open(place.settings(), Opening::Existing, clock::now()).await;
        let data = opened.map_err(|error| {
            if matches!(error, DataError::NothingThere { .. }) {
                return CliError::usage(chain(&error)).hint("waxseal serve makes it");
            }
            data_error(&error)
        })?;
        let tokens = Tokens::new(data.store().clone());
        let done = match command {
            Token::Create(command) => create(command, &tokens, &data).await,
            Token::List(command) => list(command, &tokens, &data).await,
            Token::Revoke(command) => revoke(command, &tokens, &data).await,
        };
        data.close().await;
        done
    })
}

async fn create(command: &Create, tokens: &Tokens, data: &Data) -> Result<Exit, CliError> {
    let now = clock::now();
    let scope = |word: &String| {
        Scope::parse(word).ok_or_else(|| {
            CliError::usage(format!("--scope {word}: no such scope"))
                .hint(format!("scopes: {}", Scope::words()))
        })
    };
    let scopes = command.scope.iter().map(scope).collect::<Result<_, _>>()?;
    let expires = command.expires.as_deref().map(|text| Expiry::parse(text, now)).transpose();
    let expires = expires.map_err(|error| wrong(&error))?.unwrap_or_default();
    let wanted = NewToken { name: command.name.clone(), scopes, expires };
    let created = tokens.create(data, &wanted, WHO, now).await.map_err(|error| wrong(&error))?;
    let secret = created.text.expose();
    if command.rest.json {
        let workspace = data.workspace_name().as_str();
        output::json(&New { secret, token: &created.token, workspace })?;
    } else {
        output::data(&format!("{secret}\n"))?;
        let end = created.token.expires_at.as_deref();
        let end = end.map_or_else(|| "until it is revoked".to_owned(), |at| format!("until {at}"));
        output::note(&format!("It is shown this once, and holds {end}."));
    }
    Ok(Exit::Good)
}

async fn list(command: &List, tokens: &Tokens, data: &Data) -> Result<Exit, CliError> {
    let found = tokens.list(data, clock::now()).await.map_err(|error| wrong(&error))?;
    if command.rest.json {
        let workspace = data.workspace_name().as_str();
        output::json(&All { tokens: &found, workspace })?;
    } else if found.is_empty() {
        output::note("There is no token. Make one: waxseal token create");
    } else {
        output::data(&found.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Good)
}

async fn revoke(command: &Revoke, tokens: &Tokens, data: &Data) -> Result<Exit, CliError> {
    let revoked = tokens.revoke(data, &command.token, WHO, clock::now()).await;
    let revoked = revoked.map_err(|error| wrong(&error))?;
    if command.rest.json {
        let workspace = data.workspace_name().as_str();
        output::json(&One { token: &revoked, workspace })?;
    } else {
        output::note(&format!("Token {} was revoked.", escape::line(&revoked.name)));
    }
    Ok(Exit::Good)
}

fn line(token: &TokenView) -> String {
    let ends = match (&token.expires_at, token.expired) {
        (Some(at), true) => format!("ended {at}"),
        (Some(at), false) => format!("until {at}"),
        (None, _) => "no end".to_owned(),
    };
    let used =
        token.last_used_at.as_ref().map_or("never used".to_owned(), |at| format!("used {at}"));
    let scopes = token.scopes.join(" ");
    format!("{}  {scopes}  {ends}  {used}\n", escape::line(&token.name))
}

fn wrong(error: &TokenError) -> CliError {
    let text = format!("token: {}", chain(error));
    let made = match error {
        TokenError::NoRandomness(_) | TokenError::Store(_) => CliError::undetermined(text),
        TokenError::Expiry
        | TokenError::Name(_)
        | TokenError::NameTaken { .. }
        | TokenError::NoScope
        | TokenError::NotFound { .. }
        | TokenError::TooMany { .. }
        | TokenError::Wrong => CliError::usage(text),
    };
    match error.hint() {
        Some(hint) => made.hint(hint),
        None => made,
    }
}
