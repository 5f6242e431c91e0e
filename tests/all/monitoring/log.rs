//! The database of the log: what is written is there, in SQLite and in PostgreSQL.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use massay::monitor::{
    LogConfig, LogQuery, LogStore, LogWriter, LoggedModel, LoggedRow, LoggedTruth,
};
use sqlx::{Connection, Executor};
use tokio::runtime::Runtime;

fn row(request: usize) -> LoggedRow {
    LoggedRow {
        id: 0,
        time: 1_700_000_000_000 + request as i64,
        request_id: format!("r{request}"),
        position: 0,
        model: if request.is_multiple_of(2) { "a@1" } else { "b@2" }.to_owned(),
        container: request.is_multiple_of(3).then(|| "C'1\"; DROP TABLE models".to_owned()),
        inputs: vec![0.1 + request as f64, f64::NAN, -1e-300],
        prediction: std::f64::consts::PI * request as f64,
        lower: -0.0,
        upper: 1e300,
        out_of_domain: request.is_multiple_of(5),
        columns_at_fault: "det1 det2".to_owned(),
        truth: None,
        truth_time: None,
    }
}

fn truth(request: usize, truth: f64) -> LoggedTruth {
    LoggedTruth { time: 5, request_id: format!("r{request}"), position: 0, truth }
}

/// Everything that a database has to do.
async fn exercise(url: &str) {
    let store = LogStore::open(url).await.unwrap();
    let model = LoggedModel {
        version: "a@1".to_owned(),
        name: "massay-mass".to_owned(),
        checksum: "c".to_owned(),
        target: "mass".to_owned(),
        unit: "g".to_owned(),
        level: 0.9,
        columns: vec!["det1".to_owned(), "größe".to_owned(), "x\"y".to_owned()],
    };
    let rows: Vec<LoggedRow> = (0..1003).map(row).collect();
    store.append(&[model.clone(), model.clone()], &rows, &[truth(7, 2.5)]).await.unwrap();
    store.append(&[], &[], &[truth(7, 3.5), truth(8, 1.0)]).await.unwrap();
    assert_eq!(store.models().await.unwrap(), [model]);
    let found = store.rows(&LogQuery::default()).await.unwrap();
    assert_eq!(found.len(), rows.len());
    for (found, expected) in found.iter().zip(&rows) {
        let bits = |own: &LoggedRow| own.inputs.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(found), bits(expected));
        assert_eq!(found.prediction.to_bits(), expected.prediction.to_bits());
        assert_eq!(
            (&found.request_id, &found.container),
            (&expected.request_id, &expected.container)
        );
        assert_eq!((found.out_of_domain, found.upper), (expected.out_of_domain, expected.upper));
    }
    assert_eq!((found[7].truth, found[8].truth, found[9].truth), (Some(3.5), Some(1.0), None));
    let query = LogQuery { labelled: true, ..LogQuery::default() };
    assert_eq!(store.rows(&query).await.unwrap().len(), 2);
    let query = LogQuery { model: Some("b@2".to_owned()), most: Some(10), ..LogQuery::default() };
    let part = store.rows(&query).await.unwrap();
    assert!(part.len() == 10 && part.iter().all(|own| own.model == "b@2"));
    let next = LogQuery { after: part[9].id, ..query };
    assert_eq!(store.rows(&next).await.unwrap()[0].request_id, "r21");
    assert_eq!(store.of_request("r12", 0).await.unwrap().len(), 1);
    assert_eq!(store.of_request("r12", 1).await.unwrap().len(), 0);
    assert_eq!(store.forget_before(1_700_000_000_500).await.unwrap(), 500);
    assert_eq!(store.rows(&LogQuery::default()).await.unwrap().len(), 503);
    assert_eq!(store.rows(&LogQuery { labelled: true, ..LogQuery::default() }).await.unwrap(), []);
    store.close().await;
}

#[test]
fn sqlite_keeps_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new folder/log.sqlite");
    Runtime::new().unwrap().block_on(exercise(&format!("sqlite://{}", path.display())));
}

#[test]
fn addresses_that_name_no_database_are_refused_with_what_was_expected() {
    let runtime = Runtime::new().unwrap();
    let open = |url: &str| runtime.block_on(LogStore::open(url)).unwrap_err().to_string();
    assert!(open("mysql://x").contains("expected `sqlite://FILE`"));
    let said = open("postgres://who:secret@127.0.0.1:9/none");
    assert!(said.contains("postgres://who@127.0.0.1:9/none") && !said.contains("secret"), "{said}");
    assert!(said.contains("refused"), "{said}");
    assert!(open("sqlite:///proc/none/log.sqlite").contains("log.url=none"));
}

#[test]
fn a_file_that_is_no_database_is_refused_at_once_with_the_cause_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.sqlite");
    std::fs::write(&file, [7; 5000]).unwrap();
    let began = Instant::now();
    let url = format!("sqlite://{}", file.display());
    let refused = Runtime::new().unwrap().block_on(LogStore::open(&url)).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    let said = format!("{:#}", anyhow::Error::from(refused));
    assert_eq!(said.matches("not a database").count(), 1, "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), [7; 5000]);
}

