//! A graph of operators that grows one value at a time.

use super::schema::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, tensor_shape_proto::Dimension, tensor_shape_proto::dimension, type_proto,
};

/// The domain of the operators for trees.
pub(super) const ML_DOMAIN: &str = "ai.onnx.ml";

/// Numbers of ONNX for the types of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Single precision.
    Float = 1,
    /// 32-bit integers.
    Int32 = 6,
    /// 64-bit integers.
    Int64 = 7,
    /// Double precision.
    Double = 11,
}

/// The name of a value in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value(String);

/// A graph of operators; values are used only after the operator that gives them was added.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Graph {
    /// The value that comes from outside.
    pub(super) fn input(name: &str) -> Value {
        Value(name.to_owned())
    }

    /// A constant in double precision.
    pub(super) fn double(&mut self, shape: &[usize], values: &[f64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(Element::Double, shape, bytes)
    }

    /// A constant in single precision.
    pub(super) fn float(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(Element::Float, shape, bytes)
    }

    /// A list of whole numbers: axes, shapes or positions.
    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(Element::Int64, &[values.len()], bytes)
    }

    /// One number in double precision.
    pub(super) fn scalar(&mut self, value: f64) -> Value {
        self.double(&[1], &[value])
    }

    /// One number in single precision.
    pub(super) fn scalar_float(&mut self, value: f32) -> Value {
        self.float(&[1], &[value])
    }

    fn constant(&mut self, element: Element, shape: &[usize], raw_data: Vec<u8>) -> Value {
        let name = format!("c{}", self.constants.len());
        self.constants.push(tensor(&name, element, shape, raw_data));
        Value(name)
    }

    /// What the operator `kind` makes of `inputs`.
    pub(super) fn op(&mut self, kind: &str, inputs: &[&Value]) -> Value {
        self.op_with(kind, inputs, Vec::new())
    }

    /// The same with attributes.
    pub(super) fn op_with(
        &mut self,
        kind: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        let [value] = self.node("", kind, inputs, attributes);
        value
    }

    /// An operator of another domain, or one with several outputs.
    pub(super) fn node<const OUTPUTS: usize>(
        &mut self,
        domain: &str,
        kind: &str,
        inputs: &[&Value],
        attribute: Vec<AttributeProto>,
    ) -> [Value; OUTPUTS] {
        let place = self.nodes.len();
        let outputs: [Value; OUTPUTS] =
            std::array::from_fn(|output| Value(format!("v{place}_{output}")));
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: outputs.iter().map(|value| value.0.clone()).collect(),
            name: Some(format!("n{place}")),
            op_type: Some(kind.to_owned()),
            attribute,
            domain: (!domain.is_empty()).then(|| domain.to_owned()),
        });
        outputs
    }

    /// `value` in another type.
    pub(super) fn cast(&mut self, value: &Value, element: Element) -> Value {
        self.op_with("Cast", &[value], vec![integer("to", element as i64)])
    }

    /// `value` in another shape; one length may be -1, 0 keeps a length.
    pub(super) fn reshape(&mut self, value: &Value, shape: &[i64]) -> Value {
        let shape = self.integers(shape);
        self.op("Reshape", &[value, &shape])
    }

    /// `value` with its axes in another order.
    pub(super) fn transpose(&mut self, value: &Value, order: &[i64]) -> Value {
        self.op_with("Transpose", &[value], vec![integers("perm", order)])
    }

    /// The values side by side.
    pub(super) fn concat(&mut self, values: &[&Value], axis: i64) -> Value {
        if let [only] = values {
            return (*only).clone();
        }
        self.op_with("Concat", values, vec![integer("axis", axis)])
    }

    /// The columns of `[N, all]` at `places`.
    pub(super) fn columns(&mut self, value: &Value, places: &[usize]) -> Value {
        let places: Vec<i64> = places.iter().map(|place| *place as i64).collect();
        let places = self.integers(&places);
        self.op_with("Gather", &[value, &places], vec![integer("axis", 1)])
    }

    /// The sum over an axis, which stays with length 1.
    pub(super) fn sum(&mut self, value: &Value, axis: i64) -> Value {
        let over = self.integers(&[axis]);
        self.op("ReduceSum", &[value, &over])
    }

    /// `kind` (`ReduceMax`, `ReduceMin`, `ReduceMean`) over an axis, which stays with length 1.
    pub(super) fn reduce(&mut self, kind: &str, value: &Value, axis: i64) -> Value {
        self.op_with(kind, &[value], vec![integers("axes", &[axis])])
    }

    /// The value under a new name, which the outside knows.
    pub(super) fn output(&mut self, value: &Value, name: &str) {
        self.nodes.push(NodeProto {
            input: vec![value.0.clone()],
            output: vec![name.to_owned()],
            op_type: Some("Identity".to_owned()),
            ..NodeProto::default()
        });
    }

    /// The graph with the values that come in, and that go out, each with its number of columns.
    pub(super) fn finish(
        self,
        name: &str,
        inputs: &[(&str, usize)],
        outputs: &[(&str, usize)],
    ) -> GraphProto {
        let about = |(name, columns): &(&str, usize)| about(name, *columns);
        GraphProto {
            node: self.nodes,
            name: Some(name.to_owned()),
            initializer: self.constants,
            input: inputs.iter().map(about).collect(),
            output: outputs.iter().map(about).collect(),
        }
    }
}

/// A tensor of ONNX.
fn tensor(name: &str, element: Element, shape: &[usize], raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        dims: shape.iter().map(|length| *length as i64).collect(),
        data_type: Some(element as i32),
        name: Some(name.to_owned()),
        raw_data: Some(raw_data),
    }
}

/// Numbers of ONNX for the types of attributes.
mod kind {
    pub(super) const INTEGER: i32 = 2;
    pub(super) const STRING: i32 = 3;
    pub(super) const TENSOR: i32 = 4;
    pub(super) const INTEGERS: i32 = 7;
    pub(super) const STRINGS: i32 = 8;
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(kind), ..AttributeProto::default() }
}

/// A whole number as an attribute.
pub(super) fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, kind::INTEGER) }
}

/// Whole numbers as an attribute.
pub(super) fn integers(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, kind::INTEGERS) }
}

/// A word as an attribute.
pub(super) fn word(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..attribute(name, kind::STRING) }
}

/// Words as an attribute.
pub(super) fn words(name: &str, values: &[&str]) -> AttributeProto {
    let strings = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    AttributeProto { strings, ..attribute(name, kind::STRINGS) }
}

/// Numbers in double precision as an attribute.
pub(super) fn doubles(name: &str, values: &[f64]) -> AttributeProto {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let values = tensor(name, Element::Double, &[values.len()], bytes);
    AttributeProto { t: Some(values), ..attribute(name, kind::TENSOR) }
}

/// A table of any number of rows in double precision.
fn about(name: &str, columns: usize) -> ValueInfoProto {
    let length = |value| Dimension { value: Some(value) };
    let rows = length(dimension::Value::DimParam("rows".to_owned()));
    let columns = length(dimension::Value::DimValue(columns as i64));
    let tensor = type_proto::Tensor {
        elem_type: Some(Element::Double as i32),
        shape: Some(TensorShapeProto { dim: vec![rows, columns] }),
    };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(TypeProto { value }) }
}
