//! `--set KEY=VALUE`, and the names of parameters.

use toml::{Table, Value};

use crate::data::nearest;

use super::ParamsError;

/// A section that may be given as one value, and the key that the value is for.
const SHORTHAND: (&str, &str) = ("features", "features.set");

/// Turns `features = "auto"` into the section that it stands for.
pub(super) fn expand_shorthand(table: &mut Table) {
    let (section, key) = (SHORTHAND.0, SHORTHAND.1.trim_start_matches("features."));
    if let Some(value) = table.get(section).filter(|value| !value.is_table()).cloned() {
        let inner: Table = std::iter::once((key.to_owned(), value)).collect();
        table.insert(section.to_owned(), Value::Table(inner));
    }
}

/// Sets one key of `table` from `KEY=VALUE`; the value is TOML, a bare word is a string.
pub(super) fn apply(table: &mut Table, set: &str) -> Result<(), ParamsError> {
    let Some((key, value)) = set.split_once('=') else {
        return Err(ParamsError::Syntax {
            place: format!("--set {set}"),
            message: "there is no `=`, expected KEY=VALUE, e.g. train.epochs=100".to_owned(),
        });
    };
    let key = if key.trim() == SHORTHAND.0 { SHORTHAND.1 } else { key.trim() };
    let path: Vec<&str> = key.split('.').collect();
    let (last, sections) = path.split_last().unwrap_or((&"", &[]));
    let mut place = table;
    for section in sections {
        let entry = place.entry(*section).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = entry else { return Err(not_a_section(set, section)) };
        place = inner;
    }
    if place.get(*last).is_some_and(Value::is_table) {
        return Err(not_a_value(set, last));
    }
    place.insert((*last).to_owned(), parse(value.trim()));
    Ok(())
}

/// A TOML value, or the text itself where it is none.
fn parse(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>();
    let value = parsed.ok().and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn not_a_section(set: &str, section: &str) -> ParamsError {
    let message = format!("`{section}` is a value, expected a section");
    ParamsError::Syntax { place: format!("--set {set}"), message }
}

fn not_a_value(set: &str, section: &str) -> ParamsError {
    let message = format!("`{section}` is a section, expected a key such as `{section}.NAME`");
    ParamsError::Syntax { place: format!("--set {set}"), message }
}

/// The dotted names of all values in `table`.
pub(super) fn keys(table: &Table) -> Vec<String> {
    let of = |(name, value): (&String, &Value)| match value {
        Value::Table(inner) if !inner.is_empty() => {
            keys(inner).into_iter().map(|key| format!("{name}.{key}")).collect()
        }
        _ => vec![name.clone()],
    };
    table.iter().flat_map(of).collect()
}

/// The error for a key that is not known.
pub(super) fn unknown(place: &str, key: &str, known: &[String]) -> ParamsError {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let same_name = known.iter().find(|other| last(other) == last(key)).map(String::as_str);
    let similar = same_name.or_else(|| nearest(key, known.iter().map(String::as_str)));
    let hint = similar.map_or_else(
        || "\n\nhint: the README lists the parameters".to_owned(),
        |name| format!("\n\nhint: did you mean `{name}`?"),
    );
    ParamsError::UnknownKey { place: place.to_owned(), key: key.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<Table, ParamsError> {
        let mut table: Table = "[train]\nepochs = 3".parse().unwrap();
        apply(&mut table, text).map(|()| table)
    }

    #[test]
    fn features_may_be_given_as_one_value() {
        let mut table: Table = "features = \"auto\"".parse().unwrap();
        expand_shorthand(&mut table);
        assert_eq!(table, "[features]\nset = \"auto\"".parse::<Table>().unwrap());
        apply(&mut table, "features=[\"raw\"]").unwrap();
        assert_eq!(table, "[features]\nset = [\"raw\"]".parse::<Table>().unwrap());
    }

    #[test]
    fn values_are_toml_and_bare_words_are_strings() {
        assert_eq!(set("train.epochs=7").unwrap()["train"]["epochs"].as_integer(), Some(7));
        assert_eq!(set("model.hidden=[8, 4]").unwrap()["model"]["hidden"][1].as_integer(), Some(4));
        assert_eq!(
            set("target.transform=log").unwrap()["target"]["transform"].as_str(),
            Some("log")
        );
        assert_eq!(set("data.path=a/b=c.csv").unwrap()["data"]["path"].as_str(), Some("a/b=c.csv"));
    }

    #[test]
    fn sections_and_values_are_not_mixed_up() {
        for wrong in ["train", "train=3", "train.epochs.more=3"] {
            assert!(matches!(set(wrong), Err(ParamsError::Syntax { .. })), "{wrong}");
        }
    }
}
