//! The `waxseal` binary: reads the command line, calls one use case of `waxseal_app`, renders its value.
//! It holds no rule and no wording of a finding, and never talks to the network itself. The way in is
//! [`cli::run`]; the exit status is one of [`cli::exit::Exit`].

mod cli;
mod clock;
mod config;
mod escape;
mod http;
mod limits;
mod mcp;
mod render;
mod web;
mod wire;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os()).into()
}
