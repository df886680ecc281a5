use std::path::{Path, PathBuf};

use super::Variables;

/// Where files of ours lie: under `ROLLOVER_HOME`, or where the platform puts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    configuration: PathBuf,
    state: PathBuf,
}

impl Home {
    /// Finds the folders; neither has to exist.
    ///
    /// # Errors
    /// A sentence that says what to set, where the platform names no home folder.
    pub fn find(variables: Variables<'_>) -> Result<Self, String> {
        if let Some(folder) = variables("ROLLOVER_HOME").filter(|folder| !folder.is_empty()) {
            let folder = std::path::absolute(&folder)
                .map_err(|error| format!("ROLLOVER_HOME: {}: {error}", Path::new(&folder).display()))?;
            return Ok(Self { configuration: folder.clone(), state: folder });
        }
        let folders = directories::ProjectDirs::from("", "", "rollover")
            .ok_or("there is no home folder: set ROLLOVER_HOME to a folder for rollover's files")?;
        Ok(Self { configuration: folders.config_dir().to_owned(), state: folders.data_local_dir().to_owned() })
    }

    /// The configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.configuration.join("config.toml")
    }

    /// The folder of what the program keeps for itself.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_moves_everything() {
        let home = Home::find(&|name| (name == "ROLLOVER_HOME").then(|| "/srv/rollover".into())).expect("a home");
        assert_eq!(home.config_file(), Path::new("/srv/rollover/config.toml"));
        assert_eq!(home.state(), Path::new("/srv/rollover"));
    }
}
