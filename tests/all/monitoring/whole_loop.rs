//! From served rows to a new champion, by the real program over HTTP.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::plant::{QUICK, labelled, simulated};
use crate::{serve::Program, support::Workshop};

type Drum = (Vec<f64>, f64);

const WATCHED: &str = "--set log.flush=0.05 --set monitor.every=0.2 --set serve.reload=0.2";

/// Rows of a request.
const REQUEST: usize = 50;

/// Serves drums, and tells the true masses of the first `labelled` of each request. No two requests share a
/// millisecond: which rows are the newest must not be drawn by lot.
fn stream(program: &Program, drums: &[Drum], labelled: usize) {
    // No two drums have a name in common.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    for part in drums.chunks(REQUEST) {
        let record = |(row, _): &Drum| {
            let values = row.iter().enumerate();
            let values = values.map(|(c, v)| (format!("det{}", c + 1), json!(v)));
            let name = format!("D{}", NUMBER.fetch_add(1, Ordering::Relaxed));
            Value::Object(values.chain([("container".to_owned(), json!(name))]).collect())
        };
        let rows: Vec<Value> = part.iter().map(record).collect();
        let answer = program.post("/predict", &Value::from(rows));
        for (row, (_, mass)) in part.iter().take(labelled).enumerate() {
            let truth = json!({"request_id": answer["request_id"], "row": row, "truth": mass});
            program.post("/feedback", &truth);
        }
        sleep(Duration::from_millis(2));
    }
}

