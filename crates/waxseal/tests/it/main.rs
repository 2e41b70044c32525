//! The real executable: its tools, its answers to bad input, its verdicts on zone files, its help.

#![expect(clippy::unwrap_used, reason = "a test that cannot run the program fails")]

mod api_connections;
mod api_tokens;
mod check_input;
mod check_lab;
mod connection;
mod connection_lab;
mod connection_tried;
mod connection_words;
mod headers;
mod help;
mod http_agent;
mod keeping;
mod mcp;
mod mcp_calls;
mod mcp_http;
mod mcp_lines;
mod name_server;
mod operating;
mod own_network;
mod parity;
mod person;
mod presets;
mod program;
mod secrecy;
mod site;
mod smtp_limits;
mod smtp_send;
mod token;
mod tools;
mod watched_lab;
mod web;
mod web_api;
mod web_check;
mod web_connections;
mod web_once;
mod web_slow;
mod web_streams;
mod web_targets;
mod web_tls;
mod web_users;
