//! What holds for all texts.
use super::*;

#[test]
fn every_file_parses() {
    assert_eq!(problems(), Vec::<&FileError>::new());
}
