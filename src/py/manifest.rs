//! Manifests as Python objects.

use super::errors::ManifestError;
use crate::runtime::manifest::{self, Int, Scalar, Time, Timestamp, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyString, PyTuple};

/// The documents of a YAML text, in order, each with the line and column it starts at; an empty one is None. Raises
/// `ManifestError` with line and column.
#[pyfunction]
pub fn load_documents<'py>(py: Python<'py>, text: &str) -> PyResult<Vec<(Bound<'py, PyAny>, usize, usize)>> {
    let documents = py.detach(|| manifest::load(text));
    let documents =
        documents.map_err(|error| ManifestError::new_err((error.reason.clone(), error.line, error.column)))?;
    documents.iter().map(|each| Ok((object(py, &each.value)?, each.line, each.column))).collect()
}

fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Scalar(scalar) => scalar_object(py, scalar),
        Value::Binary(text, (line, column)) => {
            let base64 = py.import("base64")?;
            let decoded = base64.call_method1("decodebytes", (text.as_bytes(),));
            decoded.map_err(|error| ManifestError::new_err((format!("this is no base 64: {error}"), *line, *column)))
        }
        Value::List(items) => {
            let list = PyList::empty(py);
            items.iter().try_for_each(|item| list.append(object(py, item)?))?;
            Ok(list.into_any())
        }
        Value::Map(pairs) => {
            let dict = PyDict::new(py);
            pairs.iter().try_for_each(|(key, value)| dict.set_item(key_object(py, key)?, object(py, value)?))?;
            Ok(dict.into_any())
        }
        Value::Set(items) => {
            let set = PySet::empty(py)?;
            items.iter().try_for_each(|item| set.add(object(py, item)?))?;
            Ok(set.into_any())
        }
        Value::Pairs(pairs) => {
            let list = PyList::empty(py);
            for (key, value) in pairs {
                list.append(PyTuple::new(py, [object(py, key)?, object(py, value)?])?)?;
            }
            Ok(list.into_any())
        }
    }
}

/// Keys repeat all over a manifest: one text object for all of them.
fn key_object<'py>(py: Python<'py>, key: &Value) -> PyResult<Bound<'py, PyAny>> {
    match key {
        Value::Scalar(Scalar::Text(text)) => Ok(PyString::intern(py, text).into_any()),
        other => object(py, other),
    }
}

fn scalar_object<'py>(py: Python<'py>, scalar: &Scalar) -> PyResult<Bound<'py, PyAny>> {
    match scalar {
        Scalar::Null => Ok(py.None().into_bound(py)),
        Scalar::Bool(value) => Ok(value.into_pyobject(py)?.to_owned().into_any()),
        Scalar::Int(Int::Small(value)) => Ok(value.into_pyobject(py)?.into_any()),
        Scalar::Int(Int::Large { digits, base }) => py.get_type::<pyo3::types::PyInt>().call1((digits, base)),
        Scalar::Float(value) => Ok(value.into_pyobject(py)?.into_any()),
        Scalar::Timestamp(timestamp) => timestamp_object(py, timestamp),
        Scalar::Text(text) => Ok(PyString::new(py, text).into_any()),
    }
}

fn timestamp_object<'py>(py: Python<'py>, timestamp: &Timestamp) -> PyResult<Bound<'py, PyAny>> {
    let datetime = py.import("datetime")?;
    let (year, month, day) = timestamp.date;
    let Some(Time { clock: (hour, minute, second), micros, offset }) = timestamp.time else {
        return datetime.getattr("date")?.call1((year, month, day));
    };
    let zone = match offset {
        None => py.None().into_bound(py),
        Some(minutes) => {
            let delta = datetime.getattr("timedelta")?.call1((0, 0, 0, 0, minutes))?;
            datetime.getattr("timezone")?.call1((delta,))?
        }
    };
    datetime.getattr("datetime")?.call1((year, month, day, hour, minute, second, micros, zone))
}
