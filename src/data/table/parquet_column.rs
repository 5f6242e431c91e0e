//! Some rows of a column of a Parquet file.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp, civil::date};
use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::DataType,
    errors::{ParquetError, Result as ParquetResult},
    schema::types::ColumnDescPtr,
};

use super::cell::Cell;

/// The rows, by what is in them.
pub(super) enum ColumnPart {
    /// Numbers with a point; `NaN` where there is none.
    Numbers(Vec<f64>),
    /// Whole numbers, and yes (1) or no (0).
    Integers(Vec<Option<i64>>),
    /// Text, and dates and times in the order of their text (ISO 8601).
    Texts(Vec<Option<Vec<u8>>>),
}

/// What whole numbers stand for.
enum Meaning {
    Themselves,
    /// No negative numbers, in these bits.
    Unsigned(u64),
    /// So many digits behind the point.
    Decimal(i32),
    /// Numbers of 16 bits (IEEE 754 binary16).
    Half,
    /// Days since 1970.
    Date,
    /// Times since 1970 (UTC), so many in a second.
    Moment(i64),
}

impl ColumnPart {
    /// The next `rows` rows.
    pub(super) fn read(
        reader: &mut ColumnReader,
        column: &ColumnDescPtr,
        rows: usize,
    ) -> ParquetResult<Self> {
        use ColumnReader as Of;
        let ask = (rows, column.max_def_level() > 0);
        let meaning = Meaning::of(column);
        Ok(match reader {
            Of::DoubleColumnReader(own) => Self::numbers(values(own, ask, |own| own)?, |own| own),
            Of::FloatColumnReader(own) => Self::numbers(values(own, ask, |own| own)?, f64::from),
            Of::BoolColumnReader(own) => Self::Integers(values(own, ask, i64::from)?),
            Of::Int32ColumnReader(own) => meaning.of_all(values(own, ask, i64::from)?),
            Of::Int64ColumnReader(own) => meaning.of_all(values(own, ask, |own| own)?),
            Of::Int96ColumnReader(own) => {
                Meaning::Moment(1000).of_all(values(own, ask, |own| own.to_millis())?)
            }
            Of::ByteArrayColumnReader(own) => {
                meaning.of_bytes(values(own, ask, |own| own.data().to_vec())?)
            }
            Of::FixedLenByteArrayColumnReader(own) => {
                meaning.of_bytes(values(own, ask, |own| own.data().to_vec())?)
            }
        })
    }

    fn numbers<T>(values: Vec<Option<T>>, number: impl Fn(T) -> f64) -> Self {
        Self::Numbers(values.into_iter().map(|own| own.map_or(f64::NAN, &number)).collect())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers(own) => own.len(),
            Self::Integers(own) => own.len(),
            Self::Texts(own) => own.len(),
        }
    }

    /// What stands in its row `place`.
    pub(super) fn cell(&self, place: usize) -> Cell<'_> {
        match self {
            Self::Numbers(own) => Cell::Number(own[place]),
            Self::Integers(own) => own[place].map_or(Cell::Missing, Cell::Integer),
            Self::Texts(own) => {
                own[place].as_deref().map_or(Cell::Missing, |text| Cell::Text(Cow::Borrowed(text)))
            }
        }
    }
}

impl Meaning {
    fn of(column: &ColumnDescPtr) -> Self {
        if let Some(LogicalType::Timestamp(time)) = column.logical_type_ref() {
            return Self::Moment(match time.unit {
                TimeUnit::MILLIS => 1000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            });
        }
        if column.logical_type_ref() == Some(&LogicalType::Float16) {
            return Self::Half;
        }
        match column.converted_type() {
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIMESTAMP_MILLIS => Self::Moment(1000),
            ConvertedType::TIMESTAMP_MICROS => Self::Moment(1_000_000),
            ConvertedType::DECIMAL => Self::Decimal(column.type_scale()),
            ConvertedType::UINT_32 => Self::Unsigned(u64::from(u32::MAX)),
            ConvertedType::UINT_64 => Self::Unsigned(u64::MAX),
            _ => Self::Themselves,
        }
    }

