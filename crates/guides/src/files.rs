//! The embedded files: every guide page and every finding, by name. Nothing is read from disk at run
//! time. The findings are one line a code, in alphabetical order; a test compares them with the folder.

macro_rules! finding_files {
    ($($code:literal,)+) => {
        /// Code and text of every finding file.
        pub(crate) const FINDING_FILES: &[(&str, &str)] = &[
            $(($code, include_str!(concat!("../findings/en/", $code, ".md"))),)+
        ];
    };
}

macro_rules! page_files {
    ($($name:literal,)*) => {
        /// Name and text of every guide page, in the order in which they are listed.
        pub(crate) const PAGE_FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../pages/en/", $name, ".md"))),)*
        ];
    };
}

page_files! {}

finding_files! {
    "input-empty",
}
