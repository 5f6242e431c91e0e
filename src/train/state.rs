//! What a training needs in order to go on after it was killed.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::model::MemberWeights;

use super::{EpochRecord, TrainError, stopping::FoldProgress, write_atomically};

/// The networks of one cohort between two epochs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CohortState {
    pub(super) progress: CohortProgress,
    pub(super) members: Vec<MemberState>,
}

/// The numbers of a cohort that are not weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CohortProgress {
    /// Epochs that are done.
    pub(super) epoch: usize,
    pub(super) folds: Vec<FoldProgress>,
    pub(super) steps: Vec<u32>,
    pub(super) history: Vec<EpochRecord>,
}

/// One network with its optimiser.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MemberState {
    pub(super) weights: MemberWeights,
    pub(super) best: MemberWeights,
    pub(super) first_moment: MemberWeights,
    pub(super) second_moment: MemberWeights,
    /// Optimiser steps taken.
    pub(super) steps: u32,
}

impl MemberState {
    /// A network that has not been trained.
    pub(super) fn new(weights: MemberWeights) -> Self {
        let zeros = MemberWeights(vec![0.0; weights.0.len()]);
        Self {
            best: weights.clone(),
            weights,
            first_moment: zeros.clone(),
            second_moment: zeros,
            steps: 0,
        }
    }

    fn parts(&self) -> [(&'static str, &MemberWeights); 4] {
        [
            ("weights", &self.weights),
            ("best", &self.best),
            ("first_moment", &self.first_moment),
            ("second_moment", &self.second_moment),
        ]
    }
}

impl CohortState {
    /// Replaces the state in the file at `path`, whole or not at all.
    pub(super) fn save(&self, path: &Path) -> Result<(), TrainError> {
        let failed = |source| TrainError::State { path: path.to_owned(), source };
        let progress =
            serde_json::to_string(&self.progress).map_err(|error| failed(error.into()))?;
        let metadata = HashMap::from([("progress".to_owned(), progress)]);
        let members = self.members.iter().enumerate();
        let tensors = members.flat_map(|(index, member)| {
            let name = move |part: &str| format!("{index}.{part}");
            member
                .parts()
                .map(|(part, weights)| (name(part), Floats::new(&weights.0, &[weights.0.len()])))
        });
        let bytes = safetensors::serialize(tensors, Some(metadata))
            .map_err(|error| failed(io::Error::other(error)))?;
        write_atomically(path, |file| file.write_all(&bytes)).map_err(failed)
    }

    /// The state in the file at `path`, or `None` where there is no file.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, TrainError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TrainError::State { path: path.to_owned(), source }),
        };
        let foreign = |found: &str| foreign(path, found);
        let (_, header) =
            SafeTensors::read_metadata(&bytes).map_err(|error| foreign(&error.to_string()))?;
        let metadata = header.metadata().as_ref().and_then(|metadata| metadata.get("progress"));
        let progress = metadata.ok_or_else(|| foreign("it holds no progress"))?;
        let progress: CohortProgress =
            serde_json::from_str(progress).map_err(|error| foreign(&error.to_string()))?;
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|error| foreign(&error.to_string()))?;
        let members = progress.steps.iter().enumerate();
        let members: Option<Vec<MemberState>> =
            members.map(|(index, steps)| member_state(&tensors, index, *steps)).collect();
        let members = members.ok_or_else(|| foreign("weights are missing"))?;
        Ok(Some(Self { progress, members }))
    }
}

fn member_state(tensors: &SafeTensors<'_>, index: usize, steps: u32) -> Option<MemberState> {
    let read = |part: &str| -> Option<MemberWeights> {
        let tensor = tensors.tensor(&format!("{index}.{part}")).ok()?;
        Some(MemberWeights(floats(tensor.data())))
    };
    Some(MemberState {
        weights: read("weights")?,
        best: read("best")?,
        first_moment: read("first_moment")?,
        second_moment: read("second_moment")?,
        steps,
    })
}

/// The error for a state file that does not fit.
pub(super) fn foreign(path: &Path, found: &str) -> TrainError {
    TrainError::ForeignState { path: PathBuf::from(path), found: found.to_owned() }
}

/// Little-endian single-precision numbers.
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    let numbers = bytes.as_chunks::<4>().0.iter();
    numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Numbers as a safetensors tensor.
pub(super) struct Floats<'a> {
    values: &'a [f32],
    shape: Vec<usize>,
}

impl<'a> Floats<'a> {
    pub(super) fn new(values: &'a [f32], shape: &[usize]) -> Self {
        Self { values, shape: shape.to_vec() }
    }
}

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.values.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        4 * self.values.len()
    }
}
