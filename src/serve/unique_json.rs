//! JSON in which no key of an object comes twice: of two values for one column nobody knows which is meant, and
//! `serde_json` takes the last without a word.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The value of a text.
///
/// # Errors
/// When it is no JSON; of kind `Data` when a key comes twice.
pub(super) fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Unique>(text).map(|unique| unique.0)
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Self)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, own: bool) -> Result<Value, E> {
        Ok(own.into())
    }

    fn visit_u64<E: Error>(self, own: u64) -> Result<Value, E> {
        Ok(own.into())
    }

    fn visit_i64<E: Error>(self, own: i64) -> Result<Value, E> {
        Ok(own.into())
    }

    fn visit_f64<E: Error>(self, own: f64) -> Result<Value, E> {
        Ok(Number::from_f64(own).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, own: &str) -> Result<Value, E> {
        Ok(own.into())
    }

    fn visit_string<E: Error>(self, own: String) -> Result<Value, E> {
        Ok(own.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if values.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` comes more than once")));
            }
            values.insert(key, object.next_value::<Unique>()?.0);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_what_it_is_elsewhere() {
        for text in [
            r#"{"a": [1, -2, 3.5, 1e300, "x\n", true, null, {}, []], "b": {"a": 18446744073709551615}}"#,
            "7",
            "\"text\"",
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text.as_bytes()).unwrap(), expected);
        }
        for wrong in ["", "{", "[1,]", "1e400", "nul", "{\"a\": 1} 2"] {
            let error = read(wrong.as_bytes()).unwrap_err();
            assert!(!error.is_data() && serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_comes_twice_is_refused_wherever_it_stands() {
        for text in [r#"{"a": 1, "b": 2, "a": 1}"#, r#"[[{"c": {"a": 1, "a": 2}}]]"#] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.is_data());
            assert!(error.to_string().contains("`a` comes more than once"), "{error}");
        }
    }
}
