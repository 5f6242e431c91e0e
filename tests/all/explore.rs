//! Planted faults are found, and clean tables have none.

use massay::data::{
    ColumnSchema, DataConfig, Dataset, Generator, MissingCells, TableSchema,
    explore::{Finding, FindingKind, Profile, Severity, find, near_duplicates},
    simulate::{SimulationPlan, write_simulations},
};

use crate::support::Workshop;

const NONE: f64 = f64::NAN;

/// A simulated table, `container,mass,det1..det15`.
fn simulated(plan: &SimulationPlan, group: bool) -> Dataset {
    let mut text = Vec::new();
    write_simulations(plan, &mut text).unwrap();
    let workshop = Workshop::new();
    let path = workshop.write("table.csv", text);
    let group = if group { "container".to_owned() } else { String::new() };
    let features = (1..=15).map(|number| format!("det{number}")).collect();
    let config = DataConfig { path, group, features, ..DataConfig::default() };
    Dataset::read(&config, "", MissingCells::Keep).unwrap()
}

/// The shipped design with another seed.
fn drums(seed: u64) -> Dataset {
    simulated(&SimulationPlan { seed, ..SimulationPlan::default() }, true)
}

/// A table without text or groups.
fn table(target: Vec<f64>, features: Vec<Vec<f64>>) -> Dataset {
    Dataset {
        path: "made".to_owned(),
        sha256: String::new(),
        target_name: "y".to_owned(),
        target,
        feature_names: (0..features.len()).map(|index| format!("x{index}")).collect(),
        features,
        weights: None,
        uncertainty: None,
        groups: None,
        order: None,
        text: Vec::new(),
    }
}

fn explored(dataset: &Dataset, schema: Option<&TableSchema>) -> Vec<Finding> {
    let profile = Profile::new(dataset, schema, &|| ());
    find(dataset, &profile, schema, &|| ())
}

/// The finding of this kind about these columns; there must be exactly one.
fn only<'a>(findings: &'a [Finding], kind: FindingKind, columns: &[&str]) -> &'a Finding {
    let found: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.kind == kind && finding.columns == columns)
        .collect();
    assert_eq!(found.len(), 1, "{kind:?} of {columns:?} in {findings:#?}");
    found[0]
}

fn worst(findings: &[Finding]) -> Severity {
    findings.iter().map(|finding| finding.severity).min().unwrap_or(Severity::Note)
}

/// Asserts that nothing but notes was found.
fn assert_clean(name: &str, dataset: &Dataset, most_notes: usize) {
    let findings = explored(dataset, None);
    assert_eq!(worst(&findings), Severity::Note, "{name}: {findings:#?}");
    assert!(findings.len() <= most_notes, "{name}: {findings:#?}");
}

#[test]
fn the_shipped_table_has_no_error_and_only_notes() {
    assert_clean("shipped", &simulated(&SimulationPlan::default(), true), 2);
}

#[test]
fn simulated_tables_have_no_error_and_only_notes() {
    for seed in 101..141 {
        assert_clean(&format!("seed {seed}"), &drums(seed), 2);
    }
    let plan = SimulationPlan { containers: 4000, ..SimulationPlan::default() };
    assert_clean("4000 drums", &simulated(&plan, true), 2);
}

#[test]
fn usual_tables_of_other_kinds_are_left_alone() {
    let mut generator = Generator::new(11, &[]);
    for rows in [12, 30, 100, 1000, 5000] {
        let mut draw = |value: &mut dyn FnMut(&mut Generator, usize) -> f64| -> Vec<f64> {
            (0..rows).map(|row| value(&mut generator, row)).collect()
        };
        let mut columns = |value: &mut dyn FnMut(&mut Generator, usize) -> f64| -> Dataset {
            let features = (0..8).map(|_| draw(value)).collect();
            table(draw(value), features)
        };
        let cases = [
            ("normal", columns(&mut |generator, _| generator.normal())),
            ("uniform", columns(&mut |generator, _| generator.uniform())),
            ("exponential", columns(&mut |generator, _| generator.exponential())),
            ("two decimals", columns(&mut |generator, _| (generator.normal() * 1e2).round() / 1e2)),
            ("lognormal", columns(&mut |generator, _| generator.normal().exp())),
            ("wide lognormal", columns(&mut |generator, _| (2.0 * generator.normal()).exp())),
            ("ages", columns(&mut |generator, _| generator.between(18.0, 80.0).floor())),
            ("ratings", columns(&mut |generator, _| 1.0 + generator.below(5) as f64)),
            ("yes or no", columns(&mut |generator, _| generator.below(2) as f64)),
            ("rare marks", columns(&mut |generator, _| f64::from(generator.below(20) == 0))),
        ];
        for (name, dataset) in cases {
            let findings = explored(&dataset, None);
            let wrong: Vec<&Finding> = findings
                .iter()
                .filter(|finding| finding.severity != Severity::Note)
                // A mark that no row has is constant, in small tables; so may be a target.
                .filter(|finding| name != "rare marks" || rows > 100 || finding.columns.is_empty())
                .collect();
            assert!(wrong.is_empty(), "{name}, {rows} rows: {wrong:#?}");
        }
    }
}

