//! The table of path-A scenarios in `docs/diagnosis.md`: the first code and owner, expected and found, beside
//! what a plain client says to the same server.
//!
//! `scenarios --table` makes it anew; [`check`] compares the codes of the committed one with a fresh run. What
//! other programs say changes with their versions and is not compared.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::command::Command;
use crate::lab;
use crate::pipeline::Count;
use crate::workspace;

const FILE: &str = "docs/diagnosis.md";
/// Fewer scenarios than this are no table.
const ROWS_MIN: usize = 100;
/// Plain clients that run at once.
const CLIENTS_AT_ONCE: usize = 8;
/// Seconds that a plain client gets.
const CLIENT_SECONDS: &str = "4";
/// Characters of a plain client's words that a row shows.
const WORDS_MAX: usize = 110;

/// A scenario and what was found.
struct Row {
    name: String,
    expected: String,
    found: String,
}

/// `cargo xtask scenarios`: all of them, or with `--table` the table of path A, printed and written.
///
/// # Errors
/// When the binary is not built or a client cannot be started.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let table = arguments.flag("--table");
    arguments.finish()?;
    if !table {
        return Ok(lab::run_all()?.failed == 0);
    }
    let rows = rows()?;
    let right = rows.iter().all(|row| row.expected == row.found);
    let said = plain_clients(&rows)?;
    let text = page(&rows, &said)?;
    print!("{text}");
    std::fs::write(workspace::root().join(FILE), text).context(FILE)?;
    Ok(right)
}

/// Whether the codes of the committed table are those of a fresh run.
///
/// # Errors
/// When the binary is not built or there is no table.
pub(crate) fn check() -> Result<Count> {
    let committed = workspace::read(FILE)?;
    let rows = rows()?;
    let mut count = Count::default();
    let mut wrong = |text: String| {
        println!("{FILE}: {text}");
        count.failed += 1;
    };
    let kept: Vec<(&str, &str)> = committed.lines().filter_map(of_line).collect();
    if kept.len() < ROWS_MIN {
        wrong(format!("{} scenarios, at least {ROWS_MIN} are wanted", kept.len()));
    }
    for row in &rows {
        match kept.iter().find(|(name, _)| *name == row.name) {
            Some((_, found)) if *found == row.found && row.expected == row.found => {}
            Some((_, found)) => wrong(format!(
                "{}: the table has '{found}', expected '{}', found '{}'",
                row.name, row.expected, row.found
            )),
            None => wrong(format!("{}: not in the table", row.name)),
        }
    }
    for (name, _) in kept.iter().filter(|(name, _)| !rows.iter().any(|row| row.name == *name)) {
        wrong(format!("{name}: there is no such scenario"));
    }
    count.passed = rows.len().saturating_sub(count.failed);
    Ok(count)
}

/// Name and found cause of a row of the table.
fn of_line(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let name = cells.next()?.strip_suffix('`')?;
    Some((name, cells.nth(1)?))
}

/// Every scenario of path A with a cause.
fn rows() -> Result<Vec<Row>> {
    let run = Command::new(lab::binary()).args(["lab", "run", "--area", "submission", "--json"]);
    let results: Value = serde_json::from_str(&run.output()?.stdout).context("lab run --json")?;
    let cause = |cause: &Value, key: &str| match (&cause[key], &cause[format!("{key}_owner")]) {
        (Value::String(code), Value::String(owner)) => format!("{code}, {owner}"),
        _ => "none".to_owned(),
    };
    let listed = results["scenarios"].as_array().context("the scenarios of lab run --json")?;
    let rows: Vec<Row> = listed
        .iter()
        .filter(|scenario| scenario["cause"]["expected"].is_string())
        .map(|scenario| Row {
            name: scenario["name"].as_str().unwrap_or_default().to_owned(),
            expected: cause(&scenario["cause"], "expected"),
            found: cause(&scenario["cause"], "found"),
        })
        .collect();
    ensure!(rows.len() >= ROWS_MIN, "only {} path-A scenarios", rows.len());
    Ok(rows)
}

/// A lab that runs until the value is dropped.
struct RunningLab {
    child: Child,
    /// What `lab up --json` told.
    told: Value,
}

impl RunningLab {
    fn start(rows: &[Row]) -> Result<Self> {
        let names = rows.iter().map(|row| row.name.as_str());
        let arguments = ["lab", "up", "--json"].into_iter().chain(names);
        let mut process = Command::new(lab::binary()).args(arguments).into_process();
        let mut child = process.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        let pipe = child.stdout.take().context("a piped standard output")?;
        BufReader::new(pipe).read_line(&mut line)?;
        let told = serde_json::from_str(&line).context("lab up --json")?;
        Ok(Self { child, told })
    }
}

impl Drop for RunningLab {
    fn drop(&mut self) {
        // A request to terminate, so that the session folder goes too.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).output();
        let _ = self.child.wait();
    }
}

/// What a plain client says for each row, in their order.
fn plain_clients(rows: &[Row]) -> Result<Vec<String>> {
    let lab = RunningLab::start(rows)?;
    let session = lab.told["session"].as_str().context("the session of lab up --json")?;
    let attempts = lab.told["attempts"].as_array().context("the attempts of lab up --json")?;
    let message = format!("{session}/message.eml");
    std::fs::write(&message, "Subject: a message of a plain client\r\n\r\nhello\r\n")?;
    let next = AtomicUsize::new(0);
    let said = Mutex::new(vec![String::new(); rows.len()]);
    thread::scope(|scope| {
        for _ in 0..CLIENTS_AT_ONCE {
            scope.spawn(|| {
                while let Some((at, row)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    rows.get(at).map(|row| (at, row))
                } {
                    let attempt = attempts.iter().find(|one| one["scenario"] == row.name.as_str());
                    let words = attempt.map_or_else(String::new, |attempt| {
                        plain_client(row, attempt, session)
                            .unwrap_or_else(|error| error.to_string())
                    });
                    if let Ok(mut said) = said.lock() {
                        said[at] = words;
                    }
                }
            });
        }
    });
    Ok(said.into_inner().unwrap_or_default())
}

