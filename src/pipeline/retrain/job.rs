//! The job: rows, two trainings, a decision.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::runtime::Builder;

use crate::{
    data::{Dataset, FoldPlan},
    evaluate::ScoredRow,
    model::{Backend, BackendKind},
    monitor::{LogError, LogStore},
    registry::Pointers,
    train::{Checkpoint, write_atomically},
};

use super::{
    super::{
        Finished, JobError, Params, Tracked, TrainObserver, TrainOptions, provenance,
        registry_job::promote_over,
        run_folder::{RunFolder, RunKind},
        tracking::environment,
        train_job::train,
    },
    anchor::Anchor,
    both_errors::BothErrors,
    challenge::{self, Challenge, Condition},
    champion::Champion,
    decision::{Decision, Decisions, RowCounts, Verdict},
    extended_table,
    new_rows::{self, NewRow, Origin},
    readiness::{ASIDE, catch_up, check_movable, lock, not_yet, sweep},
    screening::{self, Rules, Screened},
};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct RetrainOptions {
    /// Where checkpoints and the log are, and what decides.
    pub params: Params,
    /// The model whose champion is challenged; `None` for the only one that has one.
    pub model: Option<String>,
    /// A labelled table besides the log.
    pub data: Option<PathBuf>,
    /// Name of the challenger; `None` for one from the time.
    pub name: Option<String>,
    /// The backend; `None` for the automatic choice.
    pub backend: Option<BackendKind>,
    /// Whether rows that would be set apart train: somebody has looked at them.
    pub accept_quarantined: bool,
    /// Whether the champion stays whatever comes out.
    pub dry_run: bool,
    /// Whether to train however few rows are new and however short the last retraining was ago.
    pub force: bool,
}

/// Somebody who watches a retraining.
pub trait RetrainObserver {
    /// Called with what is about to be done.
    fn on_step(&self, step: &str);
    /// Who watches the next training.
    fn training(&self) -> Box<dyn TrainObserver + '_>;
    /// Sends what is left of a training's results to MLflow.
    fn deliver(&self, tracked: Tracked, name: &str);
}

/// What came of a retraining.
#[derive(Clone, Debug)]
pub enum Retrained {
    /// Nothing was trained, for this reason.
    NotYet(String),
    /// A challenger was trained and judged.
    Decided {
        /// The decision.
        decision: Box<Decision>,
        /// Rows that were set apart, to be looked at; `None` where there are none.
        quarantine: Option<PathBuf>,
    },
}

/// Gathers new labelled rows, trains a challenger and decides between it and the champion.
///
/// # Errors
/// When there is no intact champion, its table or a new row cannot be read, a training fails or is interrupted,
/// or the pointers do not move.
pub fn retrain(options: &RetrainOptions, observer: &dyn RetrainObserver) -> Result<Retrained> {
    observer.on_step("reading the champion and the rows that are new");
    let champion = Champion::read(&options.params, options.model.as_deref())?;
    let _lock = lock(&options.params.paths.checkpoints)?;
    sweep(&options.params);
    catch_up(&options.params, &champion)?;
    let anchor = Anchor::read(&options.params, &champion)?;
    let rules = Rules {
        quarantine: if options.accept_quarantined {
            f64::INFINITY
        } else {
            options.params.retrain.quarantine
        },
        newest: options.params.retrain.newest,
    };
    let (rows, named) = new_rows_of(options, &champion)?;
    let screened = screening::screen(rows, &champion, &anchor, rules);
    if let Some(reason) = not_yet(options, &champion, &screened)? {
        return Ok(Retrained::NotYet(reason));
    }
    let name =
        options.name.clone().unwrap_or_else(|| format!("retrained-{}", provenance::compact_now()));
    RunFolder::new(&options.params.paths, &name, RunKind::Training)?
        .refuse_existing(&name)
        .map_err(without_force)?;
    if !options.dry_run {
        check_movable(&champion)?;
    }
    let work = Work { options, champion: &champion, name: &name, named, observer };
    let runs = work.train_all(&screened).inspect_err(|_| work.discard()).map_err(told)?;
    work.decide(&screened, &anchor, runs)
}

/// A retraining replaces no run.
fn without_force(error: JobError) -> JobError {
    match error {
        JobError::Exists { path, .. } => {
            JobError::Exists { path, hint: "choose another `--name`".to_owned() }
        }
        other => other,
    }
}

/// An interrupted retraining leaves nothing that could go on.
fn told(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(JobError::Interrupted { .. }) => JobError::Stopped { what: "retraining" }.into(),
        _ => error,
    }
}