#[test]
fn one_hot_columns_and_time_series_have_no_error() {
    let mut generator = Generator::new(12, &[]);
    let kinds: Vec<usize> = (0..300).map(|_| generator.below(4)).collect();
    let hot = (0..4).map(|kind| kinds.iter().map(|k| f64::from(*k == kind)).collect());
    let mut features: Vec<Vec<f64>> = hot.collect();
    features.push((0..300).map(|_| generator.normal()).collect());
    let target: Vec<f64> = (0..300).map(|_| generator.normal()).collect();
    assert_clean("one-hot", &table(target.clone(), features), 1);

    let (mut place, mut walk) = (20.0, Vec::new());
    for _ in 0..300 {
        place += 0.3 * generator.normal();
        walk.push((place * 10.0).round() / 10.0);
    }
    let seconds: Vec<f64> = (0..300).map(|row| 1.7e9 + 10.0 * f64::from(row)).collect();
    let noise: Vec<f64> = (0..300).map(|_| generator.normal()).collect();
    let findings = explored(&table(target, vec![seconds, walk, noise]), None);
    assert!(worst(&findings) > Severity::Error, "{findings:#?}");
    only(&findings, FindingKind::IdColumn, &["x0"]);
}

#[test]
fn a_detector_that_reads_zero_or_is_stuck_is_found() {
    let mut dataset = drums(1);
    for row in [4, 9, 50, 51] {
        dataset.features[2][row] = 0.0;
    }
    for row in (0..104).filter(|row| row % 2 == 0 || row % 3 == 0) {
        dataset.features[7][row] = 31.25;
    }
    dataset.features[10] = vec![0.0; 104];
    for row in 60..68 {
        dataset.features[12][row] = dataset.features[12][60];
    }
    let findings = explored(&dataset, None);
    let zero = only(&findings, FindingKind::DeadDetector, &["det3"]);
    assert_eq!((zero.severity, &zero.rows[..]), (Severity::Warning, &[5, 10, 51, 52][..]));
    let stuck = only(&findings, FindingKind::DeadDetector, &["det8"]);
    assert_eq!((stuck.severity, stuck.count), (Severity::Error, 69));
    assert_eq!(stuck.rows[..4], [1, 3, 4, 5]);
    let dead = only(&findings, FindingKind::DeadDetector, &["det11"]);
    assert_eq!((dead.severity, dead.count), (Severity::Error, 104));
    let frozen = only(&findings, FindingKind::DeadDetector, &["det13"]);
    assert_eq!((frozen.count, frozen.rows[0]), (8, 61));
}

#[test]
fn values_in_another_unit_are_found_by_column_and_row() {
    for (seed, factor) in [(1, 1e3), (2, 1e-3), (3, 1e3), (4, 1e6), (5, 1e-3), (6, 1e3)] {
        for (column, slipped) in [(4, vec![6]), (11, vec![0, 13, 77]), (14, (0..20).collect())] {
            let mut dataset = drums(seed);
            for row in &slipped {
                dataset.features[column][*row] *= factor;
            }
            let findings = explored(&dataset, None);
            let name = format!("det{}", column + 1);
            let slip = only(&findings, FindingKind::UnitSlip, &[&name]);
            assert_eq!(slip.severity, Severity::Error);
            if slipped.len() < 10 {
                let expected: Vec<usize> = slipped.iter().map(|row| row + 1).collect();
                assert_eq!(slip.rows, expected, "{}", slip.what);
            }
            // Of very many, one that lies as far from what is expected the other way may be missed.
            assert!(slip.count <= slipped.len() && 10 * slip.count >= 9 * slipped.len());
            assert!(slip.rows.iter().all(|row| slipped.contains(&(row - 1))));
            let slips = findings.iter().filter(|finding| finding.kind == FindingKind::UnitSlip);
            assert_eq!(slips.count(), 1, "{findings:#?}");
        }
    }
}

