//! The service and its log: what is served is kept, what is known of it is shown.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use massay::monitor::{LogQuery, LogStore, LoggedRow};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::plant::QUICK;
use crate::{
    serve::{Program, records},
    support::Workshop,
};

const LOG: &str = "data/predictions.sqlite";

fn logged(shop: &Workshop) -> Vec<LoggedRow> {
    let url = format!("sqlite://{}", shop.path(LOG).display());
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        let rows = store.rows(&LogQuery::default()).await.unwrap();
        store.close().await;
        rows
    })
}

fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.succeed(&format!("train {QUICK} --name a --quiet"));
    shop
}

#[test]
fn what_is_served_is_in_the_log_with_its_truth_and_can_be_exported() {
    let shop = shop();
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let mut rows = records(&shop.read("data/simulations.csv"));
    for (place, row) in rows.iter_mut().enumerate() {
        row["container"] = json!(format!("C{place}"));
    }
    let many = program.post("/predict", &json!(rows));
    let truth = json!({"request_id": many["request_id"], "row": 3, "truth": 12.5});
    program.post("/feedback", &truth);
    program.post("/feedback", &json!({"record": rows[5], "truth": 7}));
    let version = program.get("/model")["version"].clone();
    program.ask_to_stop();
    assert_eq!(program.end(), "");
    let found = logged(&shop);
    assert_eq!(found.len(), 105);
    for (place, (row, own)) in rows.iter().zip(&found).enumerate() {
        let answer = &many["predictions"][place];
        assert_eq!(json!(own.prediction), answer["prediction"]);
        assert_eq!(json!(own.inputs[2]), row["det3"]);
        assert_eq!(own.container, Some(format!("C{place}")));
        assert_eq!(json!(own.model), version);
    }
    assert_eq!((found[3].truth, found[4].truth, found[104].truth), (Some(12.5), None, Some(7.0)));
    let table = shop.succeed("log export");
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!((header[0], header[12], header[26]), ("time", "det1", "det15"));
    assert_eq!(lines.count(), 105);
    assert_parquet_equals(&shop, &table);
    let none = shop.succeed("log export --model other@1");
    assert_eq!(none.lines().count(), 1);
    // A link is followed, and what reads from a pipe gets all of it.
    std::os::unix::fs::symlink("aim.csv", shop.path("link.csv")).unwrap();
    shop.write("aim.csv", "");
    shop.succeed("log export --out link.csv");
    assert!(shop.path("link.csv").is_symlink());
    assert_eq!(shop.read("aim.csv"), table);
    let pipe = shop.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
    shop.succeed("log export --out pipe");
    assert_eq!(reader.join().unwrap(), table);
}

