//! `massay serve`

use std::{
    env::VarError,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args};

use crate::{
    pipeline::{ModelChoice, Params, ServeOptions, Serving, serve},
    serve::Access,
};

use super::{backends::PredictingBackend, say};

/// Serve predictions over HTTP, with a page.
///
/// Answers `POST /predict`, MLflow's scoring protocol (`/invocations`), the Open Inference Protocol (`/v2`),
/// and more that `/docs` shows; the page is at `/`. Keys of clients stand in `--api-keys` or
/// `MASSAY_API_KEYS` (with commas between them), the token for `/admin` in `MASSAY_ADMIN_TOKEN`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("model").required(true).args(["checkpoint", "champion"]))]
pub(super) struct ServeArguments {
    /// Folder of a checkpoint, e.g. `checkpoints/NAME`, or `models:/NAME@ALIAS` on an MLflow server
    #[arg(long, value_name = "FOLDER")]
    checkpoint: Option<String>,
    /// Serve the champion, and whatever becomes the champion later; of MODEL where there are several
    #[arg(long, value_name = "MODEL", num_args = 0..=1)]
    champion: Option<Vec<String>>,
    /// Address and port to listen at (`serve.address`) [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// File with the keys of clients, one on each line
    #[arg(long, value_name = "FILE")]
    api_keys: Option<PathBuf>,
    /// MLflow server of `models:/` [default: `MLFLOW_TRACKING_URI`]
    #[arg(long, value_name = "URI")]
    mlflow: Option<String>,
    #[command(flatten)]
    backend: PredictingBackend,
    /// Folder of a checkpoint that is asked the same and answers nobody: see how it would do
    #[arg(long, value_name = "FOLDER")]
    shadow: Option<PathBuf>,
    /// Parameters [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `serve.max_rows`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl ServeArguments {
    pub(super) fn run(self) -> Result<()> {
        let mut params = Params::load(self.params.as_deref(), &self.sets)?;
        if let Some(address) = self.address {
            params.serve.address = address;
        }
        let model = ModelChoice::of(self.checkpoint, self.champion.unwrap_or_default().pop());
        let options = ServeOptions {
            params,
            model,
            mlflow: self.mlflow,
            backend: self.backend.backend,
            access: access(self.api_keys)?,
            shadow: self.shadow,
        };
        serve(options, &|serving| say(&greeting(serving)))
    }
}

/// The keys in a file, or those in the environment.
fn access(file: Option<PathBuf>) -> Result<Access> {
    let keys = match file {
        Some(path) => keys_of(&path)?,
        None if std::env::var_os("MASSAY_API_KEYS").is_none() => Vec::new(),
        None => {
            let keys = variable("MASSAY_API_KEYS")?.unwrap_or_default();
            keys.split(',').map(|key| key.trim().to_owned()).collect()
        }
    };
    // An empty key between two commas would let in whoever sends an empty one, and a secret that is empty by mistake
    // must not open the service to everybody.
    if keys.iter().any(String::is_empty) {
        bail!("MASSAY_API_KEYS: there is an empty key, expected keys with commas between them");
    }
    let admin = variable("MASSAY_ADMIN_TOKEN")?;
    Ok(Access::new(keys.iter().map(String::as_str), admin.as_deref()))
}

/// A secret in the environment: `None` where the variable is unset or empty.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        // A file's last line often ends with a line break.
        Ok(value) if !value.trim().is_empty() => Ok(Some(value.trim().to_owned())),
        Ok(_) | Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{name}: it is not text in UTF-8"),
    }
}

/// The keys in a file: one without keys would open the service to everybody.
fn keys_of(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("{}: the keys cannot be read", path.display()))?;
    let lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .filter(|key| !key.is_empty() && !key.starts_with('#'));
    let keys: Vec<String> = lines.map(str::to_owned).collect();
    if keys.is_empty() {
        bail!("{}: there is no key, expected one on each line", path.display());
    }
    Ok(keys)
}

/// What is said once requests are taken.
fn greeting(serving: &Serving<'_>) -> String {
    let (schema, address) = (&serving.model.schema, serving.address);
    let unit = if schema.unit.is_empty() { String::new() } else { format!(" in {}", schema.unit) };
    let mut text = format!(
        "{} predicts `{}`{unit}\npage       http://{address}/\npaths      http://{address}/docs",
        serving.model.version, schema.target
    );
    if serving.is_open {
        text +=
            "\n\nwarning: whoever reaches this address may ask; `--api-keys FILE` asks for a key";
    }
    text
}
