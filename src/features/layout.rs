//! Where the columns of a cleaned row stand.

use thiserror::Error;

use crate::data::DetectorArray;

use super::{FeatureBlock, FeatureSet};

/// The raw columns, and how detectors stand among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Number of raw columns.
    pub columns: usize,
    /// The columns of each ring, in the order of their angles; empty without a whole detector array.
    pub rings: Vec<Vec<usize>>,
    /// The first detector of the array that is no raw column, for which there are no rings.
    absent: Option<String>,
    /// Dead columns, which no sum or comparison over detectors counts.
    dead: Vec<usize>,
}

/// Why features cannot be made as configured.
#[derive(Debug, Error)]
pub enum FeatureError {
    /// A block needs rings.
    #[error(
        "the feature block `{block}` needs rings of detectors, and no schema declares any\n\n\
         hint: declare `[array]` in schema.toml beside the table, or name the file with \
         `data.schema`"
    )]
    NoRings {
        /// The block.
        block: String,
    },
    /// Augmentation needs symmetries.
    #[error(
        "`features.augment` needs the symmetries of a detector array, and no schema declares any\n\n\
         hint: declare `symmetries` under `[array]` in schema.toml beside the table"
    )]
    NoSymmetries,
    /// A combination of symmetries that no detector array has.
    #[error(
        "the stated symmetries combine to more than 1000 motions\n\nhint: state only motions that map \
         the detectors onto each other, such as a turn and a mirror"
    )]
    TooManyMotions,
    /// The schema's array names a column that is no feature.
    #[error(
        "`{needed}` needs the whole detector array, and its `{column}` is not among the features\n\n\
         hint: add it to `data.features`"
    )]
    NotAFeature {
        /// What needs the array.
        needed: String,
        /// The column.
        column: String,
    },
    /// A set that has no feature for this table.
    #[error(
        "the features `{set}` have no column for this table\n\nhint: `ratios` needs two columns or \
         two rings; add `raw` to `features.set`"
    )]
    NoFeatures {
        /// The set.
        set: String,
    },
}

impl Layout {
    /// The layout of `columns` raw columns without a detector array.
    #[must_use]
    pub fn plain(columns: usize) -> Self {
        Self { columns, ..Self::default() }
    }

    /// The layout of raw columns `names`; an array with a detector that is none of them has no rings.
    #[must_use]
    pub fn new(names: &[String], array: Option<&DetectorArray>) -> Self {
        let position = |column: &String| {
            names.iter().position(|name| name == column).ok_or_else(|| column.clone())
        };
        let ring = |ring: &Vec<String>| ring.iter().map(position).collect::<Result<Vec<_>, _>>();
        let rings = array.map_or(&[][..], |array| &array.rings).iter().map(ring);
        match rings.collect::<Result<Vec<_>, String>>() {
            Ok(rings) => Self { rings, ..Self::plain(names.len()) },
            Err(absent) => Self { absent: Some(absent), ..Self::plain(names.len()) },
        }
    }

    /// The same layout with these columns dead.
    #[must_use]
    pub fn with_dead(&self, dead: Vec<usize>) -> Self {
        Self { dead, ..self.clone() }
    }

    /// The detectors that are not dead: the columns of all rings, or all columns without rings. All of
    /// them where all are dead.
    #[must_use]
    pub fn detectors(&self) -> Vec<usize> {
        let all = self.all_detectors();
        let alive: Vec<usize> =
            all.iter().copied().filter(|column| !self.dead.contains(column)).collect();
        if alive.is_empty() { all } else { alive }
    }

    /// The detectors, dead or not, ring by ring.
    #[must_use]
    pub fn all_detectors(&self) -> Vec<usize> {
        if self.rings.is_empty() { (0..self.columns).collect() } else { self.rings.concat() }
    }

    /// Refuses a set whose blocks need what is not there.
    ///
    /// # Errors
    /// When a block needs rings and there are none.
    pub fn check(&self, set: &FeatureSet) -> Result<(), FeatureError> {
        let FeatureSet::Blocks(blocks) = set else { return Ok(()) };
        let lacking = |block: &&FeatureBlock| self.rings.is_empty() && block.needs_array();
        match (blocks.iter().find(lacking), &self.absent) {
            (None, _) => Ok(()),
            (Some(block), None) => Err(FeatureError::NoRings { block: block.to_string() }),
            (Some(block), Some(column)) => {
                Err(FeatureError::NotAFeature { needed: block.to_string(), column: column.clone() })
            }
        }
    }

    /// The motions of `array` that can make further rows.
    ///
    /// # Errors
    /// When there is no array, it has no symmetries or too many, or a detector is no column.
    pub fn motions(&self, array: Option<&DetectorArray>) -> Result<Vec<Vec<usize>>, FeatureError> {
        if let Some(column) = &self.absent {
            let (needed, column) = ("features.augment".to_owned(), column.clone());
            return Err(FeatureError::NotAFeature { needed, column });
        }
        let array = array.ok_or(FeatureError::NoSymmetries)?;
        let motions = array.motions().ok_or(FeatureError::TooManyMotions)?;
        if motions.is_empty() { Err(FeatureError::NoSymmetries) } else { Ok(motions) }
    }
}