/// What the service knows of its model once it has seen so many rows and true values.
fn known(program: &Program, rows: usize, labelled: usize) -> Value {
    let began = Instant::now();
    loop {
        let report = program.get("/monitor.json");
        let truths = report["performance"]["scores"]["rows"].as_u64().unwrap_or(0);
        if report["rows"].as_u64().unwrap() as usize == rows && truths as usize == labelled {
            return report;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{} rows, {truths}", report["rows"]);
        sleep(Duration::from_millis(50));
    }
}

/// A shop with a champion that knows `containers` drums.
pub(super) fn shop(containers: usize) -> Workshop {
    shop_with(containers, QUICK)
}

fn shop_with(containers: usize, model: &str) -> Workshop {
    let shop = Workshop::new();
    shop.succeed(&format!("simulate --containers {containers} --out data/simulations.csv --force"));
    shop.succeed(&format!("train {model} --name first --quiet"));
    shop.succeed("registry promote first");
    shop
}

#[test]
fn each_planted_drift_is_named_over_http() {
    let shop = Workshop::new();
    shop.succeed(&format!("train {QUICK} --name first --quiet"));
    shop.succeed("registry promote first");
    let clean = simulated(&shop, 5000, "");
    let dense = simulated(&shop, 5000, "--density 2");
    let changed = |change: fn(&mut Vec<f64>)| -> Vec<Drum> {
        let mut drums = clean.clone();
        drums[2400..].iter_mut().for_each(|(row, _)| change(row));
        drums
    };
    let dead = changed(|row| row[6] = 0.0);
    let gain = changed(|row| row[11] *= 0.8);
    let density = [&clean[..2400], &dense[2400..]].concat();
    for (drums, columns) in
        [(dead, &["det7"][..]), (gain, &["det12"]), (density, &["det1", "det8", "det15"])]
    {
        let log = format!("--set log.url=sqlite://data/{}.sqlite", columns.join("-"));
        let program = Program::start(&shop, &format!("--champion {WATCHED} {log}"));
        stream(&program, &drums[..2400], 0);
        assert_eq!(known(&program, 2400, 0)["alarms"], json!([]), "{columns:?}");
        stream(&program, &drums[2400..], 0);
        let report = known(&program, 5000, 0);
        let alarm = &report["alarms"][0];
        // Rows 2401 to 2600 are the first window with the drift; a gain may need two more.
        assert!((13..=15).contains(&alarm["window"].as_u64().unwrap()), "{alarm}");
        let window = &report["windows"][alarm["window"].as_u64().unwrap() as usize - 1];
        let drifted = window["comparisons"].as_array().unwrap().iter();
        let drifted: Vec<&str> = drifted
            .filter(|own| own["drifted"] == true)
            .map(|own| own["column"].as_str().unwrap())
            .collect();
        for column in columns {
            assert!(drifted.contains(column), "{column}: {drifted:?}");
        }
        if columns.len() == 1 {
            assert_eq!(alarm["column"], json!(columns[0]), "{alarm}");
        }
    }
}

#[test]
fn what_is_learnt_takes_over_and_what_is_poisoned_does_not() {
    // Few drums leave much to learn.
    let shop = shop_with(30, "--set model.kind=forest --set cv.leakage_check=false");
    let program = Program::start(&shop, &format!("--champion {WATCHED}"));
    let mut drums = simulated(&shop, 600, "");
    for (row, _) in &mut drums {
        row[4] *= 0.1;
        row[11] *= 0.1;
    }
    let said = shop.succeed("retrain");
    assert!(said.contains("not retrained: 0 new containers"), "{said}");
    stream(&program, &drums[..250], REQUEST);
    known(&program, 250, 250);

    let said = shop.succeed(
        "retrain --name trial --dry-run --set retrain.repeats=1 --set retrain.significance=0.4",
    );
    assert!(said.contains("this was a dry run") && program.run() == "first", "{said}");
    let said = shop.succeed("retrain --name second");
    assert!(said.contains("second is the champion of massay-mass, instead of first"), "{said}");
    program.wait_for("second");
    stream(&program, &drums[250..400], REQUEST);
    known(&program, 150, 150);
    // What the former champion would have said of the same rows.
    let said = shop.succeed("monitor --champion --shadow checkpoints/first --json");
    let scores = serde_json::from_str::<Value>(&said).unwrap()["shadow"]["scores"].take();
    let rmse = |place: usize| scores[place]["rmse"].as_f64().unwrap();
    assert!(rmse(0) < 0.9 * rmse(1), "{} {}", rmse(0), rmse(1));

    let said = shop.succeed("retrain --name third");
    assert!(said.contains("`retrain.cooldown_hours` asks for 24"), "{said}");
    // Truths of other drums.
    let mut poisoned = drums[400..].to_vec();
    let masses: Vec<f64> = poisoned.iter().map(|(_, mass)| *mass).collect();
    for (place, (_, mass)) in poisoned.iter_mut().enumerate() {
        *mass = masses[(place + 7) % masses.len()];
    }
    stream(&program, &poisoned, REQUEST);
    known(&program, 350, 350);
    // As after a retraining that was killed between the move and the line for it; the next one writes it.
    let lines = shop.read("checkpoints/decisions.jsonl");
    let kept: Vec<&str> =
        lines.lines().filter(|line| !line.contains("\"challenger\":\"second\"")).collect();
    assert_eq!(kept.len() + 1, lines.lines().count());
    shop.write("checkpoints/decisions.jsonl", kept.join("\n") + "\n");
    // Only what was poisoned is new.
    let now = "--set retrain.cooldown_hours=0 --set retrain.repeats=1";
    let said = shop.succeed(&format!("retrain --name third {now} --set retrain.minimum=1"));
    assert!(said.contains("second stays the champion"), "{said}");
    assert!(shop.read("reports/third/quarantine.csv").lines().count() > 10);
    let said = shop.succeed(&format!("retrain --name fourth {now} --accept-quarantined"));
    assert!(said.contains("second stays the champion"), "{said}");
    assert_eq!(program.run(), "second");

    assert_eq!(shop.succeed("rollback"), "first is the champion of massay-mass again\n");
    program.wait_for("first");
    let page = program.text("/monitor");
    for milestone in [
        "trial was trained with",
        "second became the champion instead of first",
        "second stays",
        "first became the champion again instead of second",
    ] {
        assert!(page.contains(milestone), "{milestone}");
    }
    assert_eq!(shop.read("checkpoints/decisions.jsonl").lines().count(), 4);
}

#[cfg(unix)]
#[test]
fn a_decision_that_is_not_carried_out_is_written_down_and_not_made_again() {
    use std::os::unix::fs::PermissionsExt;

    let shop = shop(60);
    shop.write("new.csv", labelled(&simulated(&shop, 200, ""), 0..200));
    let folder = shop.path("bin");
    for made in [&folder, &shop.path(".dvc")] {
        std::fs::create_dir(made).unwrap();
    }
    let line = "retrain --data new.csv --set log.url=none --set retrain.repeats=1 --set \
                retrain.cooldown_hours=0";
    let run = |name: &str| {
        let output = shop.command(&format!("{line} --name {name}")).env("PATH", &folder).output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (succeeds, said) = run("a");
    assert!(!succeeds && said.contains("nothing was trained"), "{said}");
    assert!(!shop.exists("checkpoints/a") && !shop.exists("checkpoints/decisions.jsonl"));
    // DVC starts, and keeps nothing.
    let dvc =
        shop.write("bin/dvc", "#!/bin/sh\n[ \"$1\" = --version ] || { echo full >&2; exit 1; }\n");
    std::fs::set_permissions(&dvc, PermissionsExt::from_mode(0o755)).unwrap();
    let (succeeds, said) = run("b");
    assert!(!succeeds && said.contains("full"), "{said}");
    let decision: Value = serde_json::from_str(&shop.read("checkpoints/decisions.jsonl")).unwrap();
    assert_eq!(decision["verdict"], "keep");
    let reason = decision["conditions"].as_array().unwrap().last().unwrap().clone();
    assert!(reason["sentence"].as_str().unwrap().contains("could not be carried out"), "{reason}");
    let (succeeds, said) = run("c");
    assert!(succeeds && said.contains("not retrained: 0 new containers"), "{said}");
}

#[test]
fn rows_known_already_do_not_train_again_and_a_trusted_table_never_does() {
    let shop = shop(60);
    let drums = simulated(&shop, 300, "");
    let table = |from: usize, to: usize| labelled(&drums, from..to);
    shop.write("new.csv", table(0, 200));
    shop.write("trusted.csv", table(150, 250));
    // Without names, rows of one drum could stand on both sides of a split.
    let nameless = |line: &str| line.split_once(',').unwrap().1.to_owned();
    let text: Vec<String> = table(0, 200).lines().map(nameless).collect();
    shop.write("nameless.csv", text.join("\n"));
    let said = shop.fail("retrain --data nameless.csv --set log.url=none --dry-run");
    assert!(said.contains("no column `container`"), "{said}");
    let line = "retrain --data new.csv --set log.url=none --set retrain.anchor=trusted.csv --json";
    let first: Value = serde_json::from_str(&shop.succeed(&format!("{line} --name a"))).unwrap();
    let rows = &first["rows"];
    let sum = |keys: &[&str]| keys.iter().map(|key| rows[*key].as_u64().unwrap()).sum::<u64>();
    // 50 of the 200 are trusted ones, of the others a fifth judges.
    assert_eq!((sum(&["known"]), sum(&["added", "newest", "quarantined"])), (50, 150));
    assert_eq!(first["challenge"]["anchor"]["rows"], 100);
    let extended = shop.read("data/retrained/a.csv");
    assert!(!extended.contains("N150,") && !extended.contains(",served\n"));
    let trained = extended.lines().filter(|line| line.ends_with(",table")).count() as u64;
    assert_eq!(sum(&["added"]), trained);

    shop.succeed("registry promote a");
    let again = format!("{line} --name b --force --dry-run");
    let second: Value = serde_json::from_str(&shop.succeed(&again)).unwrap();
    assert_eq!(second["rows"]["known"].as_u64().unwrap(), 50 + trained);
}

#[test]
fn rows_without_a_container_do_not_train_and_doubled_light_drums_are_no_progress() {
    let shop = shop(84);
    let program = Program::start(&shop, &format!("--champion {WATCHED}"));
    let drums = simulated(&shop, 1200, "");
    let rows: Vec<Value> = drums[..60]
        .iter()
        .map(|(row, _)| {
            let values = row.iter().enumerate();
            Value::Object(values.map(|(c, v)| (format!("det{}", c + 1), json!(v))).collect())
        })
        .collect();
    let answer = program.post("/predict", &json!(rows));
    for (row, (_, mass)) in drums[..60].iter().enumerate() {
        let truth = json!({"request_id": answer["request_id"], "row": row, "truth": mass});
        program.post("/feedback", &truth);
    }
    known(&program, 60, 60);
    let said = shop.succeed("retrain");
    assert!(said.contains("60 rows name no container and cannot train"), "{said}");
    // Half of the drums weigh twice what they weigh, by feedback; the heavy ones hide it in the RMSE of all.
    let light: Vec<Drum> = drums.into_iter().filter(|(_, mass)| *mass < 10.0).collect();
    let doubled: Vec<Drum> = light.iter().map(|(row, mass)| (row.clone(), 2.0 * mass)).collect();
    stream(&program, &doubled, REQUEST);
    known(&program, 60 + doubled.len(), 60 + doubled.len());
    let line = "retrain --name doubled --json --set retrain.repeats=1 --accept-quarantined";
    let decision: Value = serde_json::from_str(&shop.succeed(line)).unwrap();
    let conditions = decision["conditions"].as_array().unwrap();
    let on_trusted = conditions.iter().filter(|own| {
        own["sentence"].as_str().unwrap().contains("trusted rows") && own["holds"] == false
    });
    assert!(on_trusted.count() > 0, "{conditions:?}");
    assert_eq!(decision["verdict"], "keep");
}

#[test]
fn an_alarm_reaches_its_webhook_once_though_it_fails_at_first() {
    let shop = shop(84);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut reader = BufReader::new(stream);
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_lowercase();
                if let Some(own) = lower.strip_prefix("content-length:") {
                    length = own.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let status = if number == 0 { "503 Busy" } else { "200 OK" };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            reader.into_inner().write_all(answer.as_bytes()).unwrap();
            sender.send(serde_json::from_slice::<Value>(&body).unwrap()).unwrap();
        }
    });
    let arguments = format!("--champion {WATCHED} --set monitor.webhook=http://{address}/alarm");
    let program = Program::start(&shop, &arguments);
    let mut drums = simulated(&shop, 200, "");
    for (row, _) in &mut drums {
        row[8] = 0.0;
    }
    stream(&program, &drums, 0);
    let told = || receiver.recv_timeout(Duration::from_secs(20)).unwrap();
    let (first, second) = (told(), told());
    assert_eq!(first, second);
    assert_eq!((&first["column"], &first["window"]), (&json!("det9"), &json!(1)));
    assert!(first["text"].as_str().unwrap().contains("det9 reads"), "{first}");
    // Another process knows that it was told.
    program.ask_to_stop();
    program.end();
    let program = Program::start(&shop, &arguments);
    known(&program, 200, 0);
    assert!(receiver.recv_timeout(Duration::from_secs(2)).is_err());
}

