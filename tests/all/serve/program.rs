//! The program as it serves over a socket.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::Workshop;

/// A running `massay serve`.
pub(crate) struct Program {
    child: Child,
    errors: BufReader<ChildStderr>,
    /// Where it listens.
    pub(crate) address: String,
}

impl Program {
    /// Starts it with these arguments on a free port, the token of its administration being `token`.
    pub(crate) fn start(shop: &Workshop, arguments: &str) -> Self {
        let line = format!("serve --address 127.0.0.1:0 {arguments}");
        let mut command = shop.command(&line);
        command.env("MASSAY_ADMIN_TOKEN", "token").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("/docs") {
            let mut line = String::new();
            assert!(errors.read_line(&mut line).unwrap() > 0, "it does not start: {said}");
            said += &line;
        }
        let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap();
        Self { address: address.to_owned(), child, errors }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let mut answer = ureq::get(self.url(path)).call().unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// The text at a path.
    pub(crate) fn text(&self, path: &str) -> String {
        let mut answer = ureq::get(self.url(path)).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let request = ureq::post(self.url(path)).header("authorization", "Bearer token");
        let mut answer = request.send_json(body).unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// The name of the run whose model answers.
    pub(crate) fn run(&self) -> String {
        self.get("/model")["run"].as_str().unwrap().to_owned()
    }

    /// Waits until the model of a run answers.
    pub(crate) fn wait_for(&self, run: &str) {
        let began = Instant::now();
        while self.run() != run {
            assert!(began.elapsed() < Duration::from_secs(20), "{run} does not come");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn ask_to_stop(&self) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").arg(id).status().unwrap().success());
    }

    /// Waits for its end, which must be a clean one; returns what it said after its greeting.
    pub(crate) fn end(mut self) -> String {
        let mut said = String::new();
        self.errors.read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {said}");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