/// Everything labelled that the log and the named table hold, and the checksum of that table.
fn new_rows_of(options: &RetrainOptions, champion: &Champion) -> Result<(Vec<NewRow>, String)> {
    let log = options.params.log.clone().with_environment(environment);
    let mut rows = Vec::new();
    if log.is_on() {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        rows = runtime.block_on(async {
            let store = match LogStore::open_existing(&log.url).await {
                // With a table at hand there need not be a log.
                Err(LogError::Missing(_)) if options.data.is_some() => return Ok(Vec::new()),
                other => other?,
            };
            let rows = new_rows::of_log(&store, champion).await;
            store.close().await;
            rows
        })?;
    } else if options.data.is_none() {
        bail!(
            "`log.url` is `none` and no table is named, expected rows from one of them\n\nhint: `--data FILE`"
        );
    }
    let mut named = String::new();
    if let Some(path) = &options.data {
        let decisions = Decisions::of(&options.params.paths.checkpoints).about(&champion.model)?;
        let table = new_rows::of_table(path, champion, &decisions)?;
        rows.extend(table.0);
        named = table.1;
    }
    Ok((rows, named))
}

/// What was trained.
struct Runs {
    /// Every row, judged by models that were trained on some of the champion's rows.
    before: Vec<ScoredRow>,
    /// Every row, judged by models that were trained on some of all rows.
    after: Vec<ScoredRow>,
    /// Every row, judged by models that were trained on some of the trusted rows; `None` where the champion knows no
    /// others.
    trusted: Option<Vec<ScoredRow>>,
    challenger: Finished,
}

/// A retraining that is under way.
struct Work<'a> {
    options: &'a RetrainOptions,
    champion: &'a Champion,
    name: &'a str,
    /// Checksum of the table that was named by hand; empty where none was.
    named: String,
    observer: &'a dyn RetrainObserver,
}

