//! The versions of a registered model and the aliases that point to them.

use std::{fmt, fs, path::Path};

use super::{Address, TrackError, client::Client, delivery::CHALLENGER, server::Server};

/// Folder of the checkpoint among the files of a run.
const CHECKPOINT: &str = "checkpoint";

/// What a version is pointed to as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// It predicts.
    Champion,
    /// It is the newest.
    Challenger,
}

impl Alias {
    /// Its name on the server.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => CHALLENGER,
        }
    }
}

/// A version of a registered model, as `MLflow` writes it: `models:/NAME@ALIAS` or `models:/NAME/VERSION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelUri {
    /// Name of the registered model.
    pub model: String,
    which: Which,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    Alias(String),
    Version(String),
}

impl ModelUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// When it names no model, or neither alias nor version.
    pub fn parse(uri: &str) -> Result<Self, TrackError> {
        let rest = uri.strip_prefix("models:/").unwrap_or_default().trim_matches('/');
        let alias = rest.split_once('@').map(|(model, own)| (model, Which::Alias(own.to_owned())));
        let version = || {
            let (model, own) = rest.split_once('/')?;
            let is_number = own.chars().all(|c| c.is_ascii_digit());
            is_number.then(|| (model, Which::Version(own.to_owned())))
        };
        match alias.or_else(version) {
            Some((model, which)) if !model.is_empty() && !which.name().is_empty() => {
                Ok(Self { model: model.to_owned(), which })
            }
            _ => Err(TrackError::Address {
                uri: uri.to_owned(),
                found: "it names no version of a model".to_owned(),
                expected: "`models:/NAME@ALIAS` or `models:/NAME/VERSION`",
                hint: "e.g. `models:/massay-mass@champion`".to_owned(),
            }),
        }
    }
}

impl Which {
    fn name(&self) -> &str {
        match self {
            Self::Alias(name) | Self::Version(name) => name,
        }
    }
}

impl fmt::Display for ModelUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if matches!(self.which, Which::Alias(_)) { '@' } else { '/' };
        write!(formatter, "models:/{}{sign}{}", self.model, self.which.name())
    }
}

/// The registered model of one name on a server.
#[derive(Debug)]
pub struct Registry {
    server: Server,
    model: String,
}

impl Registry {
    /// The registered model `model` at `address`.
    #[must_use]
    pub fn new(address: Address, model: &str) -> Self {
        Self { server: Server(Client::new(address)), model: model.to_owned() }
    }

    /// The version that an alias points to.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn version(&self, alias: Alias) -> Result<Option<String>, TrackError> {
        self.server.alias(&self.model, alias.name())
    }

    /// The version that a URI names; `None` where nothing has its alias.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn find(&self, uri: &ModelUri) -> Result<Option<String>, TrackError> {
        match &uri.which {
            Which::Alias(alias) => self.server.alias(&self.model, alias),
            Which::Version(version) => Ok(Some(version.clone())),
        }
    }

    /// Writes the checkpoint of a version into a folder.
    ///
    /// # Errors
    /// When there is no such version or checkpoint, the server cannot be reached, or a file cannot be written.
    pub fn download(&self, version: &str, folder: &Path) -> Result<(), TrackError> {
        let run = self.server.run_of_version(&self.model, version)?;
        let names = self.server.files(&run, CHECKPOINT)?;
        if names.is_empty() {
            return Err(self.server.0.no_checkpoint(&self.model, version));
        }
        for name in names {
            let file = name.rsplit('/').next().unwrap_or_default();
            let path = folder.join(file);
            let bytes = self.server.get(&run, &name)?;
            fs::write(&path, bytes).map_err(|source| TrackError::File { path, source })?;
        }
        Ok(())
    }

    /// Points an alias to a version, or to none.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn point(&self, alias: Alias, version: Option<&str>) -> Result<(), TrackError> {
        self.server.set_alias(&self.model, alias.name(), version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_name_an_alias_or_a_version() {
        for uri in ["models:/massay-mass@champion", "models:/m/12"] {
            assert_eq!(ModelUri::parse(uri).unwrap().to_string(), uri);
        }
        for wrong in ["massay-mass", "models:/m", "models:/m@", "models:/@a", "models:/m/latest"] {
            assert!(ModelUri::parse(wrong).unwrap_err().to_string().contains("models:/NAME@ALIAS"));
        }
    }
}
