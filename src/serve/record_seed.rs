//! Rows of a JSON body read straight into numbers, without a value for each cell in between.
//!
//! Reads what can be answered and nothing else. Where it gives up, [`super::rows::RowReader`] reads the body again
//! and says what is wrong.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::data::MissingCells;

use super::{
    ServedModel,
    rows::{RawRows, name_of},
};

/// The rows of a body, and whether it is one row by itself; `None` where anything about it is unusual.
pub(super) fn read(body: &[u8], model: &ServedModel, most: usize) -> Option<(RawRows, bool)> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut records = Records { model, most, rows: RawRows::default() };
    let is_single = deserializer.deserialize_any(&mut records).ok()?;
    deserializer.end().ok()?;
    (!records.rows.values.is_empty()).then_some((records.rows, is_single))
}

/// Takes the rows of a body in.
struct Records<'a> {
    model: &'a ServedModel,
    most: usize,
    rows: RawRows,
}

/// What a key of a row names.
enum Key {
    Column(usize),
    Container,
    Other,
}

impl<'de> Visitor<'de> for &mut Records<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row or a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<bool, A::Error> {
        let mut count = 0;
        while rows.next_element_seed(Record(self))?.is_some() {
            count += 1;
            if count > self.most {
                return Err(A::Error::custom("too many rows"));
            }
        }
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, row: A) -> Result<bool, A::Error> {
        Record(self).visit_map(row).map(|()| true)
    }
}

/// Takes one row in.
struct Record<'r, 'a>(&'r mut Records<'a>);

impl<'de> DeserializeSeed<'de> for Record<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let Records { model, rows, .. } = self.0;
        let columns = model.columns().len();
        let (start, mut found) = (rows.values.len(), 0);
        let mut container: Option<Option<String>> = None;
        // No cell is infinite, so that this marks those that have not come yet.
        rows.values.resize(start + columns, f64::INFINITY);
        let own = &mut rows.values[start..];
        while let Some(key) = row.next_key_seed(KeyOf(model))? {
            match key {
                Key::Column(place) if own[place] == f64::INFINITY => {
                    own[place] = match model.missing {
                        MissingCells::Refuse => row.next_value()?,
                        _ => row.next_value::<Option<f64>>()?.unwrap_or(f64::NAN),
                    };
                    found += 1;
                }
                Key::Column(_) => return Err(A::Error::custom("a column comes twice")),
                Key::Container if container.is_none() => {
                    container = Some(name_of(&row.next_value::<Value>()?));
                }
                Key::Container => return Err(A::Error::custom("a container comes twice")),
                Key::Other => drop(row.next_value::<IgnoredAny>()?),
            }
        }
        if found < columns {
            return Err(A::Error::custom("a column is missing"));
        }
        rows.containers.push(container.flatten());
        Ok(())
    }
}

/// Finds out what a key names.
struct KeyOf<'a>(&'a ServedModel);

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf<'_> {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a column")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.0.place(name) {
            Some(place) => Key::Column(place),
            None if name == self.0.schema.group => Key::Container,
            None => Key::Other,
        })
    }
}
