//! `waxseal connection …`: connections to delivery services and SMTP servers. Flags become a form, the use
//! case does the work, its view is shown. A secret comes from a file, standard input or a prompt, never from
//! an argument. Simulation options do not exist here; a lab is the one other world.

mod form;
mod secret;
mod test;
mod text;
mod verify;

pub(crate) use text::{arrived, way};

use super::error::{CliError, chain};
use super::exit::Exit;
use super::world::WorldSource;
use super::{block_on, output};
use crate::config::data::{self, DataFlags};
use crate::wire::connection::{All, One, OneChanged};
use crate::{clock, escape};
use clap::{Args, Subcommand};
use form::FormFlags;
use std::path::Path;
use waxseal_app::audit;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{self, Changed, ConnectionsError, Fault, Use, Wanted};
use waxseal_app::store::{Data, DataError, Opening};

/// Who acts in the log when nobody is signed in.
const WHO: &str = "(command line)";

/// `waxseal connection`.
#[derive(Subcommand, Debug)]
pub(crate) enum Connection {
    /// Add a connection to a built-in delivery service or to an SMTP server
    #[command(after_help = "Examples:\n  \
        waxseal connection add news --service postmark \\\n      \
            --from-address news@example.com --secret-file token.txt\n  \
        waxseal connection add ses --service amazon-ses --setting region=eu-west-1 \\\n      \
            --setting access-key-id=AKIAEXAMPLE --from-address news@example.com --secret-file -\n  \
        waxseal connection add relay --preset sendgrid --user apikey \\\n      \
            --from-address news@example.com\n  \
        waxseal connection add own --host smtp.example.com --port 587 --security starttls \\\n      \
            --user news@example.com --from-address news@example.com --ca our-authority.pem\n\n\
        The security mode is always said and never derived from the port. \"starttls\" must succeed;\n\
        \"tls\" is TLS from the first byte; \"none\" encrypts nothing, never signs in, and off loopback\n\
        needs an exception. A secret is asked for without echo where a terminal is, or read from a\n\
        file or from standard input (-).\n\n\
        Exit status: 0 added, 2 a field is wrong or the name is taken, 3 this machine could not keep it.")]
    Add(Box<Add>),
    /// Disable a connection: it is kept, and nothing is sent over it
    #[command(after_help = "Examples:\n  waxseal connection disable news")]
    Disable(Named),
    /// Change a connection; what is not named stays. New settings or a new secret make it untested
    #[command(after_help = "Examples:\n  \
        waxseal connection edit own --port 465 --security tls\n  \
        waxseal connection edit own --secret-file -\n  \
        waxseal connection edit own --name relay --from-name \"\"\n\n\
        An empty value takes an optional setting away: --user \"\" for no sign-in, --ca \"\" or --pin \"\"\n\
        for the public roots.\n\n\
        Exit status: 0 changed, 2 a field is wrong or there is no such connection, 3 this machine could not keep it.")]
    Edit(Box<Edit>),
    /// Enable a connection again
    #[command(after_help = "Examples:\n  waxseal connection enable news")]
    Enable(Named),
    /// List the connections with their state
    #[command(
        after_help = "Examples:\n  waxseal connection list\n  waxseal connection list --json"
    )]
    List(List),
    /// Remove a connection with its secret and its tests; refused while something uses it
    #[command(after_help = "Examples:\n  waxseal connection remove news")]
    Remove(Named),
    /// Show one connection; of a secret only that it is stored and since when
    #[command(after_help = "Examples:\n  \
        waxseal connection show news\n  \
        waxseal connection show news --json")]
    Show(Named),
    /// Send one real message and show every step, or read the message of a test where it arrived
    #[command(after_help = "Examples:\n  \
        waxseal connection test own --to you@example.net\n  \
        waxseal connection test own --to you@example.net --idempotency-key monday --json\n  \
        waxseal connection test own --received arrived.eml\n\n\
        A test that failed stays on the connection and its row of the list until a later one passes. The\n\
        message takes the very path that every message takes. With --received, the lines of the message as\n\
        it arrived show which of the further hops used TLS; they are kept with the test.\n\n\
        Exit status: 0 taken, 1 refused or a problem was found, 2 bad usage, 3 could not be determined.")]
    Test(test::Test),
    /// Sign in and leave, or ask the service about the key: no message is sent
    #[command(after_help = "Examples:\n  \
        waxseal connection verify own\n  \
        waxseal connection verify news --json\n\n\
        It never makes a connection passing: only a message proves that messages pass. A connection is\n\
        verified ten times in ten minutes at most, because refused sign-ins lock accounts, and a disabled\n\
        one not at all.\n\n\
        Exit status: 0 settings and secret are right, 1 a problem was found, 2 bad usage, 3 could not be\n\
        determined; also when the service has no such question and only a test send can tell.")]
    Verify(verify::Verify),
}

