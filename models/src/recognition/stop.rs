//! When a run of whisper.cpp stops before its end.

use std::{
    cell::Cell,
    ffi::c_void,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use whisper_rs::FullParams;

/// Asked by whisper.cpp before each step of its computing.
#[derive(Debug)]
pub(super) struct Stop<'a> {
    asked: Option<&'a Arc<AtomicBool>>,
    give_up_at: Option<Instant>,
    gave_up: Cell<bool>,
}

impl<'a> Stop<'a> {
    /// Stops when `asked` is set, and at `give_up_at`.
    pub(super) fn new(asked: Option<&'a Arc<AtomicBool>>, give_up_at: Option<Instant>) -> Self {
        Self {
            asked,
            give_up_at,
            gave_up: Cell::new(false),
        }
    }

    /// Whether the run stopped because it took too long.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.get()
    }

    /// Makes a run with `parameters` stop.
    ///
    /// # Safety
    /// `self` must outlive the run.
    #[expect(unsafe_code, reason = "the safe form is unsound")]
    pub(super) unsafe fn apply(&self, parameters: &mut FullParams<'_, '_>) {
        // `set_abort_callback_safe` of whisper-rs 0.16 calls a closure through a pointer of another
        // type, and never frees it.
        // SAFETY: `due` takes a pointer to `Stop`, which the caller keeps alive; whisper.cpp calls it
        // from the thread of the run only, and keeps the pointer no longer than that.
        unsafe {
            parameters.set_abort_callback(Some(due));
            parameters
                .set_abort_callback_user_data(std::ptr::from_ref(self).cast_mut().cast::<c_void>());
        }
    }

    fn is_due(&self) -> bool {
        if self.asked.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return true;
        }
        let late = self.give_up_at.is_some_and(|at| Instant::now() >= at);
        if late {
            self.gave_up.set(true);
        }
        late
    }
}

/// Whether to stop.
///
/// # Safety
/// `data` must point to a [`Stop`] that no other thread uses.
#[expect(unsafe_code, reason = "the form whisper.cpp calls")]
unsafe extern "C" fn due(data: *mut c_void) -> bool {
    // SAFETY: `apply` gave the pointer, and its caller keeps the value alive during the run.
    unsafe { &*data.cast::<Stop<'_>>() }.is_due()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_when_asked_or_late_and_tells_which() {
        let never = Stop::new(None, None);
        assert!(!never.is_due() && !never.gave_up());
        let flag = Arc::new(AtomicBool::new(true));
        let asked = Stop::new(Some(&flag), Some(Instant::now()));
        assert!(asked.is_due() && !asked.gave_up());
        let late = Stop::new(None, Some(Instant::now()));
        assert!(late.is_due() && late.gave_up());
    }
}
