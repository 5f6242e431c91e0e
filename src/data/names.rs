//! Distinct names in one piece of text, numbered in the order in which they were met.

use std::{
    fmt::{self, Debug, Display, Formatter},
    hash::{BuildHasher, Hash, Hasher},
    ops::{Deref, Range},
    sync::{Arc, LazyLock},
};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names one behind the other: of a million containers they take a third of what a million texts of their own take.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names {
    text: String,
    /// Where each ends in `text`.
    ends: Vec<usize>,
}

/// One of some names, which it keeps.
#[derive(Clone)]
pub struct Name {
    all: Arc<Names>,
    number: u32,
}

/// Names while they are collected, each known by its text.
#[derive(Clone, Default)]
pub(crate) struct NameSet {
    names: Names,
    hashes: Vec<u32>,
    numbers: HashTable<u32>,
}

impl Names {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name of that number, from 0, which there is.
    #[must_use]
    pub fn get(&self, number: usize) -> &str {
        &self.text[self.place(number)]
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number))
    }

    /// Adds a name, known or not.
    pub(crate) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    fn place(&self, number: usize) -> Range<usize> {
        number.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[number]
    }
}

impl<T: AsRef<str>> FromIterator<T> for Names {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.push(name.as_ref()));
        all
    }
}

impl Debug for Names {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl NameSet {
    /// The number of a name, a new one where it is not known yet.
    pub(crate) fn insert(&mut self, name: &str) -> u32 {
        self.insert_hashed(name, hash(name))
    }

    /// Adds all of `others` and says which number each has here.
    pub(crate) fn extend(&mut self, others: &Self) -> Vec<u32> {
        let names = others.names.iter().zip(&others.hashes);
        names.map(|(name, hash)| self.insert_hashed(name, *hash)).collect()
    }

    /// Makes room for `names` in all, where there is as much.
    pub(crate) fn reserve(&mut self, names: usize) {
        let more = names.saturating_sub(self.len());
        let hash = |number: &u32| spread(self.hashes[*number as usize]);
        let _ = self.numbers.try_reserve(more, hash);
        let _ = self.hashes.try_reserve(more);
        let _ = self.names.ends.try_reserve(more);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The names alone.
    pub(crate) fn into_names(self) -> Names {
        self.names
    }

    fn insert_hashed(&mut self, name: &str, hash: u32) -> u32 {
        let Self { names, hashes, numbers } = self;
        let is_it = |number: &u32| names.get(*number as usize) == name;
        if let Some(known) = numbers.find(spread(hash), is_it) {
            return *known;
        }
        let number = names.len() as u32;
        numbers.insert_unique(spread(hash), number, |other| spread(hashes[*other as usize]));
        hashes.push(hash);
        names.push(name);
        number
    }
}

/// The same in every set of a process, so that no name is hashed twice on its way from one to another.
fn hash(name: &str) -> u32 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    STATE.hash_one(name) as u32
}

/// A hash for the table, which looks at the upper bits as well.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Name {
    /// That of some names which has this number, from 0.
    pub(crate) fn new(all: &Arc<Names>, number: u32) -> Self {
        Self { all: Arc::clone(all), number }
    }

    /// Each of `names`, kept together.
    pub(crate) fn all_of<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Vec<Option<Self>> {
        let mut known = NameSet::default();
        let numbers: Vec<Option<u32>> =
            names.map(|name| name.map(|name| known.insert(name))).collect();
        let all = Arc::new(known.into_names());
        numbers.into_iter().map(|number| Some(Self::new(&all, number?))).collect()
    }

    /// Its number among the names that it is kept with.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Whether both are kept with the same names, so that they are equal where their numbers are.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.all, &other.all)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.all.get(self.number as usize)
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self { all: Arc::new(Names::from_iter([name])), number: 0 }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Display for Name {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl Debug for Name {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&**self, formatter)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_as_they_are_met() {
        let mut set = NameSet::default();
        let numbers = ["b", "", "a", "b", "", "ab", "a"].map(|name| set.insert(name));
        assert_eq!(numbers, [0, 1, 2, 0, 1, 3, 2]);
        let names = set.into_names();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["b", "", "a", "ab"]);
    }

    #[test]
    fn sets_join_as_if_they_were_one() {
        let name = |number: usize| format!("C{}", number * number % 10_007);
        let (mut one, mut parts) = (NameSet::default(), NameSet::default());
        parts.reserve(100);
        for start in (0..20_000).step_by(500) {
            let mut part = NameSet::default();
            let own: Vec<u32> =
                (start..start + 500).map(|number| part.insert(&name(number))).collect();
            let numbers = parts.extend(&part);
            for (number, own) in (start..).zip(own) {
                assert_eq!(one.insert(&name(number)), numbers[own as usize]);
            }
        }
        assert_eq!(one.into_names(), parts.into_names());
    }

    #[test]
    fn a_name_is_written_and_read_as_text() {
        let names = Arc::new(Names::from_iter(["a", "b\"c"]));
        let name = Name::new(&names, 1);
        let text = serde_json::to_string(&name).expect("a text");
        assert_eq!(text, r#""b\"c""#);
        let read: Name = serde_json::from_str(&text).expect("the same");
        assert_eq!((&*read, &read), ("b\"c", &name));
        assert!(!read.is_beside(&name) && name.is_beside(&Name::new(&names, 0)));
        let together = Name::all_of([Some("x"), None, Some("y"), Some("x")].into_iter());
        let numbers: Vec<Option<u32>> =
            together.iter().map(|own| own.as_ref().map(Name::number)).collect();
        assert_eq!(numbers, [Some(0), None, Some(1), Some(0)]);
    }
}