#[test]
fn a_shadow_is_asked_the_same_and_answers_nobody() {
    let shop = shop(60);
    shop.succeed("simulate --containers 400 --out data/more.csv");
    shop.succeed(&format!("train {QUICK} --set data.path=data/more.csv --name more --quiet"));
    let arguments = format!("--champion {WATCHED} --shadow checkpoints/more");
    let program = Program::start(&shop, &arguments);
    let drums = simulated(&shop, 500, "")[400..].to_vec();
    stream(&program, &drums, 20);
    let report = known(&program, 100, 40);
    assert_eq!(report["shadow"]["rows"], 100);
    let scores = |place: usize| &report["shadow"]["scores"][place];
    assert_eq!(scores(0), &report["performance"]["scores"]);
    // What the shadow says is what `massay predict` says.
    let header: Vec<String> = (1..=15).map(|column| format!("det{column}")).collect();
    let mut table = header.join(",");
    let (mut squares, mut masses) = (0.0, Vec::new());
    for (row, mass) in drums.chunks(REQUEST).flat_map(|part| &part[..20]) {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        table += &format!("\n{}", cells.join(","));
        masses.push(mass);
    }
    shop.write("labelled.csv", table);
    let predicted = shop.succeed("predict --checkpoint checkpoints/more labelled.csv");
    let mut lines = predicted.lines();
    let place = lines.next().unwrap().split(',').position(|own| own == "prediction").unwrap();
    for (line, mass) in lines.zip(masses) {
        let own: f64 = line.split(',').nth(place).unwrap().parse().unwrap();
        squares += (own - mass).powi(2);
    }
    let (own, expected) = (scores(1)["rmse"].as_f64().unwrap(), f64::sqrt(squares / 40.0));
    assert!((own - expected).abs() < 1e-3 * expected, "{own} {expected}");
    assert!(program.text("/monitor").contains("The shadow more@"));
    program.ask_to_stop();
    program.end();
    let said = shop.succeed("monitor --champion --shadow checkpoints/more");
    assert!(said.contains("shadow     more@"), "{said}");
}

#[test]
fn the_watch_retrains_on_an_alarm_and_on_its_schedule() {
    let shop = shop(60);
    let program = Program::start(&shop, &format!("--champion {WATCHED}"));
    let mut drums = simulated(&shop, 400, "");
    stream(&program, &drums[..200], REQUEST);
    known(&program, 200, 200);
    let said = shop.succeed("watch --once");
    assert!(said.contains("the schedule asks for nothing"), "{said}");
    drums[200..].iter_mut().for_each(|(row, _)| row[4] = 0.0);
    stream(&program, &drums[200..], REQUEST);
    known(&program, 400, 400);
    let said = shop.succeed("watch --once");
    assert!(said.contains("on the folds: "), "{said}");
    let said = shop.succeed("watch --once --set retrain.every_hours=0");
    assert!(said.contains("`retrain.cooldown_hours` asks for"), "{said}");
}
