//! What the log costs who asks: two thousand predictions each second, with it and without.

use std::{
    thread::{self, sleep},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::whole_loop::shop;
use crate::serve::Program;

/// Predictions each second, and seconds.
const RATE: u32 = 2000;
const SECONDS: u32 = 60;

#[test]
#[ignore = "takes two minutes"]
fn two_thousand_predictions_each_second_are_all_in_the_log() {
    let shop = shop(84);
    let run = |options: &str, seconds: u32| {
        let program = Program::start(&shop, &format!("--champion {options}"));
        let times = asked(&program, seconds);
        println!("{options}: {}", told(&times));
        program.ask_to_stop();
        // One row again and again is a drift, which it says.
        program.end();
        times
    };
    // As long without it as with it, half before and half after: a machine that slows down slows both.
    let mut without = run("--set log.url=none", SECONDS / 2);
    let asked = run("--set monitor.every=5", SECONDS).len();
    without.extend(run("--set log.url=none", SECONDS / 2));
    println!("without a log, both times: {}", told(&without));
    assert_eq!(asked as u32, RATE * SECONDS);
    assert_eq!(shop.succeed("log export").lines().count(), 1 + asked);
}

/// How long half of the answers and nearly all of them took at most.
fn told(times: &[f64]) -> String {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let within = |share: f64| times[(share * (times.len() - 1) as f64) as usize];
    format!("50 % within {:.3} ms, 99 % {:.3}", within(0.5), within(0.99))
}

/// Asks for one row so often; returns how long each answer took, milliseconds.
fn asked(program: &Program, seconds: u32) -> Vec<f64> {
    const CLIENTS: u32 = 8;
    let row = (1..=15).map(|column| (format!("det{column}"), json!(10 * column)));
    let row = Value::Object(row.collect());
    let began = Instant::now();
    thread::scope(|scope| {
        let client = |number: u32| {
            let row = &row;
            scope.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                let ask = |turn: u32| {
                    let due = f64::from(turn * CLIENTS + number) / f64::from(RATE);
                    sleep(Duration::from_secs_f64(due).saturating_sub(began.elapsed()));
                    let sent = Instant::now();
                    let mut answer = agent.post(program.url("/predict")).send_json(row).unwrap();
                    answer.body_mut().read_to_string().unwrap();
                    1e3 * sent.elapsed().as_secs_f64()
                };
                (0..RATE * seconds / CLIENTS).map(ask).collect::<Vec<f64>>()
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}
