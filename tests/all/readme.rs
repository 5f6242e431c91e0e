//! What the README shows is what the program prints.

use std::fs;

use crate::support::Workshop;

/// The lines of the README from the first that begins with `first` to the next empty one or the end of its block.
fn shown(first: &str) -> Vec<String> {
    let text = fs::read_to_string("README.md").unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with(first));
    lines.take_while(|line| !line.is_empty() && *line != "```").map(str::to_owned).collect()
}

/// Equal words, and numbers that differ by no more than rounding on another processor makes of a training.
fn assert_alike(shown: &[String], printed: &[&str]) {
    assert_eq!(shown.len(), printed.len(), "{shown:?} {printed:?}");
    for (shown, printed) in shown.iter().zip(printed) {
        let split = |line: &str| -> Vec<String> {
            line.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let (own, other) = (split(shown), split(printed));
        assert_eq!(own.len(), other.len(), "{shown} {printed}");
        for (own, other) in own.iter().zip(&other) {
            match (own.parse::<f64>(), other.parse::<f64>()) {
                (Ok(own), Ok(other)) => {
                    assert!((own - other).abs() <= 0.1 * own.abs().max(0.2), "{shown} {printed}");
                }
                _ => assert_eq!(own, other, "{shown} {printed}"),
            }
        }
    }
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let shop = Workshop::new();
    shop.copy("data/schema.toml");
    let printed = shop.succeed("train --name first");
    let table = shown("mass in g");
    let printed: Vec<&str> = printed.lines().skip_while(|line| line.is_empty()).collect();
    assert!(table.len() > 8, "{table:?}");
    assert_alike(&table, &printed[..table.len()]);
    shop.succeed("simulate --containers 200 --seed 8 --out fresh.csv");
    let printed = shop.succeed("predict --checkpoint checkpoints/first fresh.csv");
    let rows = shown("container,prediction");
    let is_shown = |line: &&str| rows.iter().any(|row| row[..5] == line[..5]);
    assert!(rows.len() > 2, "{rows:?}");
    assert_alike(&rows, &printed.lines().filter(is_shown).collect::<Vec<_>>());
}
