//! `massay explore` as a user runs it.

use massay::data::TableSchema;

use crate::support::Workshop;

#[test]
fn the_command_prints_a_summary_and_writes_a_report() {
    let workshop = Workshop::new();
    let text = workshop.succeed("explore");
    assert!(text.starts_with("data/simulations.csv: 104 rows, 15 features, 84 groups"), "{text}");
    for expected in
        ["mass in g ", "Spearman\n", "note: ", "    training: ", "report reports/explore"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let table = text.split("\n\n").nth(1).unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 150), "{table}");
    // A second time it is replaced; a folder of other things is not.
    let json: serde_json::Value =
        serde_json::from_str(&workshop.succeed("explore --json")).unwrap();
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&workshop.read(&format!("reports/explore/{name}.json"))).unwrap()
    };
    assert_eq!((&json["profile"], &json["findings"]), (&read("profile"), &read("findings")));
    assert_eq!(json["profile"]["columns"].as_array().unwrap().len(), 16);
    assert!(workshop.fail("explore --out data").contains("is no report"));
    let output = workshop.run("explore --quiet");
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn strict_fails_where_there_is_an_error_after_writing_everything() {
    let workshop = Workshop::new();
    workshop.succeed("explore --strict --quiet");
    let text = workshop.read("data/simulations.csv").replacen(",89.426,", ",,", 1);
    workshop.write("faulty.csv", text);
    let output = workshop.run("explore --data faulty.csv --out faulty --strict");
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("error: the target `mass` has no value in 1 row"), "{printed}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 error among the findings"));
    assert!(workshop.exists("faulty/findings.json"));
    workshop.succeed("explore --data faulty.csv --out faulty");
}

#[test]
fn a_constant_target_can_be_explored() {
    let workshop = Workshop::new();
    workshop.write("flat.csv", "mass,a\n1,2\n1,3\n1,5\n");
    let text = workshop.succeed("explore --data flat.csv");
    assert!(text.contains("error: the target `mass` is 1 in every row"), "{text}");
}

#[test]
fn a_written_schema_is_read_back_and_the_same_table_passes() {
    let workshop = Workshop::new();
    let text = workshop.succeed("explore --write-schema");
    assert!(text.contains("schema data/schema.toml"), "{text}");
    let schema = TableSchema::read(&workshop.path("data/schema.toml")).unwrap();
    assert_eq!(schema.columns.len(), 16);
    assert_eq!((schema.columns[0].unit.as_str(), schema.columns[0].minimum), ("g", Some(0.0)));
    workshop.succeed("explore --strict");
    assert!(workshop.fail("explore --write-schema").contains("exists already"));
    workshop.succeed("explore --write-schema --force");
    let text = workshop.read("data/schema.toml").replacen("maximum = ", "maximum = 1 #", 1);
    workshop.write("data/schema.toml", text);
    let error = workshop.run("explore --strict");
    let printed = String::from_utf8_lossy(&error.stdout).into_owned();
    assert_eq!(error.status.code(), Some(1));
    assert!(printed.contains("outside of its stated range, 0 to 1 g"), "{printed}");
    workshop.write("data/schema.toml", "[[column]]\nnam = 1\n");
    assert!(workshop.fail("explore").contains("schema.toml:2: unknown field `nam`"));
}

#[test]
fn what_training_would_refuse_is_an_error() {
    let workshop = Workshop::new();
    let row = |row: i32| format!("{},{},{},{}\n", row * row % 17, row % 7, "xyz", row - 3);
    let rows: String = (0..40).map(row).collect();
    workshop.write("table.csv", format!("a,b,name,y\n{rows}"));
    let line = "explore --data table.csv --target y --strict";
    let found = workshop.succeed(line);
    assert!(found.contains("`name` holds texts in most rows, or the same one in all"), "{found}");
    let log = format!("{line} --set target.transform=log");
    assert!(workshop.fail_after(&log).contains("there is 1 error among the findings"));
    let found = workshop.succeed(&log.replace(" --strict", ""));
    let expected = "error: data row 1 has y = -3, expected a positive number";
    assert!(found.contains(expected), "{found}");
    workshop.write("table.csv", format!("a,b,name,y\n{rows},1,abc,5\n"));
    assert!(workshop.fail_after(line).contains("there is 1 error among the findings"));
    workshop.succeed(&format!("{line} --set clean.missing=median"));
}