/// `connection add`.
#[derive(Args, Debug)]
pub(crate) struct Add {
    /// What to call it
    name: String,
    #[command(flatten)]
    form: FormFlags,
    /// Store no secret now
    #[arg(long, conflicts_with = "secret_file", help_heading = "Secret")]
    no_secret: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// `connection edit`.
#[derive(Args, Debug)]
pub(crate) struct Edit {
    /// Name or identifier of the connection
    connection: String,
    /// Call it this from now on
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    form: FormFlags,
    /// Remove the stored secret
    #[arg(long, conflicts_with = "secret_file", help_heading = "Secret")]
    remove_secret: bool,
    /// Ask for a new secret without echo
    #[arg(long, conflicts_with_all = ["secret_file", "remove_secret"], help_heading = "Secret")]
    ask_secret: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// A command about one connection.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Name or identifier of the connection
    connection: String,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// `connection list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// Where a command runs: the settings file and the world.
#[derive(Clone, Copy)]
struct Place<'a> {
    config: Option<&'a Path>,
    world: &'a WorldSource,
}

impl Place<'_> {
    async fn open(&self, flags: &DataFlags, opening: Opening) -> Result<Data, CliError> {
        let config = data::load(self.config, flags, self.world.lab_data())?;
        Data::open(config.settings(), opening, clock::now())
            .await
            .map_err(|error| data_error(&error))
    }

    const fn is_simulated(&self) -> bool {
        self.world.is_lab()
    }
}

pub(super) fn run(
    command: &Connection,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let place = Place { config, world };
    block_on(async {
        match command {
            Connection::Add(command) => add(command, place).await,
            Connection::Disable(command) => set_use(command, place, Use::Disabled).await,
            Connection::Edit(command) => edit(command, place).await,
            Connection::Enable(command) => set_use(command, place, Use::Enabled).await,
            Connection::List(command) => list(command, place).await,
            Connection::Remove(command) => remove(command, place).await,
            Connection::Show(command) => show(command, place).await,
            Connection::Test(command) => test::run(command, place).await,
            Connection::Verify(command) => verify::run(command, place).await,
        }
    })
}

async fn add(command: &Add, place: Place<'_>) -> Result<Exit, CliError> {
    let form = command.form.read(Some(command.name.clone()))?;
    let exception = command.form.exception();
    let secret = if command.no_secret {
        connections::SecretChange::Keep
    } else {
        secret::for_new(&form, command.form.secret_files())?
    };
    let wanted = Wanted { form, secret, exception };
    // A database is made only for what can be added.
    connections::check_new(&wanted, clock::now()).map_err(|error| wrong(&error))?;
    let data = place.open(&command.data, Opening::Create).await?;
    let changed =
        connections::add(&data, &wanted, clock::now()).await.map_err(|error| wrong(&error))?;
    let what = if wanted.exception.is_some() { "connection.exception" } else { "connection.added" };
    note(&data, what, &changed.connection.name).await;
    data.close().await;
    show_changed(&changed, "added", command.json, place)
}

async fn edit(command: &Edit, place: Place<'_>) -> Result<Exit, CliError> {
    let form = command.form.read(command.name.clone())?;
    let exception = command.form.exception();
    let no_secret =
        !command.remove_secret && !command.ask_secret && command.form.secret_files().is_empty();
    if form == connections::Form::default() && exception.is_none() && no_secret {
        return Err(CliError::usage("connection edit: nothing to change was given")
            .hint("waxseal connection edit --help lists what can be changed"));
    }
    let data = place.open(&command.data, Opening::Existing).await?;
    let before = connections::show(&data, &command.connection, clock::now())
        .await
        .map_err(|error| wrong(&error))?;
    let secret = if command.remove_secret {
        connections::SecretChange::Remove
    } else if command.ask_secret {
        let stored =
            connections::find(&data, &command.connection).await.map_err(|error| wrong(&error))?;
        secret::asked(&stored.settings.kind)?
    } else {
        secret::from_files(command.form.secret_files())?
    };
    let wanted = Wanted { form, secret, exception };
    let changed = connections::edit(&data, &command.connection, &wanted, clock::now())
        .await
        .map_err(|error| wrong(&error))?;
    note(&data, audit::word_of(&wanted), &changed.connection.name).await;
    data.close().await;
    let after = &changed.connection;
    let is_same = (after.revision, &after.name) == (before.revision, &before.name);
    let done = if is_same { "not changed: all of it was so before" } else { "changed" };
    show_changed(&changed, done, command.json, place)
}