impl Work<'_> {
    fn table(&self) -> PathBuf {
        self.options.params.retrain.tables.join(format!("{}.csv", self.name))
    }

    /// Folder of the trainings that only compare.
    fn aside(&self) -> PathBuf {
        self.options.params.paths.checkpoints.join(format!("{}{ASIDE}", self.name))
    }

    /// Removes what a retraining that failed has left.
    fn discard(&self) {
        let paths = &self.options.params.paths;
        if let Ok(run) = RunFolder::new(paths, self.name, RunKind::Training) {
            run.discard();
        }
        let _ = fs::remove_dir_all(self.aside());
        let _ = fs::remove_file(self.table());
    }

    /// Trains from the champion's rows and from all of them on the same folds, then the challenger.
    fn train_all(&self, screened: &Screened) -> Result<Runs> {
        let table = self.table();
        extended_table::write(&table, self.champion, &screened.train)?;
        let known = self.champion.table.rows();
        self.observer.on_step("judging the champion's rows on the new folds");
        let before = self.judged("before", known)?;
        self.observer.on_step("judging all rows on the same folds");
        let after = self.judged("after", known + screened.train.len())?;
        let origins = extended_table::origins(&self.champion.params.data.path, known)?;
        let first = origins.iter().take_while(|own| **own == Origin::Training).count();
        let trusted = if (1..known).contains(&first) {
            self.observer.on_step("judging the trusted rows on the same folds");
            Some(self.judged("trusted", first)?)
        } else {
            None
        };
        self.observer.on_step("training the challenger");
        let all = known + screened.train.len();
        let options = TrainOptions {
            params: self.params(),
            backend: self.options.backend,
            name: Some(self.name.to_owned()),
            // Nobody is told of a dry run.
            only_first: self.options.dry_run.then_some(all),
            ..TrainOptions::default()
        };
        let challenger = train(options, self.observer.training().as_ref())?;
        let _ = fs::remove_dir_all(self.aside());
        Ok(Runs { before, after, trusted, challenger })
    }

    /// The champion's parameters, on the new table.
    fn params(&self) -> Params {
        let mut params = self.champion.params.clone();
        params.data.path = self.table();
        params
    }

    /// The same with the folds that compare.
    fn comparing(&self) -> Params {
        let mut params = self.params();
        params.cv.repeats = params.cv.repeats.max(self.options.params.retrain.repeats);
        params.cv.leakage_check = false;
        params.track.live = PathBuf::new();
        params
    }

    /// Every row, judged by models that were trained on some of the first `rows` rows.
    fn judged(&self, name: &str, rows: usize) -> Result<Vec<ScoredRow>> {
        let mut params = self.comparing();
        let aside = self.aside();
        params.paths.checkpoints = aside.join("checkpoints");
        params.paths.reports = aside.join("reports");
        let options = TrainOptions {
            params,
            backend: self.options.backend,
            name: Some(name.to_owned()),
            only_first: Some(rows),
            ..TrainOptions::default()
        };
        Ok(train(options, self.observer.training().as_ref())?.report.evaluation.rows)
    }

    fn decide(&self, screened: &Screened, anchor: &Anchor, mut runs: Runs) -> Result<Retrained> {
        let (champion, options) = (self.champion, self.options);
        if let Some(tracked) = runs.challenger.tracked.take() {
            self.observer.deliver(tracked, self.name);
        }
        let challenge = self.compare(&screened.newest, anchor, &runs)?;
        let challenger = runs.challenger;
        let unit = &champion.schema().unit;
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let conditions = challenge.conditions(&options.params.retrain, &unit);
        let is_better = conditions.iter().all(|own| own.holds);
        let verdict = if is_better { Verdict::Promote } else { Verdict::Keep };
        let mut decision = Decision {
            time: provenance::now(),
            model: champion.model.clone(),
            champion: champion.pointer.run.clone(),
            challenger: self.name.to_owned(),
            verdict,
            dry_run: options.dry_run,
            // Of a clock that goes ahead no row would be new for as long.
            until: screened.newest_time().min(jiff::Timestamp::now().as_millisecond()),
            conditions,
            rows: RowCounts {
                before: champion.table.rows(),
                added: screened.train.len(),
                newest: screened.newest.len(),
                known: screened.known,
                quarantined: screened.quarantined.len(),
                unnamed: screened.unnamed,
            },
            challenge,
            data_sha256: challenger.report.data.sha256.clone(),
            named_sha256: self.named.clone(),
        };
        let quarantine = self.write_quarantine(screened, &challenger.report_folder)?;
        decision.write(&challenger.report_folder)?;
        let decisions = Decisions::of(&options.params.paths.checkpoints);
        if let Err(error) = self.carry_out(is_better && !options.dry_run) {
            // It was not judged against who is the champion by now.
            let pointers = Pointers::read(&options.params.paths.checkpoints)?;
            if pointers.model(&champion.model).champion.as_ref() != Some(&champion.pointer) {
                return Err(error);
            }
            // What was trained for hours is decided about, so that the next look does not train again.
            decision.verdict = Verdict::Keep;
            let sentence = format!("what was decided could not be carried out: {error:#}");
            decision.conditions.push(Condition { holds: false, sentence });
            let written = decision.write(&challenger.report_folder);
            if let Err(other) = written.and_then(|()| decisions.add(&decision)) {
                tracing::warn!("the decision is not written down: {other:#}");
            }
            let name = self.name;
            let hint = if is_better {
                format!("`{name}` is better; `massay registry promote {name}` moves the champion")
            } else {
                format!("`{name}` is not better, the champion stays")
            };
            return Err(error.context(hint));
        }
        // Behind the move: what is written here has happened.
        decisions.add(&decision)?;
        Ok(Retrained::Decided { decision: Box::new(decision), quarantine })
    }

    /// Keeps the table, and moves the champion where the challenger `wins`.
    fn carry_out(&self, wins: bool) -> Result<()> {
        let options = self.options;
        if !options.dry_run
            && let Some(file) = extended_table::keep_with_dvc(&self.table())?
        {
            self.observer.on_step(&format!("the table is kept by DVC as {}", file.display()));
        }
        if wins {
            self.observer.on_step("moving the champion");
            let mut params = options.params.clone();
            params.track.model.clone_from(&self.champion.model);
            promote_over(&params, self.name, Some(&self.champion.pointer))?;
        }
        Ok(())
    }

    fn compare(&self, newest: &[NewRow], anchor: &Anchor, runs: &Runs) -> Result<Challenge> {
        let challenger = &runs.challenger;
        let checkpoint = Checkpoint::read(&challenger.checkpoint)?;
        let predictor = checkpoint.predictor(&Backend::select(BackendKind::Cpu)?);
        let finished = (&self.champion.predictor, &predictor);
        let params = self.comparing();
        let table = Dataset::read(&params.data, "", checkpoint.missing_cells())?;
        let plan = FoldPlan::new(&params.cv, &table, params.train.seed)?;
        let (folds, difference) = challenge::on_folds((&runs.before, &runs.after), &plan);
        let anchor = match &anchor.table {
            Some(table) => challenge::on_table(finished, table),
            None => Some(self.on_trusted(&table, runs)?),
        };
        let (anchor, anchor_quarters) = anchor.context("there is no trusted row")?;
        let newest = challenge::on_rows(finished, newest);
        Ok(Challenge { folds, difference, newest, anchor, anchor_quarters })
    }

    /// Both ways on the rows that feedback did not bring.
    fn on_trusted(&self, table: &Dataset, runs: &Runs) -> Result<(BothErrors, Vec<BothErrors>)> {
        let origins = extended_table::origins(&self.table(), table.rows())?;
        let rows = (0..table.rows()).filter(|row| origins[*row] == Origin::Training);
        let rows = rows.map(|row| (row, table.target[row])).collect();
        Ok(challenge::on_trusted((&runs.before, &runs.after), runs.trusted.as_deref(), rows))
    }

    fn write_quarantine(&self, screened: &Screened, folder: &Path) -> Result<Option<PathBuf>> {
        if screened.quarantined.is_empty() {
            return Ok(None);
        }
        let path = folder.join("quarantine.csv");
        write_atomically(&path, |file| {
            screening::write_quarantine(&screened.quarantined, self.champion, file)
        })
        .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Some(path))
    }
}