#[test]
fn a_target_in_kilograms_is_found() {
    let mut dataset = drums(8);
    for row in [3, 40, 41] {
        dataset.target[row] /= 1e3;
    }
    let slip = explored(&dataset, None);
    assert_eq!(only(&slip, FindingKind::UnitSlip, &["mass"]).rows, [4, 41, 42]);
}

#[test]
fn containers_that_are_measured_again_are_found_without_a_group_column() {
    let plan = SimulationPlan {
        containers: 60,
        remeasured: 20,
        positions: 1,
        repeats: 2,
        seed: 3,
        density: None,
    };
    let grouped = simulated(&plan, true);
    assert!(near_duplicates(&grouped).is_empty());
    let dataset = simulated(&plan, false);
    let ids = grouped.groups.unwrap().ids;
    let pairs = near_duplicates(&dataset);
    assert!(pairs.len() >= 10, "{pairs:?}");
    assert!(pairs.iter().all(|(a, b)| ids[*a as usize] == ids[*b as usize]), "{pairs:?}");
    let findings = explored(&dataset, None);
    let near = only(&findings, FindingKind::NearDuplicates, &[]);
    assert_eq!((near.severity, near.count), (Severity::Warning, 2 * pairs.len()));
    assert!(near.what.contains("`mass` is the same"), "{}", near.what);
    let shared = only(&findings, FindingKind::UnnamedGroup, &["mass"]);
    assert_eq!(shared.count, 40);
}

#[test]
fn a_column_that_names_containers_is_offered_as_the_group() {
    let plan = SimulationPlan::default();
    let mut dataset = simulated(&plan, true);
    let groups = dataset.groups.take().unwrap();
    dataset.feature_names.push("drum".to_owned());
    dataset.features.push(groups.ids.iter().map(|id| f64::from(*id) + 500.0).collect());
    let findings = explored(&dataset, None);
    let numbers = only(&findings, FindingKind::UnnamedGroup, &["drum"]);
    assert!(numbers.what.contains("--group drum"), "{}", numbers.what);
    dataset.features.pop();
    dataset.feature_names.pop();
    dataset.text.push(groups);
    only(&explored(&dataset, None), FindingKind::UnnamedGroup, &["container"]);
}

#[test]
fn a_row_number_among_the_features_is_found() {
    let mut dataset = drums(2);
    let mut shuffled: Vec<f64> = (0..104).map(|row| f64::from(row) + 1.0).collect();
    Generator::new(1, &[]).shuffle(&mut shuffled);
    dataset.feature_names.extend(["id".to_owned(), "second".to_owned()]);
    dataset.features.push(shuffled);
    dataset.features.push((0..104).map(|row| 1.7e9 + f64::from(row * row)).collect());
    let findings = explored(&dataset, None);
    let id = only(&findings, FindingKind::IdColumn, &["id"]);
    assert_eq!((id.severity, id.count), (Severity::Warning, 104));
    only(&findings, FindingKind::IdColumn, &["second"]);
}

#[test]
fn a_saturated_detector_is_found_with_and_without_a_stated_limit() {
    let mut dataset = drums(3);
    let limit = 300.0;
    let over: Vec<usize> = (0..104).filter(|row| dataset.features[5][*row] > limit).collect();
    assert!(over.len() >= 3);
    for row in &over {
        dataset.features[5][*row] = limit;
    }
    let rows: Vec<usize> = over.iter().take(10).map(|row| row + 1).collect();
    let findings = explored(&dataset, None);
    let found = only(&findings, FindingKind::SaturatedDetector, &["det6"]);
    assert_eq!((&found.rows, found.severity), (&rows, Severity::Warning));
    for row in &over[1..] {
        dataset.features[5][*row] = 299.0 - *row as f64;
    }
    let stated =
        ColumnSchema { name: "det6".into(), maximum: Some(limit), ..ColumnSchema::default() };
    let schema = TableSchema { columns: vec![stated], array: None };
    let findings = explored(&dataset, Some(&schema));
    assert_eq!(only(&findings, FindingKind::SaturatedDetector, &["det6"]).rows, [over[0] + 1]);
}

