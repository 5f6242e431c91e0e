//! The model that predicts now, with everything that it was trained from.

use std::{collections::HashSet, path::PathBuf};

use anyhow::{Context, Result, bail};
use toml::Table;

use crate::{
    data::{Dataset, MissingCells, TableSchema},
    model::{Backend, BackendKind, Predictor},
    registry::{Pointer, Pointers},
    train::{Checkpoint, Manifest, Schema},
};

use super::super::{
    Params, overrides,
    registry_job::{refuse_changed, the_only_model},
    tracking::environment,
    training_start::schema_of,
    verify_job::refuse_other_table,
};
use super::new_rows::containers_of;

/// The model that predicts now, with everything that it was trained from.
pub(super) struct Champion {
    /// The model's name in the registry.
    pub(super) model: String,
    pub(super) pointer: Pointer,
    pub(super) manifest: Manifest,
    pub(super) predictor: Predictor,
    /// The parameters of its training; places and names as they are now.
    pub(super) params: Params,
    /// Its table.
    pub(super) table: Dataset,
    /// What becomes of cells without a value.
    pub(super) missing: MissingCells,
    /// What is stated about its columns.
    pub(super) stated: TableSchema,
}

impl Champion {
    /// Reads the champion of `model`, or of the only model that has one.
    pub(super) fn read(params: &Params, model: Option<&str>) -> Result<Self> {
        let folder = &params.paths.checkpoints;
        let pointers = Pointers::settled(folder, &environment)?;
        let model = the_only_model(&pointers, model)?;
        let Some(pointer) = pointers.model(&model).champion else {
            bail!("`{model}` has no champion\n\nhint: `massay registry promote NAME`");
        };
        let folder = folder.join(&pointer.run);
        refuse_changed(&folder, &pointer.manifest_sha256)?;
        let checkpoint = Checkpoint::read(&folder)?;
        let own = params_of(&checkpoint.manifest, params, &model)?;
        refuse_other_table(&own.data.path, &checkpoint.manifest)?;
        let missing = checkpoint.missing_cells();
        let table = Dataset::read(&own.data, "", missing)?;
        let stated = schema_of(&own)?;
        let predictor = checkpoint.predictor(&Backend::select(BackendKind::Cpu)?);
        Ok(Self {
            model,
            pointer,
            manifest: checkpoint.manifest,
            predictor,
            params: own,
            table,
            missing,
            stated,
        })
    }

    /// The containers of its table.
    pub(super) fn containers(&self) -> HashSet<String> {
        containers_of(&self.table)
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.manifest.schema
    }
}

/// The parameters that the champion was trained with, all of them as if set by hand: a recipe that depends on the
/// number of rows stays what it was.
fn params_of(manifest: &Manifest, now: &Params, model: &str) -> Result<Params> {
    let own: Params = serde_json::from_value(manifest.parameters.clone())
        .context("the champion's parameters cannot be read")?;
    let mut params = Params {
        paths: now.paths.clone(),
        track: now.track.clone(),
        retrain: now.retrain.clone(),
        given: overrides::keys(&Table::try_from(&own)?),
        is_from_file: true,
        ..own
    };
    model.clone_into(&mut params.track.model);
    let schema = params.data.schema_file().unwrap_or_else(|| PathBuf::from("none"));
    params.data.schema = schema;
    params.data.features.clone_from(&manifest.schema.features);
    params.data.group.clone_from(&manifest.schema.group);
    refuse_special(&params)?;
    Ok(params)
}

/// What served rows do not bring.
fn refuse_special(params: &Params) -> Result<()> {
    let lacks = |what: &str| {
        bail!(
            "the champion was trained with {what}, which served rows do not have\n\nhint: make the table \
             yourself, then `massay train` and `massay registry promote`"
        )
    };
    if !params.cv.is_drawn() {
        return lacks("folds that were given or cut by time");
    }
    if !params.data.weight.is_empty() || !params.data.uncertainty.is_empty() {
        return lacks("weights");
    }
    Ok(())
}
