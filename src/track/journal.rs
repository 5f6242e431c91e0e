//! What happened when, line by line, in the folder of a run.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

/// Numbers of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The fold that they belong to, as an index into the folds of the run; `None`: the run itself.
    pub fold: Option<usize>,
    /// Epoch, or how often it was measured before.
    pub step: usize,
    /// Milliseconds since 1970 (UTC).
    pub time: i64,
    /// Names and values; only finite ones are kept.
    pub values: Vec<(String, f64)>,
}

impl Moment {
    /// Numbers of now.
    #[must_use]
    pub fn now(fold: Option<usize>, step: usize, values: &[(&str, Option<f64>)]) -> Self {
        let finite = |(name, value): &(&str, Option<f64>)| {
            value.filter(|value| value.is_finite()).map(|value| ((*name).to_owned(), value))
        };
        let time = jiff::Timestamp::now().as_millisecond();
        Self { fold, step, time, values: values.iter().filter_map(finite).collect() }
    }

    /// What a moment is a point of: steps grow along it.
    fn series(&self) -> Option<(Option<usize>, String)> {
        self.values.first().map(|(name, _)| (self.fold, name.clone()))
    }
}

/// A file of moments, one JSON object a line, and the same in memory.
#[derive(Debug)]
pub struct Journal {
    file: Option<File>,
    moments: Vec<Moment>,
    last: HashMap<(Option<usize>, String), usize>,
}

impl Journal {
    /// The journal at `path`, new or as it was left; half a line at its end, which a killed process may
    /// leave, is cut off.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        file.seek(io::SeekFrom::End(0))?;
        let mut journal = Self { file: Some(file), moments: Vec::new(), last: HashMap::new() };
        for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            journal.keep(serde_json::from_slice(line)?);
        }
        Ok(journal)
    }

    /// Adds a moment, unless its series is as far already: a resumed training repeats epochs. A journal
    /// that cannot be written goes on in memory.
    pub fn add(&mut self, moment: Moment) {
        let Some(series) = moment.series() else { return };
        if self.last.get(&series).is_some_and(|last| *last >= moment.step) {
            return;
        }
        if let (Some(file), Ok(mut line)) = (&mut self.file, serde_json::to_vec(&moment)) {
            line.push(b'\n');
            if let Err(error) = file.write_all(&line) {
                tracing::warn!("the journal of the run ends here: {error}");
                self.file = None;
            }
        }
        self.keep(moment);
    }

    fn keep(&mut self, moment: Moment) {
        if let Some(series) = moment.series() {
            self.last.insert(series, moment.step);
        }
        self.moments.push(moment);
    }

    /// Everything so far, in its order.
    #[must_use]
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The last step of a series of the run itself; 0 where there is none.
    #[must_use]
    pub fn last_step(&self, name: &str) -> usize {
        self.last.get(&(None, name.to_owned())).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(fold: usize, step: usize) -> Moment {
        Moment::now(Some(fold), step, &[("loss", Some(0.5)), ("rate", None)])
    }

    #[test]
    fn a_journal_goes_on_where_a_killed_process_left_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        journal.add(moment(0, 1));
        journal.add(moment(1, 1));
        journal.add(moment(0, 2));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"fold\":0,\"st")).unwrap();
        let mut again = Journal::open(&path).unwrap();
        assert_eq!(again.moments(), journal.moments());
        // Epoch 2 of fold 0 is known, epoch 2 of fold 1 is new.
        again.add(moment(0, 2));
        again.add(moment(1, 2));
        assert_eq!(Journal::open(&path).unwrap().moments().len(), 4);
    }

    #[test]
    fn numbers_that_are_not_finite_are_left_out() {
        let empty = Moment::now(None, 1, &[("loss", Some(f64::NAN))]);
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal.jsonl")).unwrap();
        journal.add(empty);
        assert!(journal.moments().is_empty());
    }
}
