//! The ranges of parameters.

use super::{Params, ParamsError, tune::Space};
use crate::data::SplitBy;

/// Refuses the first value that is out of range.
pub(super) fn check(params: &Params) -> Result<(), ParamsError> {
    check_data(params)?;
    check_model(params)?;
    check_training(params)?;
    check_search(params)?;
    check_service(params)?;
    check_monitor(params)?;
    check_retraining(params)
}

fn check_retraining(params: &Params) -> Result<(), ParamsError> {
    let own = &params.retrain;
    require(own.minimum > 0, "retrain.minimum", own.minimum, "1 or more")?;
    for (key, hours) in
        [("retrain.cooldown_hours", own.cooldown_hours), ("retrain.every_hours", own.every_hours)]
    {
        require((0.0..=87_600.0).contains(&hours), key, hours, "0 to 87600")?;
    }
    require((0.0..=0.9).contains(&own.newest), "retrain.newest", own.newest, "0 to 0.9")?;
    require((1..=100).contains(&own.repeats), "retrain.repeats", own.repeats, "1 to 100")?;
    let quarantine = own.quarantine;
    require((0.1..=1e6).contains(&quarantine), "retrain.quarantine", quarantine, "0.1 to 1000000")?;
    let p = own.significance;
    require(p > 0.0 && p < 1.0, "retrain.significance", p, "a number between 0 and 1")?;
    require((0.0..=10.0).contains(&own.tolerance), "retrain.tolerance", own.tolerance, "0 to 10")
}

fn check_service(params: &Params) -> Result<(), ParamsError> {
    let serve = &params.serve;
    require(serve.max_body > 0, "serve.max_body", serve.max_body, "1 or more")?;
    require(serve.max_rows > 0, "serve.max_rows", serve.max_rows, "1 or more")?;
    let (requests, connections) = (serve.max_requests, serve.max_connections);
    let most = 1_000_000;
    require((1..=most).contains(&requests), "serve.max_requests", requests, "1 to 1000000")?;
    require(
        (1..=most).contains(&connections),
        "serve.max_connections",
        connections,
        "1 to 1000000",
    )?;
    let hour = 3600.0;
    require(
        (0.001..=hour).contains(&serve.timeout),
        "serve.timeout",
        serve.timeout,
        "0.001 to 3600",
    )?;
    require((0.0..=hour).contains(&serve.notice), "serve.notice", serve.notice, "0 to 3600")?;
    require(
        (1.0..=hour).contains(&serve.keep_alive),
        "serve.keep_alive",
        serve.keep_alive,
        "1 to 3600",
    )?;
    require((0.0..=hour).contains(&serve.drain), "serve.drain", serve.drain, "0 to 3600")?;
    let reload = serve.reload == 0.0 || (0.1..=86_400.0).contains(&serve.reload);
    require(reload, "serve.reload", serve.reload, "0 for never, or 0.1 to 86400")
}

/// Whether something can be sent there.
pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn check_monitor(params: &Params) -> Result<(), ParamsError> {
    let (log, monitor) = (&params.log, &params.monitor);
    let user = log.url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let asks = log.url.split_once('?').map_or("", |(_, asks)| asks).to_ascii_lowercase();
    let secret = user.is_some_and(|(user, _)| user.contains(':')) || asks.contains("password=");
    let expected = "one without it, or all of it in MASSAY_LOG_URL";
    require(!secret, "log.url", "an address with a password", expected)?;
    require((0.01..=60.0).contains(&log.flush), "log.flush", log.flush, "0.01 to 60")?;
    require(log.queue > 0, "log.queue", log.queue, "at least 1; `log.url=none` keeps no log")?;
    require(
        (20..=100_000).contains(&monitor.window),
        "monitor.window",
        monitor.window,
        "20 to 100000",
    )?;
    for (key, share) in [
        ("monitor.false_alarms", monitor.false_alarms),
        ("monitor.coverage_false_alarms", monitor.coverage_false_alarms),
    ] {
        require(share > 0.0 && share < 1.0, key, share, "a number between 0 and 1")?;
    }
    let hook = &monitor.webhook;
    let is_url = hook.is_empty() || is_url(hook);
    // The address itself may be a secret.
    require(is_url, "monitor.webhook", "no URL", "one that begins with https:// or http://")?;
    let (band, distance) = (monitor.coverage_band, monitor.distance);
    require((0.0..=0.5).contains(&band), "monitor.coverage_band", band, "0 to 0.5")?;
    require((0.0..=100.0).contains(&distance), "monitor.distance", distance, "0 to 100")?;
    let every = monitor.every == 0.0 || (0.1..=86_400.0).contains(&monitor.every);
    require(every, "monitor.every", monitor.every, "0 for never, or 0.1 to 86400")
}

