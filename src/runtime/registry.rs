//! The registry's slots: one constructor at a time for each name.

use super::blocking::{Blocking, Ident, Waited};
use super::gate::{Gate, Hold, Purpose, Until};
use super::lifecycle::Refused;
use super::process::Process;
use super::sync::{Arc, Mutex};
use super::waits::{Cycle, Standing, Tag};
use std::collections::HashMap;

/// The right to construct what a name stands for. Lives until [`Slots::end`] takes it, once.
#[derive(Debug)]
pub struct Construction {
    name: Arc<str>,
    hold: Hold,
}

/// What a caller that wants a name's instance is to do.
#[derive(Debug)]
pub enum Turn {
    /// Look once more whether it is kept by now; else construct it, keep it, and say so with [`Slots::end`].
    Construct(Construction),
    /// Look again: somebody else has constructed, or tried to.
    LookAgain,
}

/// The names that are under construction. One per process. What has been constructed is kept by the host.
#[derive(Debug, Default)]
pub struct Slots {
    building: Mutex<HashMap<Arc<str>, Gate>>,
}

impl Slots {
    /// Asks for the right to construct `name`, for a caller that did not find it kept. Whoever constructs keeps the
    /// result before the right ends, so the next one to get the right finds it.
    ///
    /// # Errors
    /// [`Refused`]: the constructor needs itself, the deadline, or an interrupt.
    pub fn begin<M: Clone, B: Blocking>(
        &self,
        process: &Process<M>,
        name: &Arc<str>,
        me: Ident,
        blocking: &mut B,
    ) -> Result<Turn, Refused<B::Interrupt>> {
        let mut building = self.building.lock();
        let Some(gate) = building.get_mut(name) else {
            let mut gate = Gate::new(Arc::new(Tag::new(Arc::clone(name))));
            let hold = gate.take(&process.waits, me, Purpose::Build, 0);
            building.insert(Arc::clone(name), gate);
            return Ok(Turn::Construct(Construction { name: Arc::clone(name), hold }));
        };
        match process.waits.standing(me, gate.tag()) {
            Standing::Other => {}
            Standing::Innermost => return Err(Refused::Cycle(Cycle(vec![Arc::clone(name)]))),
            Standing::Around(cycle) => return Err(Refused::Cycle(cycle)),
        }
        let signal = gate.queue(&process.waits, me, Until::Free).map_err(Refused::Cycle)?;
        let tag = Arc::clone(gate.tag());
        drop(building);
        let waited = blocking.wait(&signal);
        if let Some(gate) = self.building.lock().get_mut(name) {
            gate.unqueue(&process.waits, me, &signal);
        }
        match (waited, tag.owner()) {
            (Err(interrupt), _) => Err(Refused::Interrupted(interrupt)),
            (Ok(Waited::TimedOut), Some(owner)) if !signal.is_set() => Err(Refused::TimedOut(owner)),
            _ => Ok(Turn::LookAgain),
        }
    }

    /// Ends a construction, well or not, and lets the others look again.
    pub fn end<M: Clone>(&self, process: &Process<M>, construction: Construction) {
        let mut building = self.building.lock();
        if let Some(gate) = building.get_mut(&construction.name)
            && gate.give_back(&process.waits, &construction.hold)
        {
            building.remove(&construction.name);
        }
    }

    /// In a forked child: constructions of the other threads are gone.
    pub fn keep_only(&self, me: Ident) {
        self.building.lock().retain(|_, gate| {
            gate.keep_only(me);
            gate.holder().is_some()
        });
    }
}

#[cfg(all(test, not(loom)))]
#[path = "registry_tests.rs"]
mod tests;