/// The exported Parquet, read back by the library that wrote it, has what the CSV has.
fn assert_parquet_equals(shop: &Workshop, table: &str) {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    shop.succeed("log export --out log.parquet");
    let file = std::fs::File::open(shop.path("log.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut count = 0;
    for (row, line) in reader.get_row_iter(None).unwrap().zip(lines) {
        let row = row.unwrap();
        let names: Vec<&String> = row.get_column_iter().map(|(name, _)| name).collect();
        assert_eq!(names, header);
        for ((_, value), cell) in row.get_column_iter().zip(line.split(',')) {
            let shown = match value {
                Field::Null => String::new(),
                Field::Str(text) => text.clone(),
                Field::Long(number) => number.to_string(),
                Field::Bool(own) => own.to_string(),
                Field::Double(number) => number.to_string(),
                Field::TimestampMillis(time) => {
                    let time = jiff::Timestamp::from_millisecond(*time).unwrap();
                    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
                }
                other => format!("{other:?}"),
            };
            assert_eq!(shown, cell);
        }
        count += 1;
    }
    assert_eq!(count, 105);
}

#[test]
fn feedback_finds_what_an_earlier_process_predicted() {
    let shop = shop();
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let rows = records(&shop.read("data/simulations.csv"));
    let answer = program.post("/predict", &rows[0]);
    program.ask_to_stop();
    program.end();
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let body = json!({"request_id": answer["request_id"], "truth": 1});
    let learnt = program.post("/feedback", &body);
    assert_eq!(learnt["prediction"], answer["prediction"]);
}

#[test]
fn an_id_that_a_client_uses_again_takes_no_true_value_away() {
    let shop = shop();
    let rows = records(&shop.read("data/simulations.csv"));
    let ask = |program: &Program, row: usize| {
        let request = ureq::post(program.url("/predict")).header("x-request-id", "job-7");
        let answer = request.content_type("application/json").send(rows[row].to_string());
        assert_eq!(answer.unwrap().status(), 200);
    };
    let tell = |program: &Program, truth: f64| {
        let body = json!({"request_id": "job-7", "truth": truth}).to_string();
        let request = ureq::post(program.url("/feedback")).content_type("application/json");
        request.config().http_status_as_error(false).build().send(body).unwrap().status()
    };
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    ask(&program, 0);
    // Sent again because an answer was lost: still one measurement.
    ask(&program, 0);
    assert_eq!(tell(&program, 40.0), 200);
    program.ask_to_stop();
    program.end();
    let program = Program::start(&shop, "--checkpoint checkpoints/a --set log.flush=0.01");
    ask(&program, 50);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(tell(&program, 90.0), 409);
    program.ask_to_stop();
    program.end();
    let truths: Vec<Option<f64>> = logged(&shop).iter().map(|own| own.truth).collect();
    assert_eq!(truths, [Some(40.0), None, None]);
}

#[test]
fn killed_at_once_the_log_lacks_no_more_than_the_last_moment_and_opens() {
    let shop = shop();
    let program = Program::start(&shop, "--checkpoint checkpoints/a --set log.flush=0.2");
    let rows = records(&shop.read("data/simulations.csv"));
    let mut answered = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        answered.push((Instant::now(), program.post("/predict", &rows[answered.len() % 104])));
    }
    let killed = Instant::now();
    // Killed as by `kill -9`.
    drop(program);
    let found = logged(&shop);
    // Far more than the time between two writes: they give way to whatever else the machine does.
    let safe = answered.iter().filter(|(time, _)| killed - *time > Duration::from_millis(2500));
    let (safe, all) = (safe.count(), answered.len());
    assert!(found.len() >= safe && found.len() <= all, "{} of {all}, {safe} safe", found.len());
    for (own, (_, answer)) in found.iter().zip(&answered) {
        assert_eq!(json!(own.request_id), answer["request_id"]);
    }
    // And goes on.
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    program.post("/predict", &rows[0]);
    program.ask_to_stop();
    program.end();
    assert_eq!(logged(&shop).len(), found.len() + 1);
}

#[test]
fn a_dead_detector_shows_on_the_page_in_the_metrics_and_in_the_command() {
    let shop = shop();
    let arguments = "--checkpoint checkpoints/a --set log.flush=0.05 --set monitor.every=0.2";
    let program = Program::start(&shop, arguments);
    assert_eq!(program.get("/monitor.json")["rows"], 0);
    shop.succeed("simulate --containers 500 --out drums.csv");
    let mut rows = records(&shop.read("drums.csv"));
    rows.drain(..84);
    for row in &mut rows {
        row["det4"] = json!(0.0);
    }
    program.post("/predict", &Value::from(rows));
    let began = Instant::now();
    let report = loop {
        let report = program.get("/monitor.json");
        if report["windows"].as_array().unwrap().len() == 2 {
            break report;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{}", report["rows"]);
        sleep(Duration::from_millis(100));
    };
    assert_eq!((&report["rows"], &report["open"]), (&json!(416), &json!(16)));
    assert_eq!(report["alarms"][0]["column"], "det4");
    let page = program.text("/monitor");
    assert!(page.contains("det4 reads") && page.contains("<svg") && !page.contains("<script"));
    let metrics = program.text("/metrics");
    assert!(metrics.contains("massay_monitor_alarms{kind=\"drift\"} 1\n"), "{metrics}");
    assert!(metrics.contains("massay_log_rows{state=\"written\"} 416\n"), "{metrics}");
    program.ask_to_stop();
    assert!(program.end().contains("det4 reads"));
    let said = shop.succeed("monitor --checkpoint checkpoints/a");
    assert!(said.contains("416 rows served") && said.contains("det4 reads"), "{said}");
    assert!(shop.read("reports/monitor-a/report.html").contains("det4 reads"));
    let said = shop.fail_after("monitor --checkpoint checkpoints/a --strict --json");
    assert!(said.contains("there are alarms: 1"), "{said}");
}

#[test]
fn without_a_log_nothing_is_kept_and_a_log_that_does_not_open_is_told_at_the_start() {
    let shop = shop();
    let program = Program::start(&shop, "--checkpoint checkpoints/a --set log.url=none");
    let rows = records(&shop.read("data/simulations.csv"));
    program.post("/predict", &rows[0]);
    program.ask_to_stop();
    program.end();
    assert!(!shop.exists(LOG));
    let serve = "serve --address 127.0.0.1:0 --checkpoint checkpoints/a";
    let said = shop.fail(&format!("{serve} --set log.url=sqlite:///proc/none/log.sqlite"));
    assert!(said.contains("log.url=none"), "{said}");
    let said = shop.fail("monitor --checkpoint checkpoints/a");
    assert!(said.contains("there is no log of predictions"), "{said}");
    let said = shop.fail("monitor --checkpoint checkpoints/a --since 7m");
    assert!(said.contains("expected one such as"), "{said}");
}
