//! The tensors that a request of the Open Inference Protocol brings, as rows.

use serde_json::{Map, Value};

use crate::serve::{
    Fault, ServedModel,
    rows::{RawRows, RowReader, kind},
};

/// Types of numbers that a tensor may have.
const NUMBERS: [&str; 12] = [
    "FP64", "FP32", "FP16", "BF16", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32",
    "UINT16", "UINT8",
];

/// The list at `key`.
pub(super) fn list<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], Fault> {
    match object.get(key) {
        Some(Value::Array(list)) => Ok(list),
        Some(other) => {
            Err(Fault::malformed(format!("`{key}` is {}, expected a list", kind(other))))
        }
        None => Err(Fault::malformed(format!("there is no `{key}`"))),
    }
}

/// Rows from one tensor with all columns, or from one for each column.
pub(super) fn rows_of(
    reader: &RowReader<'_>,
    model: &ServedModel,
    inputs: &[Value],
) -> Result<RawRows, Fault> {
    let is_only = inputs.len() == 1;
    let tensors: Vec<InputTensor<'_>> = inputs
        .iter()
        .map(|input| InputTensor::of(input, model, is_only))
        .collect::<Result<_, _>>()?;
    if let [only] = tensors.as_slice()
        && model.place(only.name).is_none()
    {
        return only.rows(reader, model).map(RawRows::from);
    }
    let mut columns = Map::new();
    for tensor in &tensors {
        if tensor.shape.len() > 2 || tensor.shape.get(1).is_some_and(|width| *width != 1) {
            let message = format!(
                "tensor `{}` has the shape {:?}, expected [rows] or [rows, 1]",
                tensor.name, tensor.shape
            );
            return Err(Fault::malformed(message).of_column(tensor.name));
        }
        let own: Vec<Value> = tensor.data.iter().map(|value| (*value).clone()).collect();
        if columns.insert(tensor.name.to_owned(), Value::Array(own)).is_some() {
            let message = format!("tensor `{}` is there more than once", tensor.name);
            return Err(Fault::malformed(message).of_column(tensor.name));
        }
    }
    reader.by_column(&columns)
}

/// A tensor of a request, its data flat.
struct InputTensor<'a> {
    name: &'a str,
    shape: Vec<usize>,
    data: Vec<&'a Value>,
}

impl<'a> InputTensor<'a> {
    fn of(input: &'a Value, model: &ServedModel, is_only: bool) -> Result<Self, Fault> {
        let Value::Object(own) = input else {
            let message = format!("an input is {}, expected an object", kind(input));
            return Err(Fault::malformed(message));
        };
        let text = |key: &str| {
            let found = own.get(key).and_then(Value::as_str);
            found.ok_or_else(|| Fault::malformed(format!("an input has no text `{key}`")))
        };
        let (name, datatype) = (text("name")?, text("datatype")?);
        // Texts may name containers, or stand in columns that the model does not know.
        if !NUMBERS.contains(&datatype)
            && (is_only || datatype != "BYTES" || model.place(name).is_some())
        {
            let message = format!("tensor `{name}` is of type {datatype}, expected numbers");
            return Err(Fault::malformed(message));
        }
        let size = |own: &Value| own.as_u64().and_then(|own| usize::try_from(own).ok());
        let shape: Option<Vec<usize>> = list(own, "shape")?.iter().map(size).collect();
        let shape = shape.ok_or_else(|| {
            Fault::malformed(format!("the shape of tensor `{name}` is not of whole numbers"))
        })?;
        let list = list(own, "data")?;
        let mut data = Vec::new();
        let is_nested = list.iter().any(Value::is_array);
        if is_nested && !flatten(list, &shape, &mut data) {
            let message =
                format!("the lists in the data of tensor `{name}` do not have its shape {shape:?}");
            return Err(Fault::malformed(message).hint("send them row by row, or one flat list"));
        }
        if !is_nested {
            data.extend(list);
        }
        let expected = shape.iter().try_fold(1_usize, |all, own| all.checked_mul(*own));
        if shape.is_empty() || expected != Some(data.len()) {
            let message =
                format!("tensor `{name}` has {} values and the shape {shape:?}", data.len());
            return Err(Fault::malformed(message));
        }
        Ok(Self { name, shape, data })
    }

    /// The rows of a tensor that holds all columns.
    fn rows(&self, reader: &RowReader<'_>, model: &ServedModel) -> Result<Vec<f64>, Fault> {
        let columns = model.columns();
        if self.shape.len() != 2 || self.shape[1] != columns.len() {
            let message = format!(
                "tensor `{}` has the shape {:?}, expected [rows, {}], or a tensor for each column by its name",
                self.name,
                self.shape,
                columns.len()
            );
            return Err(Fault::malformed(message));
        }
        reader.check_count(self.shape[0])?;
        let cell = |(place, value): (usize, &&Value)| {
            let (row, column) = (place / columns.len(), place % columns.len());
            reader.number(row, &columns[column], value)
        };
        self.data.iter().enumerate().map(cell).collect()
    }
}

/// Adds the values of nested lists, row-major; `false` where their lengths are not those of `shape`.
fn flatten<'a>(list: &'a [Value], shape: &[usize], data: &mut Vec<&'a Value>) -> bool {
    let Some((length, inner)) = shape.split_first() else { return false };
    list.len() == *length
        && list.iter().all(|value| match value {
            Value::Array(list) => flatten(list, inner, data),
            other => {
                data.push(other);
                inner.is_empty()
            }
        })
}
