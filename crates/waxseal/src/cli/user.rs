//! `waxseal user …`: who may sign in to the pages, from the command line of the server. It makes links that
//! work once; a password is never typed here.

use super::error::{CliError, chain};
use super::exit::Exit;
use super::world::WorldSource;
use super::{block_on, output};
use crate::clock;
use crate::config::data::{self, DataFlags};
use crate::escape;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;
use waxseal_app::store::{Data, Opening};
use waxseal_app::users::{AccountError, Accounts, Role, Team};

/// Who acts in the log when nobody is signed in.
const WHO: &str = "(command line)";

/// `waxseal user`.
#[derive(Subcommand, Debug)]
pub(crate) enum User {
    /// Make a link by which a new person comes in, once
    #[command(after_help = "Examples:\n  \
        waxseal user invite\n  \
        waxseal user invite --role sender --json")]
    Invite(Invite),
    /// List the people
    #[command(after_help = "Examples:\n  waxseal user list\n  waxseal user list --json")]
    List(List),
    /// Make a link by which a person chooses a new password, once
    #[command(after_help = "Examples:\n  waxseal user reset anna")]
    Reset(Reset),
}

/// `waxseal user invite`.
#[derive(Args, Debug)]
pub(crate) struct Invite {
    /// owner, sender or viewer
    #[arg(long, default_value = "viewer")]
    role: String,
    #[command(flatten)]
    rest: Rest,
}

/// `waxseal user list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    rest: Rest,
}

/// `waxseal user reset`.
#[derive(Args, Debug)]
pub(crate) struct Reset {
    /// The name to sign in with
    name: String,
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

#[derive(Serialize)]
struct Link {
    /// To be put behind the address of the pages.
    path: String,
}

#[derive(Serialize)]
struct People {
    users: Vec<Person>,
}

#[derive(Serialize)]
struct Person {
    name: String,
    role: &'static str,
    created_at: String,
}

pub(super) fn run(
    command: &User,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let rest = match command {
        User::Invite(Invite { rest, .. })
        | User::List(List { rest })
        | User::Reset(Reset { rest, .. }) => rest,
    };
    let place = data::load(config, &rest.data, world.lab_data())?;
    block_on(async {
        let data = Data::open(place.settings(), Opening::Existing, clock::now()).await.map_err(
            |error| {
                CliError::usage(format!("data: {}", chain(&error)))
                    .hint("waxseal serve makes the database")
            },
        )?;
        let accounts = Accounts::new(data.store().clone());
        let done = act(command, accounts.team(data.workspace()), rest.json).await;
        data.close().await;
        done
    })
}

async fn act(command: &User, team: Team<'_>, json: bool) -> Result<Exit, CliError> {
    let now = clock::now();
    let token = match command {
        User::List(_) => return list(team, json).await,
        User::Invite(invite) => {
            let role = Role::parse(&invite.role).ok_or_else(|| {
                CliError::usage(format!("--role {}: no such role", invite.role))
                    .hint("roles: owner, sender, viewer")
            })?;
            team.invite(role, WHO, now).await
        }
        User::Reset(reset) => team.reset(&reset.name, WHO, now).await,
    };
    let token = token.map_err(|error| wrong(&error))?;
    let path = format!("/enter/{}", token.expose());
    if json {
        output::json(&Link { path })?;
    } else {
        output::data(&format!("{path}\n"))?;
        output::note("Put it behind the address of the pages. It works once.");
    }
    Ok(Exit::Good)
}

async fn list(team: Team<'_>, json: bool) -> Result<Exit, CliError> {
    let users = team.people().await.map_err(|error| wrong(&error))?;
    let users: Vec<Person> = users
        .into_iter()
        .map(|user| Person {
            name: user.name,
            role: user.role.as_str(),
            created_at: user.created_at.to_string(),
        })
        .collect();
    if json {
        output::json(&People { users })?;
    } else if users.is_empty() {
        output::note("Nobody yet. waxseal serve prints the link for the first owner.");
    } else {
        let line = |user: &Person| format!("{}  {}\n", escape::line(&user.name), user.role);
        output::data(&users.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Good)
}

fn wrong(error: &AccountError) -> CliError {
    CliError::usage(format!("user: {}", chain(error)))
}
