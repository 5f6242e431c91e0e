//! Live metrics in the files that `dvc exp show` and `dvc plots` read while a stage runs.

use std::{fs, io, io::Write, path::PathBuf};

use serde_json::{Map, Value, json};

/// A folder with `metrics.json`, the newest numbers, and `plots/metrics/GROUP/NAME.tsv`, all of them by
/// epoch (the layout of the library `DVCLive`).
#[derive(Debug)]
pub struct LiveLayout {
    folder: PathBuf,
    newest: Map<String, Value>,
}

impl LiveLayout {
    /// A new folder in place of what an earlier run left in it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(folder: PathBuf) -> io::Result<Self> {
        let plots = folder.join("plots/metrics");
        if plots.exists() {
            fs::remove_dir_all(&plots)?;
        }
        fs::create_dir_all(&plots)?;
        let layout = Self { folder, newest: Map::new() };
        layout.write_newest()?;
        Ok(layout)
    }

    /// Adds the values of an epoch, named `group/name`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn add(&mut self, epoch: usize, values: &[(&str, Option<f64>)]) -> io::Result<()> {
        for (name, value) in values {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            self.keep(name, value);
            let file = self.folder.join("plots/metrics").join(format!("{name}.tsv"));
            fs::create_dir_all(file.parent().unwrap_or(&self.folder))?;
            let column = name.rsplit('/').next().unwrap_or(name);
            let header = if file.exists() { String::new() } else { format!("step\t{column}\n") };
            let mut file = fs::OpenOptions::new().create(true).append(true).open(file)?;
            file.write_all(format!("{header}{epoch}\t{value}\n").as_bytes())?;
        }
        self.newest.insert("step".to_owned(), json!(epoch));
        self.write_newest()
    }

    /// Adds numbers that have no curve.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn close(&mut self, scores: &[(String, f64)]) -> io::Result<()> {
        for (name, value) in scores {
            self.keep(name, *value);
        }
        self.write_newest()
    }

    fn keep(&mut self, name: &str, value: f64) {
        let (group, name) = name.split_once('/').unwrap_or(("run", name));
        let entry = self.newest.entry(group).or_insert_with(|| Value::Object(Map::new()));
        entry[name] = json!(value);
    }

    fn write_newest(&self) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&self.newest)? + "\n";
        // A reader never sees half a file.
        let (file, draft) = (self.folder.join("metrics.json"), self.folder.join(".metrics.json"));
        fs::write(&draft, text)?;
        fs::rename(draft, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_numbers_and_all_of_them_stand_in_their_files() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("dvclive");
        let mut layout = LiveLayout::new(folder.clone()).unwrap();
        layout.add(1, &[("loss/train", Some(0.5)), ("loss/validation", None)]).unwrap();
        layout.add(2, &[("loss/train", Some(0.25))]).unwrap();
        layout.close(&[("cv/rmse".to_owned(), 3.0)]).unwrap();
        let newest: Value =
            serde_json::from_slice(&fs::read(folder.join("metrics.json")).unwrap()).unwrap();
        assert_eq!(newest, json!({"step": 2, "loss": {"train": 0.25}, "cv": {"rmse": 3.0}}));
        let curve = fs::read_to_string(folder.join("plots/metrics/loss/train.tsv")).unwrap();
        assert_eq!(curve, "step\ttrain\n1\t0.5\n2\t0.25\n");
        assert!(!folder.join("plots/metrics/loss/validation.tsv").exists());
        // A second run starts anew.
        LiveLayout::new(folder.clone()).unwrap();
        assert!(!folder.join("plots/metrics/loss").exists());
    }
}
