//! Tells a server of a run, step by step; each step can be repeated.

use std::path::Path;

use serde_json::{Value, json};

use super::super::{Moment, TrackedResults, TrackedRun};
use super::{
    Address, Receipt, RegisteredVersion, TrackError,
    client::{Client, Content},
    server::{Entry, Point, Server},
};

/// Tag that finds a run again.
const RUN_ID: &str = "massay.run_id";

/// Tag that MLflow keeps the parent of a run under.
const PARENT: &str = "mlflow.parentRunId";

/// Alias of the newest version.
pub(super) const CHALLENGER: &str = "challenger";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With a result.
    Finished,
    /// With an error.
    Failed,
    /// By the wish of the user; it may go on.
    Killed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

/// What a server is to know of a run, and what it knows.
#[derive(Debug)]
pub struct Delivery {
    server: Server,
    run: TrackedRun,
    receipt: Receipt,
    resumed: bool,
}

impl Delivery {
    /// The delivery of a run whose receipt is, or will be, in `folder`.
    ///
    /// # Errors
    /// When a receipt cannot be read.
    pub fn new(address: Address, run: TrackedRun, folder: &Path) -> Result<Self, TrackError> {
        let receipt = Receipt::of(&address.base, folder)?;
        let resumed = !receipt.run.id.is_empty() && !receipt.complete;
        Ok(Self { server: Server(Client::new(address)), run, receipt, resumed })
    }

    /// What the server knows.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Keeps the receipt in another folder from now on.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub fn move_to(&mut self, folder: &Path) -> Result<(), TrackError> {
        self.receipt.move_to(folder);
        self.receipt.write()
    }

    /// Makes the run and the runs of its folds, with what is known from the start.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn open(&mut self) -> Result<(), TrackError> {
        if self.receipt.experiment.is_empty() {
            self.receipt.experiment = self.server.experiment(&self.run.experiment)?;
        }
        if self.receipt.run.id.is_empty() {
            self.receipt.run = self.find_or_create_run()?;
            self.receipt.write()?;
        } else if std::mem::take(&mut self.resumed) {
            self.server.update_run(&self.receipt.run.id, "RUNNING", None)?;
        }
        if self.receipt.folds.len() < self.run.folds.len() {
            self.open_folds()?;
            self.receipt.write()?;
        }
        if !self.receipt.described {
            self.describe()?;
            self.receipt.described = true;
            self.receipt.write()?;
        }
        Ok(())
    }

    fn find_or_create_run(&self) -> Result<Entry, TrackError> {
        let (experiment, run) = (&self.receipt.experiment, &self.run);
        let known = self.server.runs_with(experiment, (RUN_ID, &run.id))?;
        if let Some((_, known)) = known.into_iter().next() {
            return Ok(known);
        }
        let mut tags = run.tags.clone();
        tags.push((RUN_ID.to_owned(), run.id.clone()));
        self.server.create_run(experiment, (&run.name, run.started), &tags)
    }

    fn open_folds(&mut self) -> Result<(), TrackError> {
        let (experiment, parent) = (&self.receipt.experiment, &self.receipt.run.id);
        let known = self.server.runs_with(experiment, (PARENT, parent))?;
        for index in 0..self.run.folds.len() {
            if self.receipt.folds.contains_key(&index) {
                continue;
            }
            let title = self.run.fold_title(index);
            let known = known.iter().find(|(name, _)| *name == title);
            let id = match known.map(|(_, known)| known.id.clone()) {
                Some(known) => known,
                None => self.create_fold(index, &title)?,
            };
            self.receipt.folds.insert(index, id);
        }
        Ok(())
    }

    fn create_fold(&self, index: usize, title: &str) -> Result<String, TrackError> {
        let (parent, place) = (self.receipt.run.id.clone(), self.run.folds[index]);
        let tags = [
            (PARENT, parent),
            ("massay.repeat", place.repeat.to_string()),
            ("massay.fold", place.fold.to_string()),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value));
        let named = (title, self.run.started);
        Ok(self.server.create_run(&self.receipt.experiment, named, &tags)?.id)
    }

    fn describe(&self) -> Result<(), TrackError> {
        let (id, run) = (&self.receipt.run.id, &self.run);
        self.server.log_params(id, &run.params)?;
        self.server.log_input(id, &dataset(run))
    }

    /// How many moments of the journal the server knows.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.receipt.moments
    }

    /// Sends what the journal has beyond the [`sent`](Self::sent) moments.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn send(&mut self, new: &[Moment]) -> Result<(), TrackError> {
        if new.is_empty() {
            return Ok(());
        }
        let of_folds = self.receipt.folds.iter().map(|(fold, run)| (Some(*fold), run));
        for (fold, run) in of_folds.chain([(None, &self.receipt.run.id)]) {
            let own = new.iter().filter(|moment| moment.fold == fold);
            let points: Vec<Point<'_>> = own.flat_map(points).collect();
            self.server.log_points(run, &points)?;
        }
        self.receipt.moments += new.len();
        self.receipt.write()
    }

    /// Sends the results and closes the run; `on_file` hears how many of all files are there.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn complete(
        &mut self,
        results: &TrackedResults,
        on_file: &dyn Fn(usize, usize),
    ) -> Result<(), TrackError> {
        if self.receipt.complete {
            return Ok(());
        }
        if !self.receipt.scored {
            self.score(results)?;
            self.receipt.scored = true;
            self.receipt.write()?;
        }
        let all = results.files.len() + results.model_files.len();
        self.send_files(results, &|done| on_file(done, all))?;
        self.log_model(results, &|done| on_file(results.files.len() + done, all))?;
        self.register(results)?;
        self.close(Status::Finished, results.ended)?;
        self.receipt.complete = true;
        self.receipt.write()
    }

    fn score(&self, results: &TrackedResults) -> Result<(), TrackError> {
        let run = &self.receipt.run.id;
        self.server.log_points(run, &scores(&results.scores, results.ended, None))?;
        for (own, run) in results.fold_scores.iter().zip(self.receipt.folds.values()) {
            self.server.log_points(run, &scores(own, results.ended, None))?;
        }
        self.server.set_tag(run, "mlflow.note.content", &results.note)
    }

    fn send_files(
        &mut self,
        results: &TrackedResults,
        on_file: &dyn Fn(usize),
    ) -> Result<(), TrackError> {
        for (done, (name, path)) in results.files.iter().enumerate() {
            on_file(done);
            if !self.receipt.files.contains(name) {
                self.server.put(&self.receipt.run, name, Content::File(path))?;
                self.receipt.files.push(name.clone());
                self.receipt.write()?;
            }
        }
        Ok(())
    }

    fn log_model(
        &mut self,
        results: &TrackedResults,
        on_file: &dyn Fn(usize),
    ) -> Result<(), TrackError> {
        let run = self.receipt.run.id.clone();
        if self.receipt.model.id.is_empty() {
            let experiment = &self.receipt.experiment;
            let known = self.server.model_of(experiment, &run)?;
            self.receipt.model = if let Some(known) = known {
                known
            } else {
                let named = (self.run.model.as_str(), run.as_str());
                self.server.create_model(experiment, named, &self.run.params)?
            };
            self.receipt.write()?;
        }
        let model = self.receipt.model.clone();
        for (done, (name, bytes)) in results.model_files.iter().enumerate() {
            on_file(done);
            if !self.receipt.model_files.contains(name) {
                self.server.put(&model, name, Content::Bytes(bytes))?;
                self.receipt.model_files.push(name.clone());
                self.receipt.write()?;
            }
        }
        on_file(results.model_files.len());
        self.server.finish_model(&model.id, &run)?;
        let points = scores(&results.scores, results.ended, Some(&model.id));
        self.server.log_points(&run, &points)
    }

    fn register(&mut self, results: &TrackedResults) -> Result<(), TrackError> {
        if self.receipt.version.is_some() {
            return Ok(());
        }
        let (model, run) = (&self.run.model, &self.receipt.run.id);
        let mut tags = vec![
            ("massay.run".to_owned(), self.run.name.clone()),
            (RUN_ID.to_owned(), self.run.id.clone()),
        ];
        tags.extend(
            results
                .scores
                .iter()
                .filter(|(name, _)| ["cv/rmse", "cv/r2"].contains(&name.as_str()))
                .map(|(name, value)| {
                    (format!("massay.{}", name.replace('/', ".")), value.to_string())
                }),
        );
        let version = self.server.register(model, (&self.receipt.model.id, run), &tags)?;
        self.server.set_alias(model, CHALLENGER, Some(&version))?;
        self.receipt.version = Some(RegisteredVersion { model: model.clone(), version });
        self.receipt.write()
    }

    /// Sets the end of the run and of those of its folds, if there is a run.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn close(&self, status: Status, ended: i64) -> Result<(), TrackError> {
        let runs = self.receipt.folds.values().chain([&self.receipt.run.id]);
        for run in runs.filter(|run| !run.is_empty()) {
            self.server.update_run(run, status.name(), Some(ended))?;
        }
        Ok(())
    }
}

