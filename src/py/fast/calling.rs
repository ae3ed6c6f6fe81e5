//! Calling Python from functions that own nothing.

use pyo3::ffi;

/// Most calls have fewer arguments than this; the others take the way over a tuple.
const ON_STACK: usize = 16;

/// Calls `function` with `slf` before the arguments: what is behind a method is a plain function.
///
/// # Safety
/// As for [`vectorcall`].
pub unsafe fn call_with_self(
    function: *mut ffi::PyObject,
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: references are borrowed from the caller for the call; the buffer is on the stack and needs no drop.
    unsafe {
        let total = usize::try_from(positional).unwrap_or_default() + keyword_count(keywords);
        if total + 1 > ON_STACK {
            ffi::PyErr_SetString(ffi::PyExc_TypeError, c"this method takes at most 15 arguments".as_ptr());
            return std::ptr::null_mut();
        }
        let mut buffer = [std::ptr::null_mut(); ON_STACK];
        buffer[0] = slf;
        for (at, slot) in buffer.iter_mut().skip(1).take(total).enumerate() {
            *slot = *args.add(at);
        }
        let count = usize::try_from(positional).unwrap_or_default() + 1;
        vectorcall(function, buffer.as_ptr(), count, keywords)
    }
}

/// Calls `function` with `positional` arguments, after which the values of `keywords` lie.
///
/// # Safety
/// Attached; `args` holds `positional` live references and after them the values of `keywords`, a tuple or null.
#[cfg(not(feature = "abi3"))]
pub unsafe fn vectorcall(
    function: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: attached, and all references are the caller's.
    unsafe { ffi::PyObject_Vectorcall(function, args, positional, keywords) }
}

/// The stable interface of 3.11 calls with a tuple and a dict only.
///
/// # Safety
/// As above.
#[cfg(feature = "abi3")]
pub unsafe fn vectorcall(
    function: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: attached, and all references are the caller's.
    unsafe { call_packed(ffi::PyObject_Call, function, args, positional.cast_signed(), keywords) }
}

/// Calls the method `name` of the first argument with the others, without making an object of the bound method.
///
/// # Safety
/// Attached; `args` holds `count` live references.
#[cfg(not(feature = "abi3"))]
pub unsafe fn vectorcall_method(
    name: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: usize,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract.
    unsafe { ffi::PyObject_VectorcallMethod(name, args, count, std::ptr::null_mut()) }
}

/// Hands the arguments of a vectorcall to `call` as a tuple and a dict.
///
/// # Safety
/// Attached; `args` holds `positional` live references and after them the values of `keywords`, a tuple or null.
pub unsafe fn call_packed(
    call: ffi::ternaryfunc,
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract; every reference made here is given back here.
    unsafe {
        let tuple = ffi::PyTuple_New(positional);
        if tuple.is_null() {
            return tuple;
        }
        for at in 0..positional {
            ffi::PyTuple_SetItem(tuple, at, ffi::Py_NewRef(*args.offset(at)));
        }
        let mut named = std::ptr::null_mut();
        let mut is_packed = true;
        if !keywords.is_null() {
            named = ffi::PyDict_New();
            is_packed = !named.is_null();
            for at in 0..ffi::PyTuple_Size(keywords) {
                let (key, value) = (ffi::PyTuple_GetItem(keywords, at), *args.offset(positional + at));
                is_packed = is_packed && ffi::PyDict_SetItem(named, key, value) == 0;
            }
        }
        let result = if is_packed { call(callable, tuple, named) } else { std::ptr::null_mut() };
        ffi::Py_DecRef(tuple);
        ffi::Py_XDECREF(named);
        result
    }
}

unsafe fn keyword_count(keywords: *mut ffi::PyObject) -> usize {
    // SAFETY: a tuple or null, by the calling convention.
    let count = if keywords.is_null() { 0 } else { unsafe { ffi::PyTuple_Size(keywords) } };
    usize::try_from(count).unwrap_or_default()
}
