//! What of a service class is as `CommonService` has it, remembered for as long as the class stays as it is.

use super::calling::vectorcall;
use super::entries::CLASSIFY;
use pyo3::ffi;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// `__new__`, `__init__` and `build_settings`.
pub const CONSTRUCTED_PLAINLY: u32 = 1;
/// `build_kube`.
pub const WITHOUT_KUBE: u32 = 2;
/// It could not be found out: an exception is set.
pub const FAILED: u32 = 1 << 31;

/// How many classes are remembered. A place holds the last one whose version led there.
const PLACES: usize = 256;

/// A version in the upper half, what was found out in the lower one.
static REMEMBERED: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];

/// What is as `CommonService` has it.
///
/// # Safety
/// Attached; a live heap type that is ready.
pub unsafe extern "C" fn what_is_plain(class: *mut ffi::PyTypeObject) -> u32 {
    // SAFETY: by this function's contract.
    unsafe {
        let version = version_of(class);
        let remembered = REMEMBERED[place_of(version)].load(Ordering::Acquire);
        if version != 0 && (remembered >> 32) == u64::from(version) {
            return low_half(remembered);
        }
        let plain = found_out(class);
        // Python code has run: what was found out is about this version only if it is the version still.
        if plain != FAILED && version != 0 && version == version_of(class) {
            REMEMBERED[place_of(version)].store(u64::from(version) << 32 | u64::from(plain), Ordering::Release);
        }
        plain
    }
}

/// The number that the interpreter changes with every change of the class or of a base of it; 0 if it has none.
unsafe fn version_of(class: *mut ffi::PyTypeObject) -> u32 {
    // SAFETY: by the caller's contract; other threads may write it.
    unsafe { AtomicU32::from_ptr(&raw mut (*class).tp_version_tag).load(Ordering::Acquire) }
}

const fn place_of(version: u32) -> usize {
    version as usize % PLACES
}

#[allow(clippy::cast_possible_truncation, reason = "that is what is wanted")]
const fn low_half(number: u64) -> u32 {
    number as u32
}

/// Asks Python. That is interrupted as any Python code may be.
unsafe extern "C" fn found_out(class: *mut ffi::PyTypeObject) -> u32 {
    // SAFETY: as for `what_is_plain`.
    unsafe {
        let class: *mut ffi::PyObject = class.cast();
        let known = vectorcall(CLASSIFY.object(), &raw const class, 1, std::ptr::null_mut());
        if known.is_null() {
            return FAILED;
        }
        let number = ffi::PyLong_AsLong(known);
        ffi::Py_DecRef(known);
        u32::try_from(number).unwrap_or(0)
    }
}
