//! Where an MLflow server is, and who calls.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

use super::TrackError;

/// Where an MLflow server is, and who calls. Credentials are never shown nor written.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// URL without credentials and without `/` at its end.
    pub(super) base: String,
    credentials: Credentials,
    /// Whether certificates are not checked.
    pub(super) insecure: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Credentials {
    None,
    Basic { user: String, password: String },
    Bearer(String),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Address").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Address {
    /// The address in a URI such as `http://127.0.0.1:5000`. Credentials come from the URI, or as for
    /// MLflow's own clients from `MLFLOW_TRACKING_USERNAME` and `_PASSWORD` (Basic), else from
    /// `MLFLOW_TRACKING_TOKEN` (Bearer), which `environment` looks up.
    ///
    /// # Errors
    /// When it is no `http://` or `https://` URL.
    pub fn parse(
        uri: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, TrackError> {
        let uri = uri.trim();
        let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let base = format!("{scheme}://{host}{}", path.trim_end_matches('/'));
        if !["http", "https"].contains(&scheme) || host.is_empty() || host.contains(' ') {
            return Err(refused(if scheme.is_empty() { uri } else { &base }));
        }
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let credentials = match user {
            Some(user) => {
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                let (user, password) = (decoded(user), decoded(password));
                Credentials::Basic { user, password }
            }
            None => Credentials::of(set),
        };
        let insecure = set("MLFLOW_TRACKING_INSECURE_TLS").is_some_and(|value| value == "true");
        Ok(Self { base, credentials, insecure })
    }

    /// The value of the header `Authorization`.
    pub(super) fn authorization(&self) -> Option<String> {
        match &self.credentials {
            Credentials::None => None,
            Credentials::Basic { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Credentials::Bearer(token) => Some(format!("Bearer {token}")),
        }
    }

    /// What to do about credentials that the server does not take.
    pub(super) fn credentials_hint(&self) -> &'static str {
        match self.credentials {
            Credentials::None => {
                "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            }
            Credentials::Basic { .. } => "check the user name and the password",
            Credentials::Bearer(_) => {
                "the token in MLFLOW_TRACKING_TOKEN is wrong or has expired; get a new one"
            }
        }
    }
}

impl Credentials {
    fn of(environment: impl Fn(&str) -> Option<String>) -> Self {
        let name = environment("MLFLOW_TRACKING_USERNAME");
        if let Some((user, password)) = name.zip(environment("MLFLOW_TRACKING_PASSWORD")) {
            return Self::Basic { user, password };
        }
        environment("MLFLOW_TRACKING_TOKEN").map_or(Self::None, Self::Bearer)
    }
}

fn refused(uri: &str) -> TrackError {
    let found = match uri.split_once("://") {
        Some(("", _)) | None => "a path or a bare name".to_owned(),
        Some((scheme, _)) => format!("the scheme `{scheme}`"),
    };
    TrackError::Address {
        uri: uri.to_owned(),
        found,
        expected: "http:// or https:// and a host",
        hint: "start a server, `mlflow server --port 5000`, and name it: http://127.0.0.1:5000"
            .to_owned(),
    }
}

/// Text with `%40` and the like resolved, as they must be written in the user part of a URL.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn credentials_come_from_the_uri_then_from_the_environment() {
        let address = Address::parse("https://an%40n:p%3Aw@host:5000/mlflow/", none).unwrap();
        assert_eq!(address.base, "https://host:5000/mlflow");
        assert_eq!(address.authorization().unwrap(), "Basic YW5AbjpwOnc=");
        let both = |name: &str| Some(name.rsplit('_').next().unwrap().to_owned());
        let address = Address::parse("http://host", both).unwrap();
        assert_eq!(address.authorization().unwrap(), "Basic VVNFUk5BTUU6UEFTU1dPUkQ=");
        let token = |name: &str| name.ends_with("TOKEN").then(|| "abc".to_owned());
        let address = Address::parse("http://host", token).unwrap();
        assert_eq!(address.authorization().unwrap(), "Bearer abc");
        assert_eq!(Address::parse("http://host", none).unwrap().authorization(), None);
    }

    #[test]
    fn what_is_no_server_is_refused_with_a_way_out_and_without_a_password() {
        for uri in ["./mlruns", "file:///tmp/mlruns", "sqlite:///a.db", "databricks", "http://"] {
            let error = Address::parse(uri, none).unwrap_err().to_string();
            assert!(error.contains("expected http:// or https://"), "{error}");
            assert!(error.contains("mlflow server"), "{error}");
        }
        let error = Address::parse("ftp://me:secret@host", none).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        let address = Address::parse("http://me:secret@host", none).unwrap();
        assert!(!format!("{address:?}").contains("secret"));
    }
}