#[test]
fn repeated_and_constant_columns_are_found() {
    let mut dataset = drums(4);
    dataset.features[8] = dataset.features[1].clone();
    dataset.features[13] =
        dataset.features[3].iter().map(|value| (value * 3.6e4).round() / 1e4 + 12.0).collect();
    dataset.features[6] = vec![20.0; 104];
    let findings = explored(&dataset, None);
    let copy = only(&findings, FindingKind::DuplicatedColumn, &["det2", "det9"]);
    assert!(copy.what.contains("same values"), "{}", copy.what);
    let line = only(&findings, FindingKind::DuplicatedColumn, &["det4", "det14"]);
    assert!(line.what.contains("times 3.6 plus"), "{}", line.what);
    let constant = only(&findings, FindingKind::ConstantColumn, &["det7"]);
    assert_eq!((constant.severity, worst(&findings)), (Severity::Warning, Severity::Warning));
    dataset.features[0] = dataset.target.clone();
    let leak = explored(&dataset, None);
    assert_eq!(
        only(&leak, FindingKind::DuplicatedColumn, &["mass", "det1"]).severity,
        Severity::Error
    );
}

#[test]
fn equal_and_conflicting_rows_are_found() {
    let mut dataset = drums(5);
    for column in &mut dataset.features {
        (column[20], column[70]) = (column[3], column[33]);
    }
    dataset.target[20] = dataset.target[3];
    dataset.groups = None;
    let findings = explored(&dataset, None);
    let equal = only(&findings, FindingKind::ExactDuplicates, &[]);
    assert_eq!((&equal.rows[..], equal.severity), (&[21][..], Severity::Warning));
    let conflict = only(&findings, FindingKind::ConflictingRows, &[]);
    assert_eq!((&conflict.rows[..], conflict.count), (&[34, 71][..], 2));
}

#[test]
fn missing_values_are_counted_by_column() {
    let mut dataset = drums(6);
    dataset.features[0][7] = NONE;
    dataset.features[0][99] = NONE;
    let findings = explored(&dataset, None);
    let missing = only(&findings, FindingKind::MissingValues, &["det1"]);
    assert_eq!((&missing.rows[..], missing.severity), (&[8, 100][..], Severity::Warning));
    dataset.target[0] = NONE;
    let findings = explored(&dataset, None);
    assert_eq!(only(&findings, FindingKind::MissingValues, &["mass"]).severity, Severity::Error);
    dataset.target = vec![3.0; 104];
    let findings = explored(&dataset, None);
    assert_eq!(only(&findings, FindingKind::ConstantTarget, &["mass"]).severity, Severity::Error);
}

#[test]
fn values_outside_of_their_stated_range_are_found() {
    let dataset = drums(7);
    let largest =
        (0..104).max_by(|a, b| dataset.target[*a].total_cmp(&dataset.target[*b])).unwrap();
    let stated = ColumnSchema {
        name: "mass".to_owned(),
        unit: "g".to_owned(),
        minimum: Some(0.0),
        maximum: Some(dataset.target[largest] - 0.001),
    };
    let schema = TableSchema { columns: vec![stated], array: None };
    let findings = explored(&dataset, Some(&schema));
    let outside = only(&findings, FindingKind::OutOfRange, &["mass"]);
    assert_eq!(outside.severity, Severity::Error);
    assert!(outside.rows.contains(&(largest + 1)) && outside.what.contains(" g, in "));
}

#[test]
fn a_far_value_is_found_and_named() {
    let mut generator = Generator::new(9, &[]);
    let mut column = |centre: f64| (0..200).map(|_| centre + generator.normal()).collect();
    let mut dataset = table(column(0.0), vec![column(50.0), column(0.0)]);
    dataset.features[0][17] = 75.0;
    let findings = explored(&dataset, None);
    let far = only(&findings, FindingKind::Outliers, &["x0"]);
    assert_eq!((&far.rows[..], far.severity), (&[18][..], Severity::Warning));
    assert_eq!(findings.len(), 1, "{findings:#?}");
}

#[test]
fn tables_of_any_size_and_content_are_explored() {
    let mut generator = Generator::new(10, &[]);
    for trial in 0..300 {
        let (rows, features) = (1 + generator.below(40), 1 + generator.below(5));
        let mut column = || -> Vec<f64> {
            let kind = generator.below(6);
            let value = |generator: &mut Generator| match (kind, generator.below(4)) {
                (0, _) | (2, 0) => NONE,
                (1, _) => 0.0,
                (3, _) => generator.normal() * 1e300,
                (4, 0) => f64::MAX,
                (4, 1) => -f64::MAX,
                (5, _) => generator.normal() * 1e-310,
                _ => generator.below(3) as f64,
            };
            (0..rows).map(|_| value(&mut generator)).collect()
        };
        let dataset = table(column(), (0..features).map(|_| column()).collect());
        let findings = explored(&dataset, None);
        assert!(findings.is_sorted_by_key(|finding| finding.severity), "trial {trial}");
        assert!(findings.iter().all(|finding| finding.count > 0 && finding.rows.len() <= 10));
    }
}
