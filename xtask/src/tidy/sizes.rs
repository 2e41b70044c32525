//! Sizes of files and functions, and numbers of parameters. Inline tests, test files and data do not
//! count; what is over a limit stands in the ratchet list or is a problem.

use anyhow::Result;

use super::Tree;
use super::functions::functions;
use super::ratchet::Ratchet;

/// Half again the longest file of tidy projects of this kind: past it, two things live in one room.
const FILE_LINES_MAX: usize = 600;
/// Tables are read entry by entry, so they may be longer.
const TABLE_LINES_MAX: usize = 1_000;
/// Two screens.
const FUNCTION_LINES_MAX: usize = 80;
/// More belong into a struct with names.
const PARAMETERS_MAX: usize = 5;

/// Every file and function over its limit, and every entry of the list that is no longer needed.
pub(super) fn check(tree: &Tree) -> Result<Vec<String>> {
    let mut ratchet = Ratchet::read()?;
    let mut problems = Vec::new();
    for file in tree.rust.iter().filter(|file| !file.is_test()) {
        let limit = if ratchet.is_table(&file.path) { TABLE_LINES_MAX } else { FILE_LINES_MAX };
        let lines = file.inline_tests_start();
        if lines > limit {
            let problem = ratchet.over(&file.path, lines, limit);
            problems.extend(problem.map(|problem| format!("{}:1: {problem}", file.path)));
        }
        for function in functions(file.code_lines()) {
            let place = format!("{}:{}: {}", file.path, function.line, function.name);
            if function.length > FUNCTION_LINES_MAX {
                let key = format!("{} {}", file.path, function.name);
                let problem = ratchet.over(&key, function.length, FUNCTION_LINES_MAX);
                problems.extend(problem.map(|problem| format!("{place}: {problem}")));
            }
            if function.parameters > PARAMETERS_MAX {
                let count = function.parameters;
                problems.push(format!(
                    "{place}: {count} parameters, over the limit of {PARAMETERS_MAX}"
                ));
            }
        }
    }
    problems.extend(ratchet.unused());
    Ok(problems)
}
