//! The names of feature blocks, as they stand in the parameters.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::data::nearest;

/// A block of columns made from the cleaned raw columns, or from another block.
///
/// | name | columns | helps where |
/// |---|---|---|
/// | `raw` | the columns themselves | always a start |
/// | `total` | their sum | the target grows with the total signal |
/// | `summary` | mean, standard deviation, largest and smallest of the row | columns are alike and their order says little |
/// | `shares` | each column over the sum of the absolute values | the pattern matters apart from the size |
/// | `ratios` | `a / (abs(a) + abs(b))` for every pair of rings, or of up to 15 columns | signals compare with each other |
/// | `sorted` | each ring's signals in falling order | turning the container changes nothing |
/// | `ring_sums` | the sum of each ring | height matters, angle does not |
/// | `ring_asymmetries` | `abs(sum x_k exp(2 pi i k / n)) / sum abs(x_k)` of each ring | a source off the axis |
/// | `log1p(block)` | `sign(x) ln(1 + abs(x))` | values span decades |
/// | `normal(block)` | quantiles of the training rows to those of the normal distribution | odd distributions, outliers |
/// | `pairs(block)` | squares and products of standardised columns | interactions, with few columns |
/// | `pca(block)` | principal components of standardised columns, 99 % of their variance | many correlated columns |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FeatureBlock {
    /// The columns themselves.
    Raw,
    /// Their sum.
    Total,
    /// Mean, standard deviation, largest and smallest of the row.
    Summary,
    /// Each column over the sum.
    Shares,
    /// Rings or columns against each other.
    Ratios,
    /// Each ring in falling order.
    Sorted,
    /// The sum of each ring.
    RingSums,
    /// The first harmonic of each ring over its sum.
    RingAsymmetries,
    /// The logarithm of a block.
    Log1p(Box<FeatureBlock>),
    /// The normal scores of a block.
    Normal(Box<FeatureBlock>),
    /// The products of a block.
    Pairs(Box<FeatureBlock>),
    /// The principal components of a block.
    Pca(Box<FeatureBlock>),
}

const SOURCES: [(&str, FeatureBlock); 8] = [
    ("raw", FeatureBlock::Raw),
    ("total", FeatureBlock::Total),
    ("summary", FeatureBlock::Summary),
    ("shares", FeatureBlock::Shares),
    ("ratios", FeatureBlock::Ratios),
    ("sorted", FeatureBlock::Sorted),
    ("ring_sums", FeatureBlock::RingSums),
    ("ring_asymmetries", FeatureBlock::RingAsymmetries),
];

type Wrap = fn(Box<FeatureBlock>) -> FeatureBlock;

const MAPS: [(&str, Wrap); 4] = [
    ("log1p", FeatureBlock::Log1p),
    ("normal", FeatureBlock::Normal),
    ("pairs", FeatureBlock::Pairs),
    ("pca", FeatureBlock::Pca),
];

/// Maps within maps that are read at most.
const DEEPEST: usize = 4;

impl FeatureBlock {
    /// Whether it needs a detector array.
    #[must_use]
    pub fn needs_array(&self) -> bool {
        match self {
            Self::Sorted | Self::RingSums | Self::RingAsymmetries => true,
            Self::Log1p(of) | Self::Normal(of) | Self::Pairs(of) | Self::Pca(of) => {
                of.needs_array()
            }
            _ => false,
        }
    }

    fn parse(text: &str, depth: usize) -> Result<Self, String> {
        let text = text.trim();
        let Some((map, rest)) = text.split_once('(') else {
            let source = SOURCES.iter().find(|(name, _)| *name == text);
            return source.map(|(_, block)| block.clone()).ok_or_else(|| unknown(text));
        };
        let inner = rest
            .strip_suffix(')')
            .ok_or_else(|| format!("the feature block `{text}` lacks its closing parenthesis"))?;
        let map = map.trim();
        let (_, wrap) = MAPS.iter().find(|(name, _)| *name == map).ok_or_else(|| unknown(map))?;
        if depth == DEEPEST {
            return Err(format!(
                "the feature block `{text}` is nested deeper than {DEEPEST} times"
            ));
        }
        Ok(wrap(Box::new(Self::parse(inner, depth + 1)?)))
    }
}

fn unknown(name: &str) -> String {
    let known = SOURCES.iter().map(|(name, _)| *name).chain(MAPS.iter().map(|(name, _)| *name));
    let names: Vec<&str> = known.clone().collect();
    match nearest(name, known) {
        Some(similar) => {
            format!("there is no feature block `{name}`; did you mean `{similar}`?")
        }
        None => format!("there is no feature block `{name}`; there are {}", names.join(", ")),
    }
}

impl FromStr for FeatureBlock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, 0)
    }
}

impl TryFrom<String> for FeatureBlock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<FeatureBlock> for String {
    fn from(block: FeatureBlock) -> Self {
        block.to_string()
    }
}

impl fmt::Display for FeatureBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log1p(of) => write!(formatter, "log1p({of})"),
            Self::Normal(of) => write!(formatter, "normal({of})"),
            Self::Pairs(of) => write!(formatter, "pairs({of})"),
            Self::Pca(of) => write!(formatter, "pca({of})"),
            source => {
                let known = SOURCES.iter().find(|(_, block)| block == source);
                formatter.write_str(known.map_or("raw", |(name, _)| name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_read_back_as_they_are_written() {
        for text in ["raw", "log1p(raw)", "pca(normal(sorted))", "pairs(log1p(ring_sums))"] {
            assert_eq!(text.parse::<FeatureBlock>().unwrap().to_string(), text);
        }
        assert_eq!(" log1p( total ) ".parse::<FeatureBlock>().unwrap().to_string(), "log1p(total)");
    }

    #[test]
    fn a_misspelt_block_is_told_the_nearest() {
        let error = "log1p(ringsums)".parse::<FeatureBlock>().unwrap_err();
        assert!(error.contains("did you mean `ring_sums`?"), "{error}");
        assert!("log1p(raw".parse::<FeatureBlock>().unwrap_err().contains("parenthesis"));
        let deep = "log1p(log1p(log1p(log1p(log1p(raw)))))";
        assert!(deep.parse::<FeatureBlock>().unwrap_err().contains("nested"));
    }
}