/// Notes a change in the log that owners see. One that cannot be noted was made all the same.
async fn note(data: &Data, what: &str, subject: &str) {
    if let Err(error) = audit::note(data, WHO, what, subject, clock::now()).await {
        output::note(&format!("This is not in the log of changes: {}", chain(&error)));
    }
}

async fn list(command: &List, place: Place<'_>) -> Result<Exit, CliError> {
    let config = data::load(place.config, &command.data, place.world.lab_data())?;
    let settings = config.settings();
    let (workspace, folder) = (settings.workspace.clone(), settings.folder.clone());
    let found = match Data::open(settings, Opening::Existing, clock::now()).await {
        // Nothing was ever added: that is an empty list.
        Err(DataError::NothingThere { .. }) => Vec::new(),
        Err(other) => return Err(data_error(&other)),
        Ok(data) => {
            let found =
                connections::list(&data, clock::now()).await.map_err(|error| wrong(&error))?;
            data.close().await;
            found
        }
    };
    if command.json {
        let simulated = place.is_simulated();
        output::json(&All { connections: &found, workspace: &workspace, simulated })?;
    } else if found.is_empty() {
        let folder = escape::line(&folder.display().to_string());
        output::note(&format!(
            "There is no connection in {folder}. Add one: waxseal connection add"
        ));
    } else {
        output::data(&text::list(&found))?;
    }
    Ok(Exit::Good)
}

async fn show(command: &Named, place: Place<'_>) -> Result<Exit, CliError> {
    let data = place.open(&command.data, Opening::Existing).await?;
    let found = connections::show(&data, &command.connection, clock::now())
        .await
        .map_err(|error| wrong(&error))?;
    data.close().await;
    show_one(&found, None, command.json, place)
}

async fn set_use(command: &Named, place: Place<'_>, to: Use) -> Result<Exit, CliError> {
    let data = place.open(&command.data, Opening::Existing).await?;
    let found = connections::set_use(&data, &command.connection, to, clock::now())
        .await
        .map_err(|error| wrong(&error))?;
    let (done, what) = match to {
        Use::Disabled => ("disabled", "connection.disabled"),
        Use::Enabled => ("enabled", "connection.enabled"),
    };
    note(&data, what, &found.name).await;
    data.close().await;
    show_one(&found, Some(done), command.json, place)
}

async fn remove(command: &Named, place: Place<'_>) -> Result<Exit, CliError> {
    let data = place.open(&command.data, Opening::Existing).await?;
    let found = connections::remove(&data, &command.connection, clock::now())
        .await
        .map_err(|error| wrong(&error))?;
    note(&data, "connection.removed", &found.name).await;
    data.close().await;
    if command.json {
        output::json(&One { connection: &found, simulated: place.is_simulated() })?;
    } else {
        output::note(&format!("Connection {} was removed.", escape::line(&found.name)));
    }
    Ok(Exit::Good)
}

fn show_one(
    view: &ConnectionView,
    done: Option<&str>,
    json: bool,
    place: Place<'_>,
) -> Result<Exit, CliError> {
    if json {
        output::json(&One { connection: view, simulated: place.is_simulated() })?;
        return Ok(Exit::Good);
    }
    if let Some(done) = done {
        output::note(&format!("Connection {} was {done}.", escape::line(&view.name)));
    }
    output::data(&text::one(view))?;
    Ok(Exit::Good)
}

fn show_changed(
    changed: &Changed,
    done: &str,
    json: bool,
    place: Place<'_>,
) -> Result<Exit, CliError> {
    let view = &changed.connection;
    if json {
        output::json(&OneChanged::of(changed, place.is_simulated()))?;
        return Ok(Exit::Good);
    }
    for line in text::notes(changed) {
        output::note(&escape::block(&line));
    }
    show_one(view, Some(done), false, place)
}

/// An error of a use case as the one line on standard error.
fn wrong(error: &ConnectionsError) -> CliError {
    let text = chain(error);
    let made = match error.fault() {
        Fault::Conflict | Fault::Input | Fault::NotFound => CliError::usage(text),
        Fault::Machine => CliError::undetermined(text),
    };
    match error.hint() {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// An error about data as the one line on standard error.
pub(super) fn data_error(error: &DataError) -> CliError {
    let text = chain(error);
    let made = if error.is_of_the_machine() {
        CliError::undetermined(text)
    } else {
        CliError::usage(text)
    };
    match error.hint() {
        Some(hint) => made.hint(hint),
        None => made,
    }
}