fn check_search(params: &Params) -> Result<(), ParamsError> {
    let tune = &params.tune;
    require((2..=1000).contains(&tune.trials), "tune.trials", tune.trials, "2 to 1000")?;
    require((2..=10).contains(&tune.keep), "tune.keep", tune.keep, "2 to 10")?;
    Space::declared(&tune.space).map(drop)
}

fn check_data(params: &Params) -> Result<(), ParamsError> {
    let (data, cv) = (&params.data, &params.cv);
    require(!data.target.is_empty(), "data.target", "an empty name", "a column name")?;
    require((2..=1000).contains(&cv.folds), "cv.folds", cv.folds, "2 to 1000")?;
    require((1..=100).contains(&cv.repeats), "cv.repeats", cv.repeats, "1 to 100")?;
    let given = usize::from(!cv.fold_file.as_os_str().is_empty());
    let ordered = usize::from(!cv.order_column.is_empty());
    let kinds = given + ordered + usize::from(cv.repeats > 1);
    let expected = "only one of a fold file, an order column and repeats above 1";
    require(kinds <= 1, "cv", "several ways to split at once", expected)?;
    let is_by_row = cv.split_by == SplitBy::Row && given + ordered > 0;
    let expected = "`group`: a fold file or an order column says how rows are split";
    require(!is_by_row, "cv.split_by", "row", expected)?;
    let clean = &params.clean;
    let clips = clean.clip == 0.0 || (1.0..=100.0).contains(&clean.clip);
    require(clips, "clean.clip", clean.clip, "0 for none, or 1 to 100")?;
    let share = clean.dead_share;
    require((0.5..=1.0).contains(&share), "clean.dead_share", share, "0.5 to 1")?;
    let minimum = params.target.minimum.unwrap_or(0.0);
    require(minimum < f64::INFINITY, "target.minimum", minimum, "a number")?;
    // Reports show the parameters.
    let secret = params.track.mlflow.contains('@');
    let expected = "one without; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD hold them";
    require(!secret, "track.mlflow", "a URI with a user or password", expected)?;
    let paths = &params.paths;
    let apart = paths.checkpoints.components().ne(paths.reports.components());
    require(
        apart,
        "paths.reports",
        paths.reports.display(),
        "another folder than `paths.checkpoints`",
    )?;
    let level = params.interval.level;
    require((0.5..=0.999).contains(&level), "interval.level", level, "0.5 to 0.999")
}

fn check_model(params: &Params) -> Result<(), ParamsError> {
    let model = &params.model;
    let widths = &model.hidden;
    let fits = (1..=8).contains(&widths.len()) && widths.iter().all(|w| (1..=4096).contains(w));
    require(fits, "model.hidden", format!("{widths:?}"), "1 to 8 widths from 1 to 4096")?;
    require((0.0..=0.9).contains(&model.dropout), "model.dropout", model.dropout, "0 to 0.9")?;
    require((1..=64).contains(&model.copies), "model.copies", model.copies, "1 to 64")?;
    require((1..=100).contains(&model.members), "model.members", model.members, "1 to 100")
}

fn check_training(params: &Params) -> Result<(), ParamsError> {
    let train = &params.train;
    let (most, rows) = (100_000, 1_000_000);
    require((1..=most).contains(&train.epochs), "train.epochs", train.epochs, "1 to 100000")?;
    require(train.patience <= most, "train.patience", train.patience, "0 to 100000")?;
    let batch = train.batch_size;
    require((1..=rows).contains(&batch), "train.batch_size", batch, "1 to 1000000")?;
    let rate = train.learning_rate;
    require((1e-7..=1.0).contains(&rate), "train.learning_rate", rate, "1e-7 to 1")?;
    let decay = train.weight_decay;
    require((0.0..=10.0).contains(&decay), "train.weight_decay", decay, "0 to 10")?;
    let beta = train.beta_2;
    require((0.5..1.0).contains(&beta), "train.beta_2", beta, "0.5 to below 1")?;
    let delta = train.huber_delta;
    let positive = delta > 0.0 && delta.is_finite();
    require(positive, "train.huber_delta", delta, "a number above 0")?;
    require(
        (2..=100).contains(&train.inner_parts),
        "train.inner_parts",
        train.inner_parts,
        "2 to 100",
    )
}

fn require<T: std::fmt::Display>(
    fits: bool,
    key: &'static str,
    found: T,
    expected: &'static str,
) -> Result<(), ParamsError> {
    if fits {
        return Ok(());
    }
    Err(ParamsError::OutOfRange { key, found: format!("{found}"), expected })
}