fn points(moment: &Moment) -> impl Iterator<Item = Point<'_>> {
    let Moment { step, time, .. } = *moment;
    moment.values.iter().map(move |(key, value)| Point {
        key,
        value: *value,
        time,
        step,
        model: None,
    })
}

fn scores<'a>(scores: &'a [(String, f64)], time: i64, model: Option<&'a str>) -> Vec<Point<'a>> {
    let point =
        |(key, value): &'a (String, f64)| Point { key, value: *value, time, step: 0, model };
    scores.iter().map(point).collect()
}

/// The table as MLflow describes data sets; its digest is at most 36 characters long.
fn dataset(run: &TrackedRun) -> Value {
    let columns = run.columns.iter().chain([&run.target]);
    let column = |name: &String| json!({"type": "double", "name": name, "required": true});
    let schema = json!({"mlflow_colspec": columns.map(column).collect::<Vec<_>>()});
    let profile = json!({"num_rows": run.rows, "num_elements": run.rows * (run.columns.len() + 1)});
    let name = Path::new(&run.data_path)
        .file_name()
        .map_or_else(|| run.data_path.clone(), |name| name.to_string_lossy().into_owned());
    json!({
        "name": name,
        "digest": run.data_sha256.get(..32).unwrap_or(&run.data_sha256),
        "source_type": "local",
        "source": json!({"uri": run.data_path, "sha256": run.data_sha256}).to_string(),
        "schema": schema.to_string(),
        "profile": profile.to_string(),
    })
}
