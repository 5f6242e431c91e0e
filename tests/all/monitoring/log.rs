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
        corrected: None,
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
fn of_rows_with_one_id_the_first_has_a_true_value_where_it_was_alone_or_they_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    let at = |time: i64, id: &str, value: f64| LoggedRow {
        time,
        request_id: id.to_owned(),
        inputs: vec![value],
        ..row(0)
    };
    let known = |time: i64, id: &str, truth: f64| LoggedTruth {
        time,
        request_id: id.to_owned(),
        position: 0,
        truth,
    };
    let rows = [
        at(100, "alone", 1.0),
        at(100, "reused", 1.0),
        at(150, "reused", 2.0),
        at(100, "again", 3.0),
        at(110, "again", 3.0),
    ];
    let truths = [known(200, "alone", 4.0), known(200, "reused", 5.0), known(200, "again", 6.0)];
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        store.append(&[], &rows, &truths).await.unwrap();
        // What comes later under an id takes nothing away.
        store.append(&[], &[at(300, "alone", 9.0)], &[]).await.unwrap();
        let rows = store.rows(&LogQuery::default()).await.unwrap();
        let truths: Vec<Option<f64>> = rows.iter().map(|own| own.truth).collect();
        assert_eq!(truths, [Some(4.0), None, None, Some(6.0), None, None]);
    });
}

#[test]
fn true_values_that_change_places_are_news() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    let at = |time: i64, request: usize, value: f64| LoggedTruth { time, ..truth(request, value) };
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        let first = [at(10, 1, 3.0), at(20, 2, 5.0)];
        store.append(&[], &[row(1), row(2)], &first).await.unwrap();
        let before = store.truths().await.unwrap();
        store.append(&[], &[], &[at(25, 2, 5.0)]).await.unwrap();
        assert_eq!(store.truths().await.unwrap(), before, "told again");
        store.append(&[], &[], &[at(30, 1, 5.0), at(30, 2, 3.0)]).await.unwrap();
        let after = store.truths().await.unwrap();
        assert_eq!((after.count, after.sum, after.last), (2, before.sum, 30));
        let since = |time| LogQuery {
            labelled: true,
            known_since: Some(time),
            without_inputs: true,
            ..LogQuery::default()
        };
        let rows = store.rows(&since(30)).await.unwrap();
        let found: Vec<_> =
            rows.iter().map(|own| (own.truth, own.truth_time, own.corrected)).collect();
        let expected = [(Some(5.0), Some(10), Some(30)), (Some(3.0), Some(20), Some(30))];
        assert_eq!(found, expected);
        assert!(rows.iter().all(|own| own.inputs.is_empty()));
        assert_eq!(store.rows(&since(31)).await.unwrap(), []);
    });
}

#[test]
fn no_row_inherits_the_true_value_of_one_that_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    let at = |time: i64, value: f64| LoggedRow { time, inputs: vec![value], ..row(1) };
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        let known = LoggedTruth { time: 500, ..truth(1, 7.0) };
        store.append(&[], &[at(100, 1.0), at(900, 2.0)], &[known]).await.unwrap();
        let truths = |rows: Vec<LoggedRow>| rows.iter().map(|own| own.truth).collect::<Vec<_>>();
        let all = LogQuery::default();
        assert_eq!(truths(store.rows(&all).await.unwrap()), [Some(7.0), None]);
        assert_eq!(store.forget_before(400).await.unwrap(), 1);
        assert_eq!(truths(store.rows(&all).await.unwrap()), [None]);
        assert_eq!(store.truths().await.unwrap().count, 0);
    });
}

#[test]
fn a_log_of_an_earlier_version_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
    Runtime::new().unwrap().block_on(async {
        let store = LogStore::open(&url).await.unwrap();
        store.append(&[], &[row(1)], &[truth(1, 2.0)]).await.unwrap();
        store.close().await;
        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        other.execute("ALTER TABLE truths DROP COLUMN corrected").await.unwrap();
        other.execute("DROP TABLE batches").await.unwrap();
        other.close().await.unwrap();
        let store = LogStore::open_existing(&url).await.unwrap();
        store.append(&[], &[row(2)], &[truth(1, 3.0)]).await.unwrap();
        let rows = store.rows(&LogQuery::default()).await.unwrap();
        assert_eq!((rows[0].truth, rows[0].corrected, rows.len()), (Some(3.0), Some(5), 2));
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

/// What a database of several clients does to who shares it.
#[test]
#[ignore = "needs PostgreSQL"]
fn postgresql_that_is_held_or_refuses_a_row_stops_nobody() {
    let server = Postgres::start();
    let url = server.url();
    Runtime::new().unwrap().block_on(async {
        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        other
            .execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
            .await
            .unwrap();
        other.execute("CREATE ROLE reader LOGIN").await.unwrap();
        let narrow = url.replace("/postgres", "/narrow");
        let store = LogStore::open(&narrow).await.unwrap();
        let writer = LogWriter::start(store.clone(), None, &LogConfig::default());
        let named = |request: usize, container: &str| LoggedRow {
            container: Some(container.to_owned()),
            ..row(request)
        };
        writer.add_rows(vec![named(1, "drum 1"), named(2, "№ 7 → 8"), named(3, "drum 3")]);
        assert_eq!(writer.close(Duration::from_secs(20)).await, 0);
        assert_eq!((writer.written(), writer.dropped()), (2, 1));
        assert_eq!(store.rows(&LogQuery::default()).await.unwrap().len(), 2);
        // Somebody holds the lock of writers: readers do not wait, not even those who may do nothing else.
        let mut other = sqlx::AnyConnection::connect(&narrow).await.unwrap();
        other.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader").await.unwrap();
        other.execute("SELECT pg_advisory_lock(7310571093)").await.unwrap();
        let began = Instant::now();
        let reader = LogStore::open_existing(&narrow.replace("massay@", "reader@")).await.unwrap();
        assert_eq!(reader.rows(&LogQuery::default()).await.unwrap().len(), 2);
        assert!(began.elapsed() < Duration::from_secs(5));
        // Nor does a writer wait for ever.
        let refused = store.append(&[], &[row(4)], &[]).await.unwrap_err().to_string();
        assert!(refused.contains("lock timeout"), "{refused}");
    });
}
