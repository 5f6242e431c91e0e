//! Tables as people write them, good and bad.

use massay::data::{
    CrossValidationConfig, DataConfig, DataError, Dataset, FoldPlan, Generator, MissingCells,
};

use crate::support::{SHORT, Workshop};

const GOOD: &str = "id,mass,a,b,note\nr1,1.5,1,2,x\nr2,2.5,2,1,y\nr3,3.5,3,5,z\nr4,1.0,0.5,4,w\n";

pub(super) fn read(text: impl AsRef<[u8]>) -> Result<Dataset, DataError> {
    read_with(text, &DataConfig::default())
}

fn read_with(text: impl AsRef<[u8]>, config: &DataConfig) -> Result<Dataset, DataError> {
    let workshop = Workshop::new();
    let path = workshop.write("table.csv", text);
    Dataset::read(&DataConfig { path, ..config.clone() }, "", MissingCells::Refuse)
}

pub(super) fn error_of(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn numeric_columns_are_features_and_text_columns_are_named() {
    let data = read(GOOD).unwrap();
    assert_eq!(data.feature_names, ["a", "b"]);
    assert_eq!(data.skipped(), ["id", "note"]);
    assert_eq!(data.target, [1.5, 2.5, 3.5, 1.0]);
    assert_eq!(data.features, [[1.0, 2.0, 3.0, 0.5], [2.0, 1.0, 5.0, 4.0]]);
    assert!(data.groups.is_none());
}

#[test]
fn a_column_has_one_part_and_hints_name_free_columns() {
    let error = |config: DataConfig| read_with(GOOD, &config).unwrap_err().to_string();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let twice = error(DataConfig { features: names(&["a", "a"]), ..DataConfig::default() });
    assert!(twice.contains("column `a` is a feature twice"), "{twice}");
    let group = error(DataConfig { group: "mass".to_owned(), ..DataConfig::default() });
    assert!(group.contains("column `mass` is the target and also the group"), "{group}");
    let config = DataConfig { features: names(&["a", "aa"]), ..DataConfig::default() };
    assert!(!error(config).contains("did you mean `a`?"));
}

#[test]
fn mostly_text_is_text_and_decimal_commas_are_told() {
    let mostly = GOOD.replace("1,2,x", "1,Legend,x").replace("3,5,z", "3,Accord,z");
    let mostly = mostly.replace("0.5,4,w", "0.5,Corolla,w");
    let data = read(&mostly).unwrap();
    assert_eq!((data.feature_names, data.text.len()), (vec!["a".to_owned()], 3));
    let one = GOOD.replace("3,5,z", "3,Accord,z");
    assert!(error_of(&one).contains("leave the column out with `--exclude 'b'`"));
    let config = DataConfig { exclude: vec!["b".to_owned()], ..DataConfig::default() };
    assert_eq!(read_with(&one, &config).unwrap().feature_names, ["a"]);
    let config = DataConfig { exclude: vec!["bb".to_owned()], ..DataConfig::default() };
    let error = read_with(&one, &config).unwrap_err().to_string();
    assert!(error.contains("no column `bb`") && error.contains("`data.exclude`"), "{error}");
    let commas = "mass;a;b\n1.5;0,5;1\n2.5;1,25;2\n3.5;7,0;3\n";
    let error = error_of(commas);
    assert!(
        error.contains("`a` holds `0,5`") && error.contains("use a point, e.g. `0.5`"),
        "{error}"
    );
}

#[test]
fn other_delimiters_a_byte_order_mark_and_windows_lines_are_understood() {
    let expected = read(GOOD).unwrap();
    for text in [
        GOOD.replace(',', ";"),
        GOOD.replace(',', "\t"),
        format!("\u{feff}{GOOD}"),
        GOOD.replace('\n', "\r\n"),
        GOOD.replace('\n', "\n\n"),
        GOOD.replace("1.5", " 1.5 ").replace("note", "\"note\""),
    ] {
        let data = read(&text).unwrap();
        assert_eq!(
            (data.features, data.target),
            (expected.features.clone(), expected.target.clone())
        );
    }
}

#[test]
fn a_bad_cell_is_reported_with_file_line_column_and_hint() {
    let cases = [
        ("2.5,2", "2.5,\"2,5\"", "table.csv:3: column `a` holds `2,5`", "e.g. `2.5`"),
        ("3.5,3", "3.5,three", "table.csv:4: column `a` holds `three`", "finite number"),
        ("3.5,3", "3.5,", "table.csv:4: column `a` is empty", "clean.missing=median"),
        ("3.5,3", "3.5,inf", "table.csv:4: column `a` holds `inf`", "finite number"),
        ("r1,1.5", "r1,NaN", "table.csv:2: column `mass` holds `NaN`", "nothing to learn"),
        ("r1,1.5", "r1,", "table.csv:2: column `mass` is empty", "remove the row"),
    ];
    for (from, to, place, hint) in cases {
        let error = error_of(GOOD.replacen(from, to, 1));
        assert!(error.contains(place) && error.contains(hint), "{error}");
        assert!(error.contains("expected a number"), "{error}");
    }
}

#[test]
fn a_broken_shape_is_reported() {
    let cases = [
        (String::new(), "the file is empty"),
        ("1,2,3\n4,5,6\n".to_owned(), "the first line holds only numbers"),
        ("id,mass,a,b,note\n".to_owned(), "there are no rows under the header"),
        (GOOD.replace("note", "a"), "column `a` appears twice"),
        (GOOD.replace("note", ""), "column 5 has no name"),
        (GOOD.replace("5,z", "5,z,7"), "table.csv:4: the row has 6 cells, expected 5"),
        (GOOD.replace("5,z", "5"), "table.csv:4: the row has 4 cells, expected 5"),
        (GOOD.replace("mass", "masse"), "there is no column `mass`"),
        ("mass,note\n1,x\n2,y\n".to_owned(), "no numeric column besides the target"),
    ];
    for (text, expected) in cases {
        let error = error_of(&text);
        assert!(error.contains(expected) && error.contains("hint: "), "{error}");
    }
    let constant = read("mass,a\n1,2\n1,3\n").unwrap().refuse_constant_target().unwrap_err();
    assert!(constant.to_string().contains("column `mass` is 1 in every row"));
    assert!(error_of(GOOD.replace("5,z", "5,\"z")).contains("a cell goes on in the next line"));
    assert!(error_of(GOOD.replace("mass", "masse")).contains("did you mean `masse`?"));
    assert!(error_of(b"\xff\xfem\0a\0").contains("UTF-8"));
}

/// More rows than are read at once, each with its number in `a`.
fn long_table(rows: usize, end: &str) -> String {
    let row = |row: usize| format!("G{},{},{row},word{}{end}", row / 3, row % 89, row % 5);
    let rows = (0..rows).map(row).collect::<String>();
    format!("container,mass,a,note{end}{rows}")
}

#[test]
fn blocks_that_are_read_side_by_side_are_put_together_in_order() {
    for end in ["\n", "\r\n", "\n\n"] {
        let data = read(long_table(60_000, end)).unwrap();
        assert!(data.features[0].iter().enumerate().all(|(row, own)| *own == row as f64));
        assert!(data.target.iter().enumerate().all(|(row, own)| *own == (row % 89) as f64));
        let groups = data.groups.unwrap();
        assert_eq!(groups.names.len(), 20_000);
        assert!(groups.ids.iter().enumerate().all(|(row, id)| *id == row as u32 / 3));
        let note = &data.text[0];
        assert_eq!(note.names.len(), 5);
        let names = note.ids.iter().map(|id| note.names.get(*id as usize));
        assert!(names.enumerate().all(|(row, name)| name == format!("word{}", row % 5)));
    }
}

#[test]
fn the_first_bad_cell_of_a_long_table_is_named_by_its_line() {
    for (end, line) in [("\n", 50_002), ("\r\n", 50_002), ("\n\n", 100_003)] {
        let text = long_table(60_000, end);
        let bad = text.replace(",50000,", ",x,").replace(",59000,", ",y,");
        let error = error_of(&bad);
        assert!(error.contains(&format!("table.csv:{line}: column `a` holds `x`")), "{error}");
        let ragged = text.replace(",50000,", ",").replace(",59000,", ",\"1,");
        let error = error_of(&ragged);
        assert!(error.contains(&format!("table.csv:{line}: the row has 3 cells")), "{error}");
    }
}

#[test]
fn a_column_may_turn_out_to_be_numeric_in_its_last_rows() {
    let row = |row: usize| format!("{row},NA,1\n");
    let rows: String = (0..30_000).map(row).collect();
    let text = format!("mass,late,a\n{rows}5,7,2\n");
    let error = error_of(&text);
    assert!(error.contains("table.csv:2: column `late` holds `NA`"), "{error}");
    let workshop = Workshop::new();
    let path = workshop.write("table.csv", &text);
    let config = DataConfig { path, ..Default::default() };
    let data = Dataset::read(&config, "", MissingCells::Keep).unwrap();
    assert_eq!(data.feature_names, ["late", "a"]);
    assert!(data.features[0][..30_000].iter().all(|own| own.is_nan()));
    assert_eq!(data.features[0][30_000], 7.0);
}

#[test]
fn a_named_feature_must_exist_be_numeric_and_not_be_the_target() {
    let named =
        |name: &str| DataConfig { features: vec![name.to_owned()], ..DataConfig::default() };
    assert_eq!(read_with(GOOD, &named("b")).unwrap().feature_names, ["b"]);
    assert!(read_with(GOOD, &named("c")).unwrap_err().to_string().contains("no column `c`"));
    assert!(read_with(GOOD, &named("note")).unwrap_err().to_string().contains("holds `x`"));
    assert!(read_with(GOOD, &named("mass")).unwrap_err().to_string().contains("also the target"));
}

#[test]
fn the_group_column_is_never_a_feature() {
    let text = "container,mass,a\n7,1,1\n7,2,2\n8,3,3\n9,4,4\n";
    let data = read(text).unwrap();
    assert_eq!(data.feature_names, ["a"]);
    let groups = data.groups.unwrap();
    assert_eq!((groups.ids, groups.names.len()), (vec![0, 0, 1, 2], 3));
}

#[test]
fn group_names_are_trimmed_and_must_not_be_empty() {
    let data = read("container,mass,a\n7,1,1\n7 ,2,2\n8,3,3\n").unwrap();
    assert_eq!(data.groups.unwrap().ids, [0, 0, 1]);
    let error = error_of("container,mass,a\n7,1,1\n ,2,2\n8,3,3\n");
    assert!(error.contains("table.csv:3: the group column `container` holds no text"), "{error}");
}

#[test]
fn an_order_column_is_all_numbers_or_all_dates() {
    let workshop = Workshop::new();
    let read = |cell: &str| {
        let path = workshop.write("t.csv", format!("mass,a,day\n1,1,1\n2,2,{cell}\n3,3,10\n"));
        Dataset::read(&DataConfig { path, ..Default::default() }, "day", MissingCells::Refuse)
    };
    assert_eq!(read("2").unwrap().order.unwrap(), [0, 1, 2]);
    for cell in ["", "12/31/2022", "soon"] {
        assert!(read(cell).unwrap_err().to_string().contains("only numbers, or only dates"));
    }
}

#[test]
fn fewer_groups_than_folds_are_refused() {
    let data = read("container,mass,a\n7,1,1\n7,2,2\n8,3,3\n9,4,4\n").unwrap();
    let error = FoldPlan::new(&CrossValidationConfig::default(), &data, 1).unwrap_err().to_string();
    assert!(error.contains("3 distinct values of the group column `container`"), "{error}");
    assert!(error.contains("lower `cv.folds`"), "{error}");
    let data = read("container,mass,a\n7,1,1\n7,2,2\n7,3,3\n").unwrap();
    let error = FoldPlan::new(&CrossValidationConfig::default(), &data, 1).unwrap_err().to_string();
    assert!(error.contains("one value") && error.contains("another group column"), "{error}");
}

#[test]
fn given_folds_are_used_and_must_fit_the_data() {
    let workshop = Workshop::new();
    let data = read(GOOD).unwrap();
    let plan = |text: &str| {
        let fold_file = workshop.write("folds.csv", text);
        FoldPlan::new(&CrossValidationConfig { fold_file, ..Default::default() }, &data, 1)
    };
    let splits = plan("fold\n3\n1\n3\n1\n").unwrap().splits;
    assert_eq!((&splits[0].held_out, &splits[0].train), (&vec![1, 3], &vec![0, 2]));
    assert_eq!(splits.len(), 2);
    for (text, expected) in [
        ("fold\n1\n2\n", "2 rows, expected 4"),
        ("fold\n1\n2\n1\nx\n", "folds.csv:5: column `fold` holds `x`"),
        ("fold\n1\n2\n1\n0.5\n", "expected a whole number"),
        ("fold\n1\n1\n1\n1\n", "only one fold"),
        ("part\n1\n2\n1\n2\n", "there is no column `fold`"),
    ] {
        let error = plan(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn folds_in_time_train_on_the_past_and_judge_the_future() {
    let mut text = "mass,a,day\n".to_owned();
    for row in 0..40 {
        text += &format!("{row},{},2026-01-{:02}\n", row * row, 1 + (row * 5) % 28);
    }
    let workshop = Workshop::new();
    let path = workshop.write("table.csv", &text);
    let data =
        Dataset::read(&DataConfig { path, ..Default::default() }, "day", MissingCells::Refuse)
            .unwrap();
    let config =
        CrossValidationConfig { folds: 4, order_column: "day".to_owned(), ..Default::default() };
    let plan = FoldPlan::new(&config, &data, 1).unwrap();
    let order = data.order.as_ref().unwrap();
    assert_eq!((plan.splits.len(), data.feature_names.len()), (4, 1));
    for split in &plan.splits {
        let last = split.train.iter().map(|row| order[*row as usize]).max().unwrap();
        let first = split.held_out.iter().map(|row| order[*row as usize]).min().unwrap();
        assert!(last < first);
    }
}

/// The shipped table with a few bytes replaced, inserted, removed, or lines cut and doubled.
fn mutate(bytes: &[u8], generator: &mut Generator) -> Vec<u8> {
    let pieces: [&[u8]; 20] = [
        b",",
        b";",
        b"\n",
        b"\"",
        b"\r",
        b"\t",
        b"-",
        b".",
        b"e",
        b"NaN",
        b"inf",
        b"1e999",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b" ",
        b"0",
        b"9999999999999999999999",
        b"x",
        b"",
    ];
    let mut text = bytes.to_vec();
    for _ in 0..=generator.below(4) {
        let at = generator.below(text.len().max(1)).min(text.len());
        match generator.below(5) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..(at + generator.below(40)).min(text.len()))),
            2 => {
                let copy = text[at..(at + generator.below(60)).min(text.len())].to_vec();
                text.splice(at..at, copy);
            }
            _ => {
                let piece = pieces[generator.below(pieces.len())];
                let end = (at + generator.below(3)).min(text.len());
                text.splice(at..end, piece.iter().copied());
            }
        }
    }
    text
}

#[test]
fn ten_thousand_mutated_tables_never_panic() {
    let shipped = std::fs::read("data/simulations.csv").unwrap();
    let head: Vec<u8> =
        shipped.split_inclusive(|byte| *byte == b'\n').take(8).flatten().copied().collect();
    let workshop = Workshop::new();
    let mut generator = Generator::new(20, &[]);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..10_000 {
        let path = workshop.write("table.csv", mutate(&head, &mut generator));
        let config = DataConfig { path, ..DataConfig::default() };
        match Dataset::read(&config, "", MissingCells::Refuse) {
            Ok(data) => {
                assert!(
                    data.target.iter().chain(data.features.iter().flatten()).all(|v| v.is_finite())
                );
                assert!(data.features.iter().all(|column| column.len() == data.rows()));
                accepted += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(accepted > 200 && refused > 5000, "{accepted} accepted, {refused} refused");
}

#[test]
fn mutated_tables_leave_nothing_half_written() {
    let shipped = std::fs::read("data/simulations.csv").unwrap();
    let workshop = Workshop::new();
    let mut generator = Generator::new(21, &[]);
    let mut refused = 0;
    for trial in 0..40 {
        workshop.write("table.csv", mutate(&shipped, &mut generator));
        let name = format!("t{trial}");
        let line =
            format!("train --data table.csv --name {name} --quiet {SHORT} --set train.epochs=1");
        let output = workshop.run(&line);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("panicked"), "{errors}");
        let [checkpoint, report] =
            ["checkpoints", "reports"].map(|f| workshop.exists(&format!("{f}/{name}")));
        assert_eq!(
            (checkpoint, report),
            (output.status.success(), output.status.success()),
            "{errors}"
        );
        assert!(!workshop.exists(&format!("checkpoints/{name}.unfinished")), "{errors}");
        refused += usize::from(!output.status.success());
    }
    assert!(refused > 5, "{refused} refused");
}
