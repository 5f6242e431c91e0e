//! Tables as Parquet, as other programs write them.

use massay::data::{DataConfig, DataError, Dataset, Generator, MissingCells};

use crate::tables::{error_of, read};

/// A table as pyarrow, pandas and polars write it (`tests/fixtures/parquet`); `brotli` is not known here.
fn fixture(file: &str) -> Result<Dataset, DataError> {
    let path = format!("tests/fixtures/parquet/{file}").into();
    Dataset::read(&DataConfig { path, ..Default::default() }, "moment", MissingCells::Keep)
}

#[test]
fn parquet_files_hold_what_the_csv_file_holds() {
    let expected = fixture("table.csv").unwrap();
    for file in [
        "snappy.parquet",
        "pandas_with_index_gzip.parquet",
        "polars_zstd.parquet",
        "none_v2.parquet",
    ] {
        let data = fixture(file).unwrap();
        let features = ["a", "single", "count", "large", "small", "flag", "price", "gaps"];
        assert_eq!(data.feature_names, features, "{file}");
        assert_eq!((&data.target, &data.order), (&expected.target, &expected.order), "{file}");
        let (groups, known) = (data.groups.unwrap(), expected.groups.as_ref().unwrap());
        assert_eq!((&groups.ids, &groups.names), (&known.ids, &known.names), "{file}");
        for ((name, own), other) in features.iter().zip(&data.features).zip(&expected.features) {
            // `single` has seven digits in the file, and is written with two.
            let tolerance = if *name == "single" { 1e-6 } else { 0.0 };
            let is_like = |(a, b): (&f64, &f64)| {
                (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs()
            };
            assert!(own.iter().zip(other).all(is_like), "{file} {name}: {own:?}");
        }
        assert_eq!(data.text.len(), expected.text.len());
        for (own, other) in data.text.iter().zip(&expected.text) {
            assert_eq!((&own.column, &own.ids), (&other.column, &other.ids), "{file}");
        }
    }
}

#[test]
fn a_parquet_file_that_cannot_be_read_is_refused_with_a_hint() {
    let error = fixture("brotli.parquet").unwrap_err().to_string();
    assert!(error.contains("compressed") && error.contains("`snappy`, `zstd`"), "{error}");
    let error = fixture("nested.parquet").unwrap_err().to_string();
    assert!(error.contains("column `a.list.element` holds lists or records"), "{error}");
    let file = std::fs::read("tests/fixtures/parquet/snappy.parquet").unwrap();
    let error = error_of(&file[..file.len() - 9]);
    assert!(error.contains("it cannot be read") && error.contains("cut off"), "{error}");
    let missing = DataConfig {
        path: "tests/fixtures/parquet/snappy.parquet".into(),
        features: vec!["gaps".to_owned()],
        ..Default::default()
    };
    let error = Dataset::read(&missing, "", MissingCells::Refuse).unwrap_err().to_string();
    assert!(error.contains("snappy.parquet, row 4: column `gaps` is empty"), "{error}");
}

#[test]
fn mutated_parquet_files_never_panic() {
    let mut generator = Generator::new(22, &[]);
    for file in ["snappy.parquet", "polars_zstd.parquet", "none_v2.parquet"] {
        let bytes = std::fs::read(format!("tests/fixtures/parquet/{file}")).unwrap();
        let mut refused = 0;
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            for _ in 0..=generator.below(3) {
                let at = 4 + generator.below(bytes.len() - 4);
                bytes[at] = generator.below(256) as u8;
            }
            refused += usize::from(read(&bytes).is_err());
        }
        assert!(refused > 50, "{file}: {refused}");
    }
}
