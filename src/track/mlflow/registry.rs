//! The versions of a registered model and the aliases that point to them.

use super::{Address, TrackError, client::Client, delivery::CHALLENGER, server::Server};

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

    /// Points an alias to a version, or to none.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn point(&self, alias: Alias, version: Option<&str>) -> Result<(), TrackError> {
        self.server.set_alias(&self.model, alias.name(), version)
    }
}
