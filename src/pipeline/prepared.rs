//! The folds of a run and the features that each of them sees.

use crate::{
    data::{Dataset, FoldPlan},
    features::{
        CleanConfig, FeatureBlock, FeatureError, FeatureMatrix, Layout, PerFold, Preprocessor,
        RawRows,
    },
    train::TrainingTable,
};

/// A raw table and what is configured for it, before folds are cut.
#[derive(Clone, Copy)]
pub(super) struct RawTable<'a> {
    pub(super) dataset: &'a Dataset,
    /// Targets in the space of learning.
    pub(super) transformed: &'a [f64],
    pub(super) clean: &'a CleanConfig,
    pub(super) layout: &'a Layout,
    /// Motions of the detector array that make further training rows; see `DetectorArray::motions`.
    pub(super) motions: &'a [Vec<usize>],
}

/// Folds with their features, fitted on the training rows of each.
pub(super) struct Prepared {
    pub(super) plan: FoldPlan,
    /// From raw columns to features.
    pub(super) preprocessors: PerFold<Preprocessor>,
    /// The features of all rows; below them those of the rows under each motion.
    pub(super) matrices: PerFold<FeatureMatrix>,
}

impl RawTable<'_> {
    /// The columns and the rows that may be looked at.
    pub(super) fn rows<'a>(&'a self, rows: &'a [u32]) -> RawRows<'a> {
        RawRows { names: &self.dataset.feature_names, columns: &self.dataset.features, rows }
    }

    /// Fits the features of each fold; `blocks` are those of each split.
    ///
    /// # Errors
    /// When there is no feature at all.
    pub(super) fn prepare(
        &self,
        plan: FoldPlan,
        blocks: &[Vec<FeatureBlock>],
    ) -> Result<Prepared, FeatureError> {
        let fit = |(split, blocks): (&crate::data::Split, &Vec<FeatureBlock>)| {
            Preprocessor::fit(self.clean, blocks, self.layout, self.rows(&split.train))
        };
        let mut fitted: Vec<Preprocessor> = plan.splits.iter().zip(blocks).map(fit).collect();
        let width = fitted.iter().map(Preprocessor::width).max().unwrap_or(0);
        if let Some(index) = fitted.iter().position(|one| one.outputs().len() == 0) {
            let names: Vec<String> = blocks[index].iter().map(ToString::to_string).collect();
            return Err(FeatureError::NoFeatures { set: names.join(", ") });
        }
        // One shape for all networks: folds with fewer features see zeros instead.
        for preprocessor in &mut fitted {
            preprocessor.widen(width);
        }
        let preprocessors = PerFold::new(fitted);
        let matrices = preprocessors.map(|preprocessor| self.matrix(preprocessor));
        Ok(Prepared { plan, preprocessors, matrices })
    }

    /// The same blocks for every fold.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub(super) fn prepare_alike(
        &self,
        plan: FoldPlan,
        blocks: &[FeatureBlock],
    ) -> Result<Prepared, FeatureError> {
        let blocks = vec![blocks.to_vec(); plan.splits.len()];
        self.prepare(plan, &blocks)
    }

    /// The features of all rows, then of all rows under each motion.
    fn matrix(&self, preprocessor: &Preprocessor) -> FeatureMatrix {
        let columns = &self.dataset.features;
        let mut matrix = preprocessor.transform_columns(columns);
        let detectors = self.layout.all_detectors();
        for motion in self.motions {
            let mut moved = columns.clone();
            for (place, from) in motion.iter().enumerate() {
                moved[detectors[place]].clone_from(&columns[detectors[*from]]);
            }
            matrix.append(&preprocessor.transform_columns(&moved));
        }
        matrix
    }
}

impl Prepared {
    /// What the networks learn from.
    pub(super) fn table<'a>(
        &'a self,
        targets: &'a [f64],
        weights: &'a [f64],
        groups: &'a [u32],
    ) -> TrainingTable<'a> {
        TrainingTable { features: &self.matrices, targets, weights, groups }
    }

    /// Columns of the features.
    pub(super) fn width(&self) -> usize {
        self.preprocessors.get(0).width()
    }

    /// Lets go of the features once every model has learned and is judged: of a large table they are a quarter of all.
    pub(super) fn forget_features(&mut self) {
        self.matrices = PerFold::new(Vec::new());
    }
}