#[test]
fn rows_that_do_not_fit_into_the_queue_are_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    let config = LogConfig { queue: 100, flush: 30.0, ..LogConfig::default() };
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        let writer = LogWriter::start(store.clone(), None, &config);
        (0..150).for_each(|request| writer.add_rows(vec![row(request)]));
        assert_eq!((writer.waiting(), writer.dropped()), (100, 50));
        // Closing does not wait for the time of the next write.
        assert_eq!(writer.close(Duration::from_secs(20)).await, 0);
        assert_eq!(writer.written(), 100);
        assert_eq!(store.rows(&LogQuery::default()).await.unwrap().len(), 100);
    });
}

#[test]
fn a_transaction_that_the_database_gave_up_takes_nothing_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        // As a full disk does: the whole transaction is rolled back.
        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        let full = "CREATE TRIGGER full BEFORE INSERT ON predictions BEGIN \
                    SELECT RAISE(ROLLBACK, 'the disk is full'); END";
        other.execute(full).await.unwrap();
        for _ in 0..3 {
            let refused = store.append(&[], &[row(1)], &[]).await.unwrap_err().to_string();
            assert!(refused.contains("the disk is full"), "{refused}");
        }
        other.execute("DROP TRIGGER full").await.unwrap();
        store.append(&[], &[row(2), row(3)], &[]).await.unwrap();
        let rows = sqlx::query("SELECT request_id FROM predictions").fetch_all(&mut other).await;
        assert_eq!(rows.unwrap().len(), 2);
    });
}

#[test]
fn a_true_value_of_an_id_that_came_twice_belongs_to_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        let truths = [truth(1, 4.0), truth(2, 5.0)];
        store.append(&[], &[row(1), row(2)], &truths).await.unwrap();
        store.append(&[], &[row(1)], &[]).await.unwrap();
        let rows = store.rows(&LogQuery::default()).await.unwrap();
        let truths: Vec<Option<f64>> = rows.iter().map(|own| own.truth).collect();
        assert_eq!(truths, [None, Some(5.0), None]);
    });
}

#[test]
fn a_file_that_is_gone_is_missed_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["log.sqlite", "old.sqlite"].map(|name| folder.path().join(name));
    let url = format!("sqlite://{}", here.display());
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        store.append(&[], &[row(1)], &[]).await.unwrap();
        std::fs::rename(&here, &there).unwrap();
        let refused = store.append(&[], &[row(2)], &[]).await.unwrap_err().to_string();
        assert!(refused.contains("log.sqlite: the log of predictions is no longer there"));
        // Another file at its place is another log.
        std::fs::write(&here, "").unwrap();
        assert!(store.append(&[], &[row(2)], &[]).await.is_err());
        std::fs::rename(&there, &here).unwrap();
        store.append(&[], &[row(2)], &[]).await.unwrap();
        assert_eq!(store.rows(&LogQuery::default()).await.unwrap().len(), 2);
    });
}

/// A PostgreSQL server of the test's own, on a socket in its own folder and a port of the loopback.
struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
    server: Child,
}

impl Postgres {
    fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("massay-postgres").tempdir().unwrap();
        // The server refuses to run as root.
        run(Command::new("chmod").arg("777").arg(folder.path()));
        let data = folder.path().join("data");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let arguments = ["--auth=trust", "--username=massay", "--encoding=UTF8", "--no-sync"];
        run(as_somebody(&programs.join("initdb")).args(arguments).arg("--pgdata").arg(&data));
        let server = as_somebody(&programs.join("postgres"))
            .args(["-h", "127.0.0.1", "-c", "fsync=off", "-p", &port.to_string(), "-k"])
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, port, server }
    }

    /// The address of its database, once it answers.
    fn url(&self) -> String {
        let url = format!("postgres://massay@127.0.0.1:{}/postgres", self.port);
        let runtime = Runtime::new().unwrap();
        let began = Instant::now();
        while runtime.block_on(LogStore::open(&url)).is_err() {
            let place = self.folder.path().display();
            assert!(began.elapsed() < Duration::from_mins(1), "PostgreSQL in {place} is silent");
            sleep(Duration::from_millis(100));
        }
        url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Asked to end at once, it takes its helpers with it; killed, it would leave them.
        let id = self.server.id().to_string();
        let _ = Command::new("pkill").args(["-INT", "-P", &id]).status();
        let _ = Command::new("kill").args(["-INT", &id]).status();
        let _ = self.server.wait();
    }
}

/// Where Debian keeps the programs of the newest version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap();
    let newest = versions.map(|own| own.unwrap().path()).max().unwrap();
    newest.join("bin")
}

/// A program run as the user `postgres` where the test runs as root.
fn as_somebody(program: &Path) -> Command {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn postgresql_keeps_every_bit() {
    let server = Postgres::start();
    let url = server.url();
    Runtime::new().unwrap().block_on(exercise(&url));
}