    fn of_all(&self, values: Vec<Option<i64>>) -> ColumnPart {
        let texts = |text: &dyn Fn(i64) -> String| {
            let text = |own: Option<i64>| own.map(|own| text(own).into_bytes());
            ColumnPart::Texts(values.iter().copied().map(text).collect())
        };
        match self {
            Self::Themselves | Self::Half => ColumnPart::Integers(values),
            Self::Unsigned(bits) => ColumnPart::numbers(values, |own| (own as u64 & bits) as f64),
            Self::Decimal(digits) => {
                ColumnPart::numbers(values, |own| own as f64 / 10_f64.powi(*digits))
            }
            Self::Date => texts(&|days| {
                let day = SignedDuration::from_hours(days.clamp(-1 << 40, 1 << 40) * 24);
                let day = date(1970, 1, 1).checked_add(day);
                day.map_or_else(|_| format!("day {days}"), |day| day.to_string())
            }),
            Self::Moment(unit) => texts(&|count| {
                let (seconds, rest) = (count.div_euclid(*unit), count.rem_euclid(*unit));
                let nanoseconds = (rest * (1_000_000_000 / unit)) as i32;
                let time = Timestamp::new(seconds, nanoseconds);
                // As many digits in all of them, so that they sort as text.
                let text = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
                time.map_or_else(|_| format!("time {count}"), text)
            }),
        }
    }

    fn of_bytes(&self, values: Vec<Option<Vec<u8>>>) -> ColumnPart {
        let digits = match self {
            Self::Half => return ColumnPart::numbers(values, |bytes| half(&bytes)),
            Self::Decimal(digits) => digits,
            _ => return ColumnPart::Texts(values),
        };
        // Big-endian, in two's complement.
        let number = |bytes: Vec<u8>| {
            let sign = if bytes.first().is_some_and(|byte| *byte > 127) { -1 } else { 0 };
            let whole = bytes.iter().fold(sign, |sum: i128, byte| (sum << 8) | i128::from(*byte));
            whole as f64 / 10_f64.powi(*digits)
        };
        ColumnPart::numbers(values, number)
    }
}

/// The number of 16 bits, the lower byte first: a sign, 5 bits of an exponent and 10 of a fraction.
fn half(bytes: &[u8]) -> f64 {
    let [low, high] = *bytes else { return f64::NAN };
    let bits = u16::from_le_bytes([low, high]);
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * 2.0_f64.powi(-14),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1.0 + fraction) * 2.0_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// The next `rows` values.
fn values<T: DataType, V>(
    reader: &mut ColumnReaderImpl<T>,
    (rows, is_optional): (usize, bool),
    convert: impl Fn(T::T) -> V,
) -> ParquetResult<Vec<Option<V>>> {
    let (mut known, mut levels) = (Vec::with_capacity(rows), Vec::new());
    let wanted = is_optional.then_some(&mut levels);
    let (count, _, _) = reader.read_records(rows, wanted, None, &mut known)?;
    if count < rows {
        return Err(ParquetError::EOF(format!("a column ends {} rows early", rows - count)));
    }
    let mut known = known.into_iter().map(convert);
    if !is_optional {
        return Ok(known.map(Some).collect());
    }
    Ok(levels.into_iter().map(|level| if level > 0 { known.next() } else { None }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_16_bits_are_those_of_numpy() {
        // numpy.array(values, numpy.float16).view(numpy.uint16)
        let cases = [(0.0, 0), (1.0, 15360), (-2.5, 49408), (0.099_975_585_937_5, 11878)];
        let cases = cases.into_iter().chain([(65504.0, 31743), (5.960_464_477_539_063e-8, 1)]);
        for (expected, bits) in cases {
            assert_eq!(half(&u16::to_le_bytes(bits)), expected);
        }
        assert_eq!(half(&[0, 0xfc]), f64::NEG_INFINITY);
        assert!(half(&[1, 0x7c]).is_nan() && half(&[]).is_nan());
    }
}