fn plain_client(row: &Row, attempt: &Value, session: &str) -> Result<String> {
    let text = |key: &str| attempt[key].as_str().unwrap_or_default();
    let Some(socket) = attempt["socket"].as_str() else {
        return Ok("not tried: nothing stands behind this host and port".to_owned());
    };
    let about_tls = ["tls", "cert-", "starttls-", "greet-plain"];
    let roots = format!("{session}/ca.pem");
    if about_tls.iter().any(|start| row.expected.starts_with(start)) {
        let host = text("host");
        let mut arguments =
            vec![CLIENT_SECONDS, "openssl", "s_client", "-brief", "-connect", socket];
        arguments.extend(["-servername", host, "-verify_hostname", host, "-verify_return_error"]);
        arguments.extend(["-CAfile", &roots]);
        if text("security") == "starttls" {
            arguments.extend(["-starttls", "smtp"]);
        }
        let done = Command::new("timeout").args(arguments).output()?;
        return Ok(format!("openssl: {}", telling(&done.stderr, done.status.code())));
    }
    let scheme = if text("security") == "tls" { "smtps" } else { "smtp" };
    let (host, port) = (text("host"), text("port"));
    let url = format!("{scheme}://{host}:{port}");
    let way = format!("{host}:{port}:{socket}");
    let user = format!("{}:{}", text("username"), text("password"));
    let message = format!("{session}/message.eml");
    let mut arguments = vec!["-sS", "--max-time", CLIENT_SECONDS, "--url", &url];
    arguments.extend(["--connect-to", &way, "--cacert", &roots, "--ssl-reqd"]);
    arguments.extend(["--mail-from", text("from"), "--mail-rcpt", text("to"), "-T", &message]);
    if !text("username").is_empty() {
        arguments.extend(["--user", &user]);
    }
    let done = Command::new("curl").args(arguments).output()?;
    Ok(telling(&done.stderr, done.status.code()))
}

/// The line of a client's words that says most.
fn telling(stderr: &str, status: Option<i32>) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let said = lines()
        .find(|line| line.starts_with("curl: (") || line.contains("verify error"))
        .or_else(|| lines().find(|line| line.contains("error") || line.contains("Didn't")))
        .or_else(|| lines().next());
    match (said, status) {
        (Some(line), _) => {
            // OpenSSL begins with the number of its thread.
            let line = line.split_once(":error:").map_or(line, |(_, rest)| rest);
            line.chars().take(WORDS_MAX).collect()
        }
        (None, Some(0)) => "no error".to_owned(),
        (None, Some(124)) => format!("nothing within {CLIENT_SECONDS} s"),
        (None, _) => "no word".to_owned(),
    }
}

fn page(rows: &[Row], said: &[String]) -> Result<String> {
    let first = |program: &str, arguments: &[&str]| -> Result<String> {
        let text = Command::new(program).args(arguments).output()?.stdout;
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    };
    let curl = first("curl", &["--version"])?;
    let curl = curl.split(" (").next().unwrap_or_default().to_owned();
    let right = rows.iter().filter(|row| row.expected == row.found).count();
    let mut text = format!(
        "# What goes wrong, and what is said about it\n\n\
         One row for each path-A scenario of the lab that has a fault: the first code and its owner, expected and\n\
         found, and what a plain client says to the same server. Made by `cargo xtask scenarios --table`;\n\
         `cargo xtask test` compares the codes, not the words of other programs.\n\n\
         Made on {date} on {machine} with {cores} processors; {waxseal}, {openssl}, {curl}.\n\n\
         Right: {right} of {all}.\n\n\
         | Scenario | Expected | Found | A plain client says |\n|---|---|---|---|\n",
        date = first("date", &["-u", "+%F"])?,
        machine = first("uname", &["-sm"])?,
        cores = first("nproc", &[])?,
        waxseal = first(&lab::binary().to_string_lossy(), &["--version"])?,
        openssl = first("openssl", &["version"])?.split(" (").next().unwrap_or_default(),
        all = rows.len(),
    );
    for (row, said) in rows.iter().zip(said) {
        let said: String = said.chars().filter(|c| !c.is_control()).collect();
        let said = said.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
        let Row { name, expected, found } = row;
        text.push_str(
            &["| `", name, "` | ", expected, " | ", found, " | ", &said, " |\n"].concat(),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let rows = [Row {
            name: "a-refused".into(),
            expected: "tcp-refused, app".into(),
            found: "tcp-refused, app".into(),
        }];
        let line = "| `a-refused` | tcp-refused, app | tcp-refused, app | curl: (7) x \\| y |";
        assert_eq!(of_line(line), Some((rows[0].name.as_str(), rows[0].found.as_str())));
        assert_eq!(of_line("|---|---|---|---|"), None);
    }

    #[test]
    fn the_telling_line_is_found() {
        let openssl = "CONNECTING\n40A7:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:x.c:354:\n";
        assert!(telling(openssl, Some(1)).starts_with("0A00010B:SSL routines"));
        assert_eq!(
            telling("curl: (67) Access denied: 535\n", Some(67)),
            "curl: (67) Access denied: 535"
        );
        assert_eq!(telling("", Some(124)), "nothing within 4 s");
    }
}
