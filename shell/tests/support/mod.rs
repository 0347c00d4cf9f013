//! A configuration in a directory of its own, for the tests of `config` and `cli`.

use nobat::config::{Config, Inputs, Problems, load};
use tempfile::TempDir;

/// A directory that stands for where the program is started.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    inputs: Inputs,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let inputs = Inputs { dir: dir.path().to_path_buf(), ..Inputs::default() };
        Self { dir, inputs }
    }

    /// With a file in it, readable by its owner alone.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("permissions");
        self
    }

    /// With names in the environment.
    pub(crate) fn env(mut self, names: &[(&str, &str)]) -> Self {
        self.inputs.env.extend(names.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self
    }

    pub(crate) fn inputs(&self) -> Inputs {
        self.inputs.clone()
    }

    pub(crate) fn load(&self) -> Result<Config, Problems> {
        load(&self.inputs)
    }
}
