//! The model and the rows with which a report's page predicts by itself.

use crate::{
    data::{TableSchema, explore::quantile},
    export::page_model,
    model::{Backend, Reference},
    report::{WhatIf, WhatIfColumn, WhatIfRow, significant},
    train::Checkpoint,
};

/// Places among the rows, in the order of their targets, that one can start from; the first is shown first.
const STARTS: [(f64, &str); 5] = [
    (0.5, "in the middle"),
    (0.05, "near the lowest"),
    (0.25, "a quarter up"),
    (0.75, "three quarters up"),
    (0.95, "near the highest"),
];

/// Columns whose values span this ratio are set by ratios.
const WIDE: f64 = 20.0;

/// What the page needs; `None` where the model is too large for one, or a column has no value in some row.
pub(super) fn what_if(
    checkpoint: &Checkpoint,
    schema: &TableSchema,
    backend: &Backend,
) -> Option<WhatIf> {
    let (manifest, reference) = (&checkpoint.manifest, &checkpoint.reference);
    // Networks alone tell the size without packing them.
    let weights: usize = checkpoint.members.iter().map(|own| own.0.len()).sum();
    if weights > WhatIf::LONGEST_MODEL || reference.inputs.iter().any(|value| value.is_nan()) {
        return None;
    }
    let model = page_model(checkpoint, backend)?;
    if model.text.len() > WhatIf::LONGEST_MODEL {
        tracing::info!("the model takes {} bytes and stays out of the page", model.text.len());
        return None;
    }
    let names = manifest.preprocessors.get(0).inputs();
    let column = |(index, name): (usize, &String)| column(reference, index, name, schema);
    Some(WhatIf {
        model: model.text,
        tolerance: model.error,
        target: manifest.schema.target.clone(),
        unit: manifest.schema.unit.clone(),
        level: manifest.calibration.level,
        columns: names.iter().enumerate().map(column).collect(),
        rows: starts(reference, &manifest.schema.target, &manifest.schema.unit),
    })
}

fn column(reference: &Reference, index: usize, name: &str, schema: &TableSchema) -> WhatIfColumn {
    let low = reference.column(index).fold(f64::INFINITY, f64::min);
    let high = reference.column(index).fold(f64::NEG_INFINITY, f64::max);
    WhatIfColumn {
        name: name.to_owned(),
        unit: schema.column(name).map(|own| own.unit.clone()).unwrap_or_default(),
        low,
        high,
        logarithmic: low > 0.0 && high / low > WIDE,
    }
}

/// Rows at some quantiles of the target.
fn starts(reference: &Reference, target: &str, unit: &str) -> Vec<WhatIfRow> {
    let mut sorted = reference.targets.clone();
    sorted.sort_by(f64::total_cmp);
    let unit = crate::report::unit_suffix(unit);
    let start = |(share, place): (f64, &str)| {
        let wanted = quantile(&sorted, share)?;
        let off = |(_, own): &(usize, &f64)| (**own - wanted).abs();
        let nearest = reference.targets.iter().enumerate().min_by(|a, b| off(a).total_cmp(&off(b)));
        let (row, found) = nearest?;
        Some(WhatIfRow {
            label: format!("true {target} {}{unit}, {place}", significant(*found, 3)),
            values: reference.rows().nth(row)?.to_vec(),
        })
    };
    STARTS.into_iter().filter_map(start).collect()
}
