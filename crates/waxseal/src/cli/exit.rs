//! The exit status of every command, with the meaning the interface promises. Several results at once end
//! as [`Exit::and`] says.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and good.
    #[default]
    Good,
    /// Done, and a problem was found.
    Problem,
    /// Bad usage or unreadable input.
    Usage,
    /// It could not be determined.
    Undetermined,
}

impl Exit {
    /// The number of the process.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Problem => 1,
            Self::Usage => 2,
            Self::Undetermined => 3,
        }
    }

    /// The status with this number, as a report gives it; an unknown number is undetermined.
    pub(crate) const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Good,
            1 => Self::Problem,
            2 => Self::Usage,
            _ => Self::Undetermined,
        }
    }

    /// 0 for a yes, 1 for a no.
    pub(crate) const fn of_answer(yes: bool) -> Self {
        if yes { Self::Good } else { Self::Problem }
    }

    /// Both together: 2 before 1 before 3 before 0.
    pub(crate) fn and(self, other: Self) -> Self {
        let weight = |exit: Self| match exit {
            Self::Good => 0,
            Self::Undetermined => 1,
            Self::Problem => 2,
            Self::Usage => 3,
        };
        if weight(other) > weight(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_wins_in_the_order_of_the_contract() {
        for exit in [Exit::Good, Exit::Problem, Exit::Usage, Exit::Undetermined] {
            assert_eq!(Exit::from_number(exit.number()), exit);
            assert_eq!(exit.and(Exit::Usage), Exit::Usage);
            assert_eq!(Exit::Good.and(exit), exit);
        }
        assert_eq!(Exit::Undetermined.and(Exit::Problem), Exit::Problem);
        assert_eq!(Exit::Problem.and(Exit::Undetermined), Exit::Problem);
    }
}
