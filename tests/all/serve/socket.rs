//! The program over a real socket: start, signals, the champion, a port that is taken.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{counter::records, program::Program};
use crate::support::{SHORT, Workshop};

fn trained(names: &[&str]) -> Workshop {
    let shop = Workshop::new();
    for (seed, name) in names.iter().enumerate() {
        shop.succeed(&format!("train {SHORT} --name {name} --quiet --set train.seed={seed}"));
    }
    shop
}

/// A request whose body is not sent yet.
fn begun(program: &Program, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&program.address).unwrap();
    let head = format!(
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn what_is_under_way_ends_before_the_service_does() {
    let shop = trained(&["a"]);
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let body = records(&shop.read("data/simulations.csv"))[0].to_string();
    // Connections that are open and idle, before their first request and after it, hold nothing up.
    let idle = TcpStream::connect(&program.address).unwrap();
    let agent = ureq::Agent::new_with_defaults();
    agent.get(program.url("/live")).call().unwrap();
    let mut stream = begun(&program, body.len());
    stream.write_all(&body.as_bytes()[..20]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    program.ask_to_stop();
    let began = Instant::now();
    while TcpStream::connect(&program.address).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on listening");
        std::thread::sleep(Duration::from_millis(10));
    }
    stream.write_all(&body.as_bytes()[20..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"prediction\""), "{answer}");
    assert_eq!(program.end(), "");
    assert!(began.elapsed() < Duration::from_secs(10), "an idle connection held it up");
    drop(idle);
}

#[test]
fn requests_that_do_not_end_are_cut_off_after_the_time_that_is_set() {
    let shop = trained(&["a"]);
    let program = Program::start(&shop, "--checkpoint checkpoints/a --set serve.drain=0.3");
    let _stream = begun(&program, 100);
    std::thread::sleep(Duration::from_millis(100));
    program.ask_to_stop();
    let began = Instant::now();
    assert!(program.end().contains("requests were cut off after 0.3 s"));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_body_that_says_it_is_too_large_is_refused_before_it_is_sent() {
    let shop = trained(&["a"]);
    let program = Program::start(&shop, "--checkpoint checkpoints/a --set serve.max_body=1000");
    let mut stream = TcpStream::connect(&program.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 2000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("serve.max_body"), "{answer}");
}

#[test]
fn who_sends_drop_by_drop_keeps_nobody_waiting() {
    let shop = trained(&["a"]);
    let program = Program::start(
        &shop,
        "--checkpoint checkpoints/a --set serve.max_requests=2 --set serve.keep_alive=1",
    );
    let mut silent = TcpStream::connect(&program.address).unwrap();
    let slow: Vec<TcpStream> = (0..5).map(|_| begun(&program, 100)).collect();
    std::thread::sleep(Duration::from_millis(200));
    let body = records(&shop.read("data/simulations.csv"))[0].to_string();
    let answer = ureq::post(program.url("/predict")).content_type("application/json").send(&body);
    assert_eq!(answer.unwrap().status(), 200);
    drop(slow);
    // A connection without a request is closed after the time that is set.
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(silent.read(&mut [0; 9]).is_ok(), "it stays open");
}

#[test]
fn a_request_that_takes_too_long_is_ended() {
    let shop = trained(&["a"]);
    let program = Program::start(&shop, "--checkpoint checkpoints/a --set serve.timeout=0.3");
    let mut stream = begun(&program, 100);
    let mut answer = String::new();
    let mut part = [0; 1024];
    while !answer.contains("timed_out") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "{answer}");
        answer += &String::from_utf8_lossy(&part[..count]);
    }
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

#[test]
fn the_champion_is_followed_and_rolled_back_with_the_registry() {
    let shop = trained(&["a", "b"]);
    shop.succeed("registry promote a");
    let program = Program::start(&shop, "--champion --set serve.reload=0.1");
    assert_eq!(program.run(), "a");
    shop.succeed("registry promote b");
    program.wait_for("b");
    let answer = program.post("/admin/rollback", &json!(null));
    assert_eq!((&answer["changed"], program.run()), (&json!(true), "a".to_owned()));
    let listed = shop.succeed("registry list");
    let champion = listed.lines().find(|line| line.ends_with("champion")).unwrap();
    assert!(champion.starts_with('a'), "{listed}");
    // Trained again in its place, it is no longer the run that was promoted: nothing changes.
    let version = program.get("/model")["version"].clone();
    shop.succeed(&format!("train {SHORT} --name a --force --quiet --set train.seed=7"));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(program.get("/model")["version"], version);
    shop.succeed("registry promote a");
    let began = Instant::now();
    while program.get("/model")["version"] == version {
        assert!(began.elapsed() < Duration::from_secs(20), "the new champion does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_folder_that_is_trained_again_is_followed() {
    let shop = trained(&["a"]);
    let arguments = "--checkpoint checkpoints/a --set serve.reload=0.1";
    let program = Program::start(&shop, arguments);
    let version = program.get("/model")["version"].clone();
    shop.succeed(&format!("train {SHORT} --name a --force --quiet --set train.seed=7"));
    let began = Instant::now();
    while program.get("/model")["version"] == version {
        assert!(began.elapsed() < Duration::from_secs(20), "the new model does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    program.ask_to_stop();
    program.end();
}

#[test]
fn what_cannot_be_served_is_said_before_anything_listens() {
    let shop = trained(&["a"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let serve = "serve --checkpoint checkpoints/a";
    shop.write("keys", "# none\n\n");
    for (line, expected) in [
        (format!("{serve} --address {address}"), "takes any free port"),
        (format!("{serve} --address nowhere"), "cannot listen at nowhere"),
        (format!("{serve} --api-keys keys"), "keys: there is no key"),
        (format!("{serve} --api-keys none"), "the keys cannot be read"),
        (format!("{serve} --set serve.max_row=1"), "max_rows"),
        (format!("{serve} --set log.queue=0"), "log.queue"),
        (format!("{serve} --set log.url=postgres://u@h/d?password=p"), "MASSAY_LOG_URL"),
        ("serve --checkpoint checkpoints/b --address 127.0.0.1:0".to_owned(), "manifest.json"),
        ("serve --champion --address 127.0.0.1:0".to_owned(), "massay registry promote"),
        ("serve".to_owned(), "--checkpoint"),
        (
            "serve --checkpoint models:/x@champion --address 127.0.0.1:0".to_owned(),
            "MLFLOW_TRACKING_URI",
        ),
    ] {
        let said = shop.fail(&line);
        assert!(said.contains(expected), "{line}: {said}");
    }
    // A secret that is empty or broken by mistake must not open the service, nor go unnoticed.
    for (name, value) in [("MASSAY_API_KEYS", ""), ("MASSAY_WEBHOOK_URL", "foo")] {
        let mut command = shop.command(&format!("{serve} --address 127.0.0.1:0"));
        let output = command.env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(name), "{said}");
    }
}
