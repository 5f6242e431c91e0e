//! A promotion that is killed anywhere leaves one champion, here and on the server.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;

use crate::{
    mlflow_server::Server,
    support::{SHORT, Workshop},
};

/// Where a program is killed: at its n-th request, before or after the server has carried it out.
#[derive(Clone, Copy, Debug)]
struct Step {
    request: usize,
    carried_out: bool,
}

/// Stands between a program and a server, and kills the program at a step.
#[derive(Clone, Default)]
struct Between {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    step: Option<Step>,
    victim: Option<Child>,
    requests: usize,
    killed: bool,
}

impl Between {
    /// Starts to pass requests on; returns itself and its address.
    fn start(server: &Server) -> (Self, String) {
        let (between, target) = (Self::default(), server.address);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let own = between.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (own, server) = (own.clone(), TcpStream::connect(target).unwrap());
                thread::spawn(move || own.pass(client, server));
            }
        });
        (between, address)
    }

    /// Passes what two sides of a connection say on to each other.
    fn pass(&self, client: TcpStream, server: TcpStream) {
        let (answers, asker) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let own = self.clone();
        let back = thread::spawn(move || relay(answers, asker, |_| own.arrived(true)));
        let is_request = |said: &[u8]| {
            let verbs = [&b"GET "[..], b"POST ", b"DELETE ", b"PATCH ", b"PUT "];
            verbs.iter().any(|verb| said.starts_with(verb))
        };
        relay(client, server, |said| is_request(said) && self.arrived(false));
        back.join().unwrap();
    }

    /// Counts a request and kills the program where its step has come.
    fn arrived(&self, carried_out: bool) -> bool {
        let mut plan = self.plan.lock().unwrap();
        plan.requests += usize::from(!carried_out);
        let is_due = plan
            .step
            .is_some_and(|step| (step.request, step.carried_out) == (plan.requests, carried_out));
        if is_due && let Some(victim) = &mut plan.victim {
            victim.kill().unwrap();
            victim.wait().unwrap();
            plan.killed = true;
        }
        is_due
    }

    /// Runs a program that is killed at a step; returns whether it was.
    fn run(&self, shop: &Workshop, line: &str, step: Step) -> bool {
        let mut plan = self.plan.lock().unwrap();
        let mut command = shop.command(line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        *plan =
            Plan { step: Some(step), victim: Some(command.spawn().unwrap()), ..Plan::default() };
        drop(plan);
        loop {
            thread::sleep(std::time::Duration::from_millis(20));
            let mut plan = self.plan.lock().unwrap();
            let ended = plan.victim.as_mut().unwrap().try_wait().unwrap().is_some();
            if plan.killed || ended {
                plan.step = None;
                return plan.killed;
            }
        }
    }
}

/// Copies until one side ends or `stops` says so, and closes both then.
fn relay(mut from: TcpStream, mut to: TcpStream, stops: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size @ 1..) = from.read(&mut buffer) {
        if stops(&buffer[..size]) || to.write_all(&buffer[..size]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn a_promotion_killed_at_any_request_leaves_one_champion() {
    let (shop, server) = (Workshop::new(), Server::start());
    let (between, address) = Between::start(&server);
    for name in ["one", "two"] {
        shop.succeed(&format!("train {SHORT} --name {name} --mlflow {address} --quiet"));
    }
    shop.succeed("registry promote one");
    let champion = || -> (String, String) {
        let runs: serde_json::Value =
            serde_json::from_str(&shop.succeed("registry list --json")).unwrap();
        let own = runs.as_array().unwrap().iter().find(|run| run["champion"] == true).unwrap();
        let of = |key: &str| own[key].as_str().unwrap().to_owned();
        (of("run"), of("version"))
    };
    let mut kills = 0;
    for request in 1.. {
        let mut finished = false;
        for carried_out in [false, true] {
            let step = Step { request, carried_out };
            let before = champion().0;
            let other = if before == "one" { "two" } else { "one" };
            let killed = between.run(&shop, &format!("registry promote {other}"), step);
            kills += usize::from(killed);
            finished |= !killed;
            let (run, version) = champion();
            if !killed {
                assert_eq!(run, other);
            }
            let aliases = &server.known(&run)["aliases"];
            assert_eq!(aliases["champion"], json!(version), "{step:?}: {run} {aliases}");
            assert!(!shop.path("checkpoints/registry.moving.json").exists());
        }
        if finished {
            break;
        }
    }
    // The alias is asked for and moved, and who challenges is asked for.
    assert!(kills >= 6, "{kills} kills");
}
