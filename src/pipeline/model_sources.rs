//! Where the service's models come from: a folder, the champion, an MLflow server.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};

use crate::{
    model::{Backend, BackendKind},
    monitor::Shadow,
    registry::{Pointer, Pointers},
    serve::{ModelIdentity, ModelSource, ServedModel, SourceError},
    track::{Address, ModelUri, Receipt, Registry, TrackConfig},
    train::{Checkpoint, Manifest},
};

use super::{
    ModelChoice, Params, ServeOptions,
    registry_job::{model_of, name_of, refuse_changed, rollback, the_only_model},
    run_record::RunRecord,
    tracking::environment,
};

/// Where the chosen model comes from.
pub(super) fn source_of(options: ServeOptions, backend: Backend) -> Result<Box<dyn ModelSource>> {
    let params = options.params;
    Ok(match options.model {
        ModelChoice::Checkpoint(folder) => {
            Box::new(Folder { path: folder, track: params.track, backend })
        }
        ModelChoice::Champion(model) => {
            let pointers = Pointers::read(&params.paths.checkpoints)?;
            let model = the_only_model(&pointers, model.as_deref())?;
            Box::new(Champion { model, params, backend })
        }
        ModelChoice::Mlflow(uri) => {
            let track = params.track.with_environment(environment);
            let server = options.mlflow.unwrap_or_else(|| track.mlflow.clone());
            if server.is_empty() {
                bail!(
                    "no MLflow server is named\n\nhint: `--mlflow http://127.0.0.1:5000`, or set \
                     MLFLOW_TRACKING_URI"
                );
            }
            let uri = ModelUri::parse(&uri)?;
            let registry = Registry::new(Address::parse(&server, environment)?, &uri.model);
            Box::new(Registered { registry, uri, known: Mutex::default(), backend })
        }
    })
}

/// The model of the checkpoint in `folder`, to be asked what `served` is asked.
pub(super) fn shadow_of(folder: &Path, served: &ServedModel) -> Result<Shadow> {
    let names = (served.identity.model.clone(), name_of(folder));
    let backend = Backend::select(BackendKind::Cpu)?;
    let own = self::served(folder, names, &backend)
        .map_err(anyhow::Error::from_boxed)
        .with_context(|| format!("the shadow {} cannot be read", folder.display()))?;
    if let Err(reason) = own.can_replace(served) {
        bail!("the shadow {} cannot be asked what is served: {reason}", folder.display());
    }
    Ok(Shadow::new(&own.version, Arc::new(own.predictor)))
}

/// The model of the checkpoint in `folder`, known by the name `model` and `run`.
fn served(
    folder: &Path,
    (model, run): (String, String),
    backend: &Backend,
) -> Result<ServedModel, SourceError> {
    // First: where the folder changes meanwhile, the next look sees that it is another.
    let checksum = Manifest::checksum(folder)?;
    let checkpoint = Checkpoint::read(folder)?;
    let run_id = RunRecord::read(folder).map_or(String::new(), |own| own.provenance.run_id);
    let identity = ModelIdentity { model, run, run_id, checksum };
    Ok(ServedModel::new(identity, checkpoint, backend))
}

/// What is in a folder; when it is trained again, that.
struct Folder {
    path: PathBuf,
    track: TrackConfig,
    backend: Backend,
}

impl ModelSource for Folder {
    fn wanted(&self) -> Result<String, SourceError> {
        Ok(Manifest::checksum(&self.path)?)
    }

    fn load(&self) -> Result<ServedModel, SourceError> {
        let manifest = Manifest::read(&self.path)?;
        // As `massay registry promote` names it.
        let receipt = Receipt::read(&self.path)?;
        let model = model_of(&manifest, receipt.as_ref(), &self.track);
        served(&self.path, (model, name_of(&self.path)), &self.backend)
    }

    fn former(&self) -> Result<Option<ServedModel>, SourceError> {
        Ok(None)
    }

    fn roll_back(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// The champion of a model, as the registry beside the checkpoints points to it.
struct Champion {
    model: String,
    params: Params,
    backend: Backend,
}

impl Champion {
    fn pointer(&self) -> Result<Pointer> {
        let pointers = Pointers::read(&self.params.paths.checkpoints)?;
        pointers.model(&self.model).champion.with_context(|| {
            format!("`{}` has no champion\n\nhint: `massay registry promote NAME`", self.model)
        })
    }

    /// The model that a pointer leads to.
    fn pointed(&self, pointer: Pointer) -> Result<ServedModel, SourceError> {
        let folder = self.params.paths.checkpoints.join(&pointer.run);
        refuse_changed(&folder, &pointer.manifest_sha256)?;
        served(&folder, (self.model.clone(), pointer.run), &self.backend)
    }
}

impl ModelSource for Champion {
    fn wanted(&self) -> Result<String, SourceError> {
        Ok(self.pointer()?.manifest_sha256)
    }

    fn load(&self) -> Result<ServedModel, SourceError> {
        self.pointed(self.pointer()?)
    }

    fn former(&self) -> Result<Option<ServedModel>, SourceError> {
        let pointers = Pointers::read(&self.params.paths.checkpoints)?;
        let former = pointers.model(&self.model).former.pop();
        let former = former
            .with_context(|| format!("`{}` has no champion before the present one", self.model))?;
        self.pointed(former).map(Some)
    }

    fn roll_back(&self) -> Result<(), SourceError> {
        rollback(&self.params, Some(&self.model))?;
        Ok(())
    }
}

/// A version of a registered model on an MLflow server, found by an alias or a number.
struct Registered {
    registry: Registry,
    uri: ModelUri,
    /// Checksums of the versions that were loaded.
    known: Mutex<HashMap<String, String>>,
    backend: Backend,
}

impl Registered {
    fn version(&self) -> Result<String> {
        let version = self.registry.find(&self.uri)?;
        version.with_context(|| format!("there is no `{}` on the MLflow server", self.uri))
    }
}

impl ModelSource for Registered {
    fn wanted(&self) -> Result<String, SourceError> {
        let version = self.version()?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.get(&version).cloned().unwrap_or_else(|| format!("version {version}")))
    }

    fn load(&self) -> Result<ServedModel, SourceError> {
        let version = self.version()?;
        let folder = tempfile::tempdir()?;
        self.registry.download(&version, folder.path())?;
        let run = format!("v{version}");
        let model = served(folder.path(), (self.uri.model.clone(), run), &self.backend)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(version, model.identity.checksum.clone());
        Ok(model)
    }

    fn former(&self) -> Result<Option<ServedModel>, SourceError> {
        Ok(None)
    }

    fn roll_back(&self) -> Result<(), SourceError> {
        Ok(())
    }
}
