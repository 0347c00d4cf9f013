//! Where a value came from, and what is wrong with it.
//!
//! What lives here: [`Origin`], [`Problem`] and [`Problems`]. A problem names the place, the key, what was
//! found and what to do. A secret is never part of one.

use std::fmt;

use crate::observe::scrub;

/// Where a value came from; later ones win over earlier ones.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// Nobody said anything else.
    Default,
    /// The configuration file.
    File {
        /// As it was opened.
        path: String,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// The `.env` file.
    DotEnv {
        /// As it was opened.
        path: String,
        /// From 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// The process's environment.
    Env {
        /// The name.
        name: String,
    },
    /// The command line.
    Flag {
        /// With its dashes.
        name: String,
    },
}

impl Origin {
    /// From the environment or its file: the same layer of names.
    #[must_use]
    pub const fn is_environment(&self) -> bool {
        matches!(self, Self::DotEnv { .. } | Self::Env { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{path}:{line}:{column}"),
            Self::DotEnv { path, line, name } => write!(f, "{path}:{line} ({name})"),
            Self::Env { name } => write!(f, "environment ({name})"),
            Self::Flag { name } => write!(f, "command line ({name})"),
        }
    }
}

/// One thing that must be changed before the program can run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// `section.key`, a name, or a file.
    pub key: String,
    /// What was found.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    /// A token that was pasted where none belongs (a key, a kind, a path) is masked here as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.origin {
            Origin::Default => String::new(),
            Origin::Env { name } if *name == self.key => "environment: ".to_owned(),
            Origin::DotEnv { path, line, name } if *name == self.key => format!("{path}:{line}: "),
            origin => format!("{origin}: "),
        };
        f.write_str(&scrub(&format!("{place}{}: {}; {}", self.key, self.what, self.remedy)))
    }
}

/// All of them at once: nobody should have to start the program five times to find five mistakes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn add(
        &mut self,
        origin: &Origin,
        key: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Problem {
            origin: origin.clone(),
            key: key.into(),
            what: what.into(),
            remedy: remedy.into(),
        });
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
