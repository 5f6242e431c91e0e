//! One parameter of a search and the values it may take.

use toml::{Table, Value};

/// Parameters that a search may vary; each changes the networks or how they learn, none what a trial
/// is judged by.
pub(super) const TUNABLE: [&str; 15] = [
    "model.hidden",
    "model.activation",
    "model.parametric_activation",
    "model.dropout",
    "model.input_scaling",
    "model.embedding",
    "model.scaling_layer",
    "model.parametrisation",
    "model.linear_skip",
    "model.copies",
    "train.epochs",
    "train.batch_size",
    "train.learning_rate",
    "train.weight_decay",
    "train.beta_2",
];

/// Significant digits of a number that is drawn: more tell nothing and are hard to read.
const DIGITS: i32 = 3;

/// The values that a parameter may take.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Range {
    /// Every number between two.
    Between { low: f64, high: f64, is_logarithmic: bool, is_whole: bool },
    /// One of a list.
    OneOf(Vec<Value>),
}

impl Range {
    /// Reads `{ low, high, log }` or a list of choices.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(choices) if !choices.is_empty() => Ok(Self::OneOf(choices.clone())),
            Value::Table(table) => Self::read_interval(table),
            other => Err(other.to_string()),
        }
    }

    fn read_interval(table: &Table) -> Result<Self, String> {
        let found = || Value::Table(table.clone()).to_string();
        let number = |key: &str| match table.get(key)? {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        let is_known = |key: &String| ["low", "high", "log"].contains(&key.as_str());
        let is_logarithmic = match table.get("log") {
            None => false,
            Some(Value::Boolean(log)) => *log,
            Some(_) => return Err(found()),
        };
        let ends = number("low").zip(number("high")).filter(|_| table.keys().all(is_known));
        let (low, high) = ends.ok_or_else(found)?;
        let is_ordered = low.is_finite() && high.is_finite() && low < high;
        if !is_ordered || (is_logarithmic && low <= 0.0) {
            return Err(found());
        }
        let is_whole = ["low", "high"].iter().all(|key| table[*key].is_integer());
        Ok(Self::Between { low, high, is_logarithmic, is_whole })
    }

    /// The value at a share from 0 to below 1 of the range.
    pub(super) fn at(&self, share: f64) -> Value {
        match self {
            Self::OneOf(choices) => {
                let index = (share * choices.len() as f64) as usize;
                choices[index.min(choices.len() - 1)].clone()
            }
            Self::Between { low, high, is_logarithmic, is_whole } => {
                let number = if *is_logarithmic {
                    low * libm::pow(high / low, share)
                } else {
                    low + share * (high - low)
                };
                if *is_whole {
                    Value::Integer(number.round() as i64)
                } else {
                    Value::Float(rounded(number).clamp(*low, *high))
                }
            }
        }
    }

    /// Whether its values are drawn on a logarithmic axis.
    pub(super) fn is_logarithmic(&self) -> bool {
        matches!(self, Self::Between { is_logarithmic: true, .. })
    }
}

/// The nearest number of [`DIGITS`] significant digits.
fn rounded(number: f64) -> f64 {
    let text = format!("{number:.*e}", (DIGITS - 1) as usize);
    text.parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Range, String> {
        let table: Table = format!("range = {text}").parse().unwrap();
        Range::read(&table["range"])
    }

    #[test]
    fn ranges_span_their_ends_on_their_own_scale() {
        let range = read("{ low = 0.001, high = 1.0, log = true }").unwrap();
        assert_eq!(range.at(0.0), Value::Float(0.001));
        assert_eq!(range.at(1.0 / 3.0), Value::Float(0.01));
        assert_eq!(range.at(0.5), Value::Float(0.0316));
        assert_eq!(read("{ low = 10, high = 20 }").unwrap().at(0.54), Value::Integer(15));
        assert_eq!(read("{ low = 0.0, high = 0.5 }").unwrap().at(0.25), Value::Float(0.125));
        let choices = read("[[64, 64], [8]]").unwrap();
        assert_eq!(choices.at(0.49).to_string(), "[64, 64]");
        assert_eq!(choices.at(0.5).to_string(), "[8]");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let wrong = [
            "3",
            "[]",
            "{ low = 1 }",
            "{ low = 2, high = 1 }",
            "{ low = 0, high = 1, log = true }",
            "{ low = 0.1, high = 1.0, step = 0.1 }",
            "{ low = 0.1, high = 1.0, log = 1 }",
            "{ low = 0.1, high = inf }",
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
