//! One fact per test. What other callers do is scripted into the waits of the one that is tested, so that most tests
//! need one thread; where threads are the point, they meet at signals.
#![allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]

use super::*;
use crate::runtime::events::Read;
use crate::runtime::sync::Signal;
use std::cell::Cell;
use std::convert::Infallible;
use std::fmt::Debug;
use std::thread;
use std::time::Duration;

const ME: Ident = Ident(1);
const OTHER: Ident = Ident(2);
const THIRD: Ident = Ident(3);

type Life = Lifecycle<&'static str>;

/// A caller that must not have to wait.
struct Never;

impl Blocking for Never {
    type Interrupt = Infallible;
    fn wait(&mut self, _: &Signal) -> Result<Waited, Infallible> {
        panic!("this caller waits");
    }
    fn renew(&mut self) {}
}

/// A caller whose deadline is over as soon as it has to wait.
struct TimesOut;

impl Blocking for TimesOut {
    type Interrupt = Infallible;
    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        assert!(!signal.is_set());
        Ok(Waited::TimedOut)
    }
    fn renew(&mut self) {}
}

/// A caller that is interrupted while it waits.
struct CtrlC;

impl Blocking for CtrlC {
    type Interrupt = &'static str;
    fn wait(&mut self, _: &Signal) -> Result<Waited, &'static str> {
        Err("ctrl-c")
    }
    fn renew(&mut self) {}
}

/// A caller that is interrupted after others did this.
struct CtrlCAfter<F>(F);

impl<F: FnMut()> Blocking for CtrlCAfter<F> {
    type Interrupt = &'static str;
    fn wait(&mut self, _: &Signal) -> Result<Waited, &'static str> {
        (self.0)();
        Err("ctrl-c")
    }
    fn renew(&mut self) {}
}

/// While this caller waits, others do this. It fails the test if that does not end the wait.
struct Meanwhile<F>(F);

impl<F: FnMut()> Blocking for Meanwhile<F> {
    type Interrupt = Infallible;
    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        assert!(!signal.is_set());
        (self.0)();
        assert!(signal.is_set(), "the wait goes on");
        Ok(Waited::Happened)
    }
    fn renew(&mut self) {}
}

type Wait<'a> = Box<dyn FnMut(&Signal) -> Waited + 'a>;

/// Each wait of this caller is one of these, in order; it fails the test if there is none left. Counts renewals.
struct Waits<'a>(Vec<Wait<'a>>, usize);

impl<'a> Waits<'a> {
    fn new(waits: Vec<Wait<'a>>) -> Self {
        Self(waits, 0)
    }
}

impl Blocking for Waits<'_> {
    type Interrupt = Infallible;
    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        Ok(self.0.remove(0)(signal))
    }
    fn renew(&mut self) {
        self.1 += 1;
    }
}

/// A real wait, which says when it begins.
struct Announced(Arc<Signal>);

impl Blocking for Announced {
    type Interrupt = Infallible;
    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        self.0.set();
        assert!(signal.wait(Some(Duration::from_secs(20))), "nobody woke this caller");
        Ok(Waited::Happened)
    }
    fn renew(&mut self) {}
}

fn life_of(process: &Arc<Process<&'static str>>, name: &'static str) -> Life {
    let life = Lifecycle::new(Arc::clone(process), name, name.into());
    write(&life, |flags| flags.enabled(true));
    life
}

/// An enabled service that has not been started.
fn life() -> Life {
    life_of(&Arc::default(), "service")
}

fn running() -> Life {
    let life = life();
    run(&life, ME);
    life
}

fn write(life: &Life, change: impl FnOnce(&mut Flags<'_>)) {
    assert_eq!(life.write(None, change), Written::Done(()));
}

fn begin<B: Blocking<Interrupt: Debug>>(life: &Life, me: Ident, mut blocking: B) -> Option<Ticket> {
    life.begin_start(me, Asked::Explicitly, &mut blocking).unwrap()
}

fn read<B: Blocking<Interrupt: Debug>>(life: &Life, me: Ident, mut blocking: B) -> Option<Ticket> {
    life.begin_start(me, Asked::ByReading, &mut blocking).unwrap()
}

fn begin_end(life: &Life, me: Ident, purpose: Purpose) -> Ticket {
    life.begin_end(me, purpose, &mut Never).unwrap()
}

/// A start from begin to end: `run` sets an app.
fn run(life: &Life, me: Ident) {
    let ticket = begin(life, me, Never).unwrap();
    finish(life, &ticket);
}

fn finish(life: &Life, ticket: &Ticket) {
    life.write(Some(ticket.0.ident), |flags| flags.has_app(true));
    life.ran(ticket);
    life.end(ticket);
}

fn stop(life: &Life, me: Ident) {
    let ticket = begin_end(life, me, Purpose::Stop);
    life.clear(&ticket, || {}).unwrap();
    life.end(&ticket);
}

fn reset(life: &Life, me: Ident) {
    let ticket = begin_end(life, me, Purpose::Reset);
    life.clear(&ticket, || {}).unwrap();
    run(life, me);
    life.end(&ticket);
}

/// Whether a daemon of a name of its own is let in.
fn admitted(life: &Life, me: Ident) -> Result<bool, Closed> {
    let name = format!("worker {}", life.daemons.infos().len());
    Ok(life.admit(me, &name.into())?.is_some())
}

/// The states that were entered, with reasons.
fn entered(life: &Life) -> Vec<(ServiceState, Option<String>)> {
    let mut entered = Vec::new();
    while let Read::Event(event, _) = life.process.events.read_after(entered.len() as u64) {
        assert_eq!(*event.service, *life.name());
        entered.push((event.after, event.reason.as_deref().map(ToOwned::to_owned)));
    }
    entered
}

fn assert_idle(life: &Life) {
    assert_eq!(life.holder(), None);
    assert!(life.process.waits.is_idle() && !life.has_late_writers());
}

mod starting {
    use super::*;

    #[test]
    fn an_enabled_service_that_is_not_started_and_has_no_app_starts() {
        let life = life();
        assert!(life.is_ready());
        let ticket = begin(&life, ME, Never).unwrap();
        assert_eq!((life.state(), life.holder()), (ServiceState::Started, Some(ME)));
        write(&life, |flags| flags.has_app(true));
        assert!(life.ran(&ticket));
        assert!(life.is_running());
        life.end(&ticket);
        assert_idle(&life);
    }

    #[test]
    fn a_disabled_service_does_not_start() {
        let life = life();
        write(&life, |flags| flags.enabled(false));
        assert!(!life.starts_when_read());
        assert_eq!(begin(&life, ME, Never), None);
        assert_eq!(life.state(), ServiceState::NotStarted);
    }

    #[test]
    fn a_service_that_has_an_app_does_not_start() {
        let life = life();
        write(&life, |flags| flags.has_app(true));
        assert!(!life.is_ready() && !life.starts_when_read());
        assert_eq!(begin(&life, ME, Never), None);
    }

    #[test]
    fn a_service_in_another_state_does_not_start() {
        for state in [ServiceState::Failed, ServiceState::Started, ServiceState::Running] {
            let life = life();
            write(&life, |flags| flags.state(state, None));
            assert_eq!(begin(&life, ME, Never), None);
            assert_eq!(life.state(), state);
        }
    }

    #[test]
    fn what_may_be_tried_again_starts_out_of_failed_when_it_is_asked_to() {
        let life = life();
        write(&life, |flags| flags.state(ServiceState::Failed, None));
        let ticket = life.begin_start(ME, Asked::Anew, &mut Never).unwrap().unwrap();
        finish(&life, &ticket);
        assert!(life.is_running());
        assert_eq!(life.begin_start(ME, Asked::Anew, &mut Never).unwrap(), None);
    }

    #[test]
    fn whoever_waits_for_a_start_gets_its_outcome_and_no_ticket() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        assert_eq!(begin(&life, ME, Meanwhile(|| finish(&life, &ticket))), None);
        assert!(life.is_running());
    }

    #[test]
    fn whoever_waits_for_a_start_that_fails_does_not_try_again() {
        for asked in [Asked::Explicitly, Asked::Anew, Asked::ByReading] {
            let life = life();
            let ticket = begin(&life, OTHER, Never).unwrap();
            let mut failing = Meanwhile(|| {
                life.fail(&ticket, "boom".into(), || {});
                life.end(&ticket);
            });
            assert_eq!(life.begin_start(ME, asked, &mut failing).unwrap(), None);
            assert_eq!(life.state(), ServiceState::Failed);
        }
    }

    #[test]
    fn a_ticket_that_is_dropped_in_the_middle_of_run_is_a_failure_and_frees_the_service() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        life.abort(&ticket);
        assert_eq!(entered(&life).last(), Some(&(ServiceState::Failed, Some("interrupted".to_owned()))));
        assert_idle(&life);
    }

    #[test]
    fn a_ticket_that_is_dropped_after_its_end_changes_nothing() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        finish(&life, &ticket);
        stop(&life, ME);
        let next = begin(&life, OTHER, Never).unwrap();
        life.abort(&ticket);
        assert_eq!((life.state(), life.holder()), (ServiceState::Started, Some(OTHER)));
        life.abort(&next);
    }

    #[test]
    fn of_many_threads_one_gets_the_ticket_and_all_see_it_run() {
        let life = life();
        let waiting: Vec<_> = (0..8).map(|_| Arc::new(Signal::new())).collect();
        let ticket = begin(&life, ME, Never).unwrap();
        thread::scope(|scope| {
            for (number, waiting) in waiting.iter().enumerate() {
                let life = &life;
                scope.spawn(move || {
                    assert_eq!(begin(life, Ident(100 + number as u64), Announced(Arc::clone(waiting))), None);
                    assert!(life.is_running());
                });
            }
            for waiting in &waiting {
                assert!(waiting.wait(Some(Duration::from_secs(20))));
            }
            finish(&life, &ticket);
        });
        assert_idle(&life);
    }

    #[test]
    fn a_start_inside_its_own_start_does_nothing_and_does_not_wait() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        assert_eq!(begin(&life, ME, Never), None);
        life.ran(&ticket);
        assert_eq!(begin(&life, ME, Never), None);
        life.end(&ticket);
    }

    #[test]
    fn a_state_that_run_chose_itself_is_kept_and_no_post_run_is_due() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        write(&life, |flags| flags.state(ServiceState::Failed, Some("assigned".into())));
        assert!(!life.ran(&ticket));
        life.end(&ticket);
        assert_eq!(life.state(), ServiceState::Failed);
    }

    #[test]
    fn a_failure_is_recorded_once_with_its_reason() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        let mut recorded = false;
        assert!(life.fail(&ticket, "no route".into(), || recorded = true));
        life.end(&ticket);
        assert!(recorded);
        let expected = [(ServiceState::Started, None), (ServiceState::Failed, Some("no route".to_owned()))];
        assert_eq!(entered(&life), expected);
        assert_eq!(begin(&life, ME, Never), None);
    }

    #[test]
    fn a_failure_after_run_is_one_too() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        assert!(life.ran(&ticket));
        assert!(life.fail(&ticket, "post_run".into(), || {}));
        assert_eq!(life.state(), ServiceState::Failed);
    }

    #[test]
    fn a_ticket_that_has_ended_reports_nothing_more() {
        let life = running();
        stop(&life, ME);
        let ticket = begin(&life, ME, Never).unwrap();
        finish(&life, &ticket);
        assert!(!life.ran(&ticket) && !life.fail(&ticket, "late".into(), || panic!("recorded")));
        life.end(&ticket);
        assert!(life.is_running());
    }

    #[test]
    fn a_start_that_times_out_names_who_holds_the_service_and_leaves_the_queue() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let refused = life.begin_start(ME, Asked::Explicitly, &mut TimesOut).unwrap_err();
        assert!(matches!(refused, Refused::TimedOut(OTHER)), "{refused}");
        finish(&life, &ticket);
        assert_idle(&life);
    }

    #[test]
    fn an_interrupted_wait_says_so_and_leaves_the_queue() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let refused = life.begin_start(ME, Asked::Explicitly, &mut CtrlC).unwrap_err();
        assert!(matches!(refused, Refused::Interrupted("ctrl-c")));
        finish(&life, &ticket);
        assert_idle(&life);
    }

    #[test]
    fn a_deadline_that_is_over_just_after_the_outcome_is_none() {
        struct TooLate<F>(F);
        impl<F: FnMut()> Blocking for TooLate<F> {
            type Interrupt = Infallible;
            fn wait(&mut self, _: &Signal) -> Result<Waited, Infallible> {
                (self.0)();
                Ok(Waited::TimedOut)
            }
            fn renew(&mut self) {}
        }
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        assert_eq!(begin(&life, ME, TooLate(|| finish(&life, &ticket))), None);
    }
}

mod reading {
    use super::*;

    #[test]
    fn a_read_of_a_running_service_never_waits() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        write(&life, |flags| flags.has_app(true));
        life.ran(&ticket);
        assert!(!life.starts_when_read());
        assert_eq!(read(&life, ME, Never), None);
    }

    #[test]
    fn a_reader_is_let_go_when_run_has_ended_and_a_starter_at_the_very_end() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let reader = Meanwhile(|| assert!(life.ran(&ticket)));
        assert_eq!(read(&life, ME, reader), None);
        assert_eq!(begin(&life, ME, Meanwhile(|| life.end(&ticket))), None);
    }

    #[test]
    fn a_reader_waits_for_the_end_of_run_even_if_there_is_an_app_already() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        write(&life, |flags| flags.has_app(true));
        assert!(life.starts_when_read());
        assert_eq!(read(&life, ME, Meanwhile(|| finish(&life, &ticket))), None);
    }

    #[test]
    fn a_reader_of_a_failed_start_is_let_go_when_the_app_is_dropped_whatever_failed_still_does() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        write(&life, |flags| flags.has_app(true));
        life.fail(&ticket, "boom".into(), || {});
        assert!(life.starts_when_read(), "what the failed run has left is not for readers");
        assert_eq!(read(&life, ME, Meanwhile(|| write(&life, |flags| flags.has_app(false)))), None);
        assert_eq!((life.state(), life.holder()), (ServiceState::Failed, Some(OTHER)));
        assert!(!life.starts_when_read());
    }

    #[test]
    fn a_read_inside_run_post_run_and_failed_starts_nothing() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        assert_eq!(read(&life, ME, Never), None);
        life.fail(&ticket, "boom".into(), || {});
        assert_eq!(read(&life, ME, Never), None);
        write(&life, |flags| flags.state(ServiceState::NotStarted, None));
        assert_eq!(read(&life, ME, Never), None);
    }

    #[test]
    fn a_read_inside_a_reset_starts_nothing_but_the_reset_does() {
        let life = running();
        let ticket = begin_end(&life, ME, Purpose::Reset);
        life.clear(&ticket, || {}).unwrap();
        assert_eq!(read(&life, ME, Never), None);
        assert!(begin(&life, ME, Never).is_some());
    }

    #[test]
    fn a_reader_waits_through_a_reset_that_has_disabled_the_service_for_a_moment() {
        let life = running();
        let ticket = begin_end(&life, OTHER, Purpose::Reset);
        assert!(!life.starts_when_read(), "until it is cleared, the app is there");
        life.clear(&ticket, || {}).unwrap();
        write(&life, |flags| flags.enabled(false));
        assert!(life.starts_when_read());
        let reader = Meanwhile(|| {
            write(&life, |flags| flags.enabled(true));
            run(&life, OTHER);
        });
        assert_eq!(read(&life, ME, reader), None);
        life.end(&ticket);
        assert!(life.is_running() && !life.starts_when_read());
    }

    #[test]
    fn until_a_reset_clears_it_a_disabled_service_is_read_as_it_was() {
        let life = life();
        write(&life, |flags| flags.enabled(false));
        let ticket = begin_end(&life, OTHER, Purpose::Reset);
        assert!(!life.starts_when_read());
        life.clear(&ticket, || {}).unwrap();
        assert!(life.starts_when_read());
        life.end(&ticket);
        assert!(!life.starts_when_read());
    }

    #[test]
    fn a_read_closes_no_cycle_where_it_would_start_nothing() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        begin(&a, ME, Never).unwrap();
        begin(&b, ME, Never).unwrap();
        assert_eq!(read(&a, ME, Never), None);
    }
}

mod cycles {
    use super::*;

    fn cycle(refused: Refused<Infallible>) -> String {
        let Refused::Cycle(cycle) = refused else { panic!("{refused}") };
        cycle.path()
    }

    #[test]
    fn services_that_start_each_other_on_one_thread_are_refused_with_the_cycle() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        begin(&a, ME, Never).unwrap();
        begin(&b, ME, Never).unwrap();
        assert_eq!(cycle(a.begin_start(ME, Asked::Explicitly, &mut Never).unwrap_err()), "a -> b -> a");
    }

    #[test]
    fn services_that_start_each_other_on_two_threads_are_refused_with_the_cycle() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        let held = begin(&a, ME, Never).unwrap();
        let inner = begin(&b, OTHER, Never).unwrap();
        let other = Meanwhile(|| {
            assert_eq!(cycle(b.begin_start(ME, Asked::Explicitly, &mut Never).unwrap_err()), "b -> a -> b");
            a.fail(&held, "start cycle".into(), || {});
            a.end(&held);
        });
        assert_eq!(begin(&a, OTHER, other), None);
        b.end(&inner);
        assert_idle(&a);
    }

    #[test]
    fn a_reset_that_waits_for_who_waits_for_it_is_refused_too() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        let held = begin(&a, ME, Never).unwrap();
        begin(&b, OTHER, Never).unwrap();
        let other = Meanwhile(|| {
            assert_eq!(cycle(b.begin_end(ME, Purpose::Reset, &mut Never).unwrap_err()), "b -> a -> b");
            a.end(&held);
        });
        assert_eq!(begin(&a, OTHER, other), None);
        assert_eq!(b.generation(), 1);
    }

    #[test]
    fn a_cycle_through_a_reset_names_each_service_once() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        begin(&b, ME, Never).unwrap();
        let ticket = begin_end(&a, ME, Purpose::Reset);
        a.clear(&ticket, || {}).unwrap();
        begin(&a, ME, Never).unwrap();
        assert_eq!(cycle(b.begin_start(ME, Asked::Explicitly, &mut Never).unwrap_err()), "b -> a -> b");
    }
}

mod resetting {
    use super::*;

    #[test]
    fn a_reset_begins_a_generation_and_is_the_way_out_of_failed() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        life.fail(&ticket, "boom".into(), || {});
        life.end(&ticket);
        reset(&life, ME);
        assert!(life.is_running());
        assert_eq!(life.generation(), 2);
        assert_idle(&life);
    }

    #[test]
    fn a_reset_waits_for_a_start_that_is_under_way() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let mut waited = Meanwhile(|| finish(&life, &ticket));
        let reset = life.begin_end(ME, Purpose::Reset, &mut waited).unwrap();
        assert!(life.is_running(), "the start had its outcome");
        assert!(life.clear(&reset, || {}).is_some());
    }

    #[test]
    fn a_start_that_waits_for_a_reset_has_its_outcome() {
        let life = running();
        let ticket = begin_end(&life, OTHER, Purpose::Reset);
        let resetter = Meanwhile(|| {
            life.clear(&ticket, || {}).unwrap();
            run(&life, OTHER);
            life.end(&ticket);
        });
        assert_eq!(begin(&life, ME, resetter), None);
        assert!(life.is_running());
    }

    #[test]
    fn two_resets_come_one_after_the_other() {
        let life = running();
        let first = begin_end(&life, OTHER, Purpose::Reset);
        let mut waited = Meanwhile(|| {
            life.clear(&first, || {}).unwrap();
            run(&life, OTHER);
            life.end(&first);
        });
        let second = life.begin_end(ME, Purpose::Reset, &mut waited).unwrap();
        life.clear(&second, || {}).unwrap();
        run(&life, ME);
        life.end(&second);
        assert_eq!(life.generation(), 3);
        assert!(life.is_running());
        assert_idle(&life);
    }

    /// A start by `OTHER` hangs; `ME` has given it up and started anew.
    fn given_up() -> (Life, Ticket) {
        let life = life();
        let hung = begin(&life, OTHER, Never).unwrap();
        let ticket = life.begin_end(ME, Purpose::Reset, &mut TimesOut).unwrap();
        life.clear(&ticket, || {}).unwrap();
        run(&life, ME);
        life.end(&ticket);
        (life, hung)
    }

    #[test]
    fn a_start_that_hangs_is_given_up_at_the_deadline() {
        let (life, _hung) = given_up();
        assert!(life.is_running());
        assert_eq!(life.holder(), None);
    }

    #[test]
    fn what_a_given_up_start_reports_is_dropped() {
        let (life, hung) = given_up();
        assert!(!life.ran(&hung));
        assert!(!life.fail(&hung, "late".into(), || panic!("recorded")));
        assert_eq!(life.clear(&hung, || panic!("dropped the app")), None::<()>);
        life.end(&hung);
        assert!(life.is_running());
    }

    #[test]
    fn what_a_given_up_start_writes_is_dropped_until_its_end() {
        let (life, hung) = given_up();
        assert!(life.has_late_writers());
        assert_eq!(life.write(None, |_| panic!("written")), Written::<()>::WhoWrites);
        assert_eq!(life.write(Some(OTHER), |_| panic!("written")), Written::<()>::Late);
        assert_eq!(life.write(Some(ME), |_| 7), Written::Done(7));
        life.end(&hung);
        assert!(!life.has_late_writers());
        assert_eq!(life.write(None, |_| 8), Written::Done(8));
    }

    #[test]
    fn a_given_up_start_starts_nothing_and_waits_for_nobody() {
        let (life, hung) = given_up();
        stop(&life, ME);
        assert_eq!(begin(&life, OTHER, Never), None);
        let ticket = begin(&life, ME, Never).unwrap();
        assert_eq!(begin(&life, OTHER, Never), None);
        assert_eq!(read(&life, OTHER, Never), None);
        finish(&life, &ticket);
        stop(&life, ME);
        life.end(&hung);
        run(&life, OTHER);
    }

    #[test]
    fn a_reset_that_a_stop_gave_up_does_not_start_the_service_again() {
        let life = running();
        let reset = begin_end(&life, OTHER, Purpose::Reset);
        let ticket = life.begin_end(ME, Purpose::Stop, &mut TimesOut).unwrap();
        life.clear(&ticket, || {}).unwrap();
        life.end(&ticket);
        assert_eq!(life.clear(&reset, || ()), None);
        assert_eq!(begin(&life, OTHER, Never), None);
        life.end(&reset);
        assert!(life.is_ready());
        assert_idle(&life);
    }

    #[test]
    fn a_given_up_start_admits_no_daemon() {
        let (life, hung) = given_up();
        assert_eq!(admitted(&life, OTHER), Ok(false));
        life.end(&hung);
        assert_eq!(life.admit(OTHER, &"worker".into()).unwrap().unwrap().generation(), 2);
    }

    #[test]
    fn whoever_waited_for_a_given_up_start_waits_for_the_new_one() {
        let life = life();
        let hung = begin(&life, OTHER, Never).unwrap();
        let starter = Meanwhile(|| {
            let ticket = life.begin_end(ME, Purpose::Reset, &mut TimesOut).unwrap();
            life.clear(&ticket, || {}).unwrap();
            run(&life, ME);
            life.end(&ticket);
        });
        assert_eq!(begin(&life, THIRD, starter), None);
        assert!(life.is_running());
        life.end(&hung);
        assert_idle(&life);
    }

    #[test]
    fn of_two_resets_behind_a_hung_start_the_second_gives_the_first_ones_start_its_own_time() {
        let life = life();
        let hung = begin(&life, OTHER, Never).unwrap();
        let first = Cell::new(None);
        let mut waits = Waits::new(vec![
            // Both deadlines are over, this one's a moment later.
            Box::new(|signal| {
                let ticket = life.begin_end(THIRD, Purpose::Reset, &mut TimesOut).unwrap();
                life.clear(&ticket, || {}).unwrap();
                first.set(Some((ticket, begin(&life, THIRD, Never).unwrap())));
                assert!(signal.is_set(), "this caller does not notice that it waits for another");
                Waited::TimedOut
            }),
            Box::new(|_| {
                let (ticket, start) = first.take().unwrap();
                assert!(life.ran(&start), "the new start was given up");
                life.end(&start);
                life.end(&ticket);
                Waited::Happened
            }),
        ]);
        let second = life.begin_end(ME, Purpose::Reset, &mut waits).unwrap();
        assert_eq!((waits.0.len(), waits.1), (0, 2), "a deadline for the first reset, and one for itself");
        assert_eq!((life.generation(), life.holder()), (3, Some(ME)));
        life.end(&second);
        life.end(&hung);
        assert_idle(&life);
    }

    #[test]
    fn a_holder_that_has_had_its_own_time_is_given_up_like_the_one_before() {
        let life = life();
        begin(&life, OTHER, Never).unwrap();
        let mut waits = Waits::new(vec![
            Box::new(|_| {
                life.begin_end(THIRD, Purpose::Reset, &mut TimesOut).unwrap();
                Waited::TimedOut
            }),
            Box::new(|_| Waited::TimedOut),
        ]);
        let ticket = life.begin_end(ME, Purpose::Reset, &mut waits).unwrap();
        assert!(life.clear(&ticket, || {}).is_some());
        assert_eq!(life.holder(), Some(ME));
    }

    #[test]
    fn what_the_holder_takes_inside_gives_it_no_more_time() {
        let life = running();
        let outer = begin_end(&life, OTHER, Purpose::Reset);
        let mut waits = Waits::new(vec![Box::new(|_| {
            life.clear(&outer, || {}).unwrap();
            begin(&life, OTHER, Never).unwrap();
            Waited::TimedOut
        })]);
        life.begin_end(ME, Purpose::Stop, &mut waits).unwrap();
        assert_eq!((life.holder(), waits.1), (Some(ME), 0));
    }

    #[test]
    fn resets_take_their_turns_in_the_order_in_which_they_came() {
        let life = running();
        let ticket = begin_end(&life, ME, Purpose::Reset);
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..8 {
                let waiting = Arc::new(Signal::new());
                let (announced, life, order) = (Arc::clone(&waiting), &life, &order);
                scope.spawn(move || {
                    let me = Ident(100 + number);
                    let ticket = life.begin_end(me, Purpose::Reset, &mut Announced(announced)).unwrap();
                    order.lock().push(number);
                    life.end(&ticket);
                });
                assert!(waiting.wait(Some(Duration::from_secs(20))));
            }
            life.end(&ticket);
        });
        assert_eq!(*order.lock(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_idle(&life);
    }

    #[test]
    fn whoever_is_next_and_does_not_come_keeps_nobody_waiting_for_ever() {
        let life = running();
        let ticket = begin_end(&life, OTHER, Purpose::Reset);
        let first = Waits::new(vec![Box::new(|_| {
            let mut second = Waits::new(vec![
                Box::new(|signal| {
                    life.end(&ticket);
                    assert!(signal.is_set());
                    Waited::Happened
                }),
                // The gate is free, but the first one's: it is not scheduled.
                Box::new(|_| Waited::TimedOut),
            ]);
            let ticket = life.begin_end(THIRD, Purpose::Reset, &mut second).unwrap();
            life.end(&ticket);
            Waited::Happened
        })]);
        let ticket = life.begin_end(ME, Purpose::Reset, &mut { first }).unwrap();
        life.end(&ticket);
        assert_eq!(life.generation(), 4);
        assert_idle(&life);
    }

    #[test]
    fn a_start_that_comes_between_two_turns_has_its_own_time() {
        let life = life();
        let ticket = begin_end(&life, OTHER, Purpose::Reset);
        let first = Waits::new(vec![Box::new(|_| {
            let started = Cell::new(None);
            let mut second = Waits::new(vec![
                Box::new(|_| {
                    life.end(&ticket);
                    Waited::Happened
                }),
                Box::new(|_| {
                    started.set(begin(&life, Ident(4), Never));
                    Waited::TimedOut
                }),
                Box::new(|_| {
                    let start = started.take().unwrap();
                    assert!(life.ran(&start));
                    life.end(&start);
                    Waited::TimedOut
                }),
                Box::new(|_| Waited::TimedOut),
            ]);
            let ticket = life.begin_end(THIRD, Purpose::Reset, &mut second).unwrap();
            assert!(second.0.is_empty(), "the start was given up at a deadline that was not its own");
            life.end(&ticket);
            Waited::Happened
        })]);
        life.begin_end(ME, Purpose::Reset, &mut { first }).unwrap();
    }

    #[test]
    fn an_interrupted_reset_lets_the_next_in_line_have_its_turn() {
        let life = running();
        let ticket = begin_end(&life, OTHER, Purpose::Reset);
        let waiting = Arc::new(Signal::new());
        thread::scope(|scope| {
            let (announced, shared) = (Arc::clone(&waiting), &life);
            let mut interrupted = CtrlCAfter(|| {
                let announced = Arc::clone(&announced);
                scope.spawn(move || {
                    let ticket = shared.begin_end(THIRD, Purpose::Reset, &mut Announced(announced)).unwrap();
                    shared.end(&ticket);
                });
                assert!(waiting.wait(Some(Duration::from_secs(20))));
                life.end(&ticket);
            });
            life.begin_end(ME, Purpose::Reset, &mut interrupted).unwrap_err();
        });
        assert_eq!(life.generation(), 3);
        assert_idle(&life);
    }

    #[test]
    fn an_interrupted_reset_changes_nothing() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let refused = life.begin_end(ME, Purpose::Reset, &mut CtrlC).unwrap_err();
        assert!(matches!(refused, Refused::Interrupted("ctrl-c")));
        assert_eq!(life.generation(), 1);
        assert!(life.ran(&ticket));
    }

    #[test]
    fn a_reset_inside_run_starts_anew_and_the_outer_run_is_past() {
        let life = life();
        let outer = begin(&life, ME, Never).unwrap();
        reset(&life, ME);
        assert!(life.is_running());
        assert_eq!(life.write(Some(ME), |_| ()), Written::Late);
        assert!(!life.ran(&outer) && !life.fail(&outer, "late".into(), || {}));
        assert_eq!(life.holder(), Some(ME), "the outer run is not over");
        life.end(&outer);
        assert!(life.is_running());
        assert_idle(&life);
    }

    #[test]
    fn a_reset_inside_a_reset_replaces_it() {
        let life = running();
        let outer = begin_end(&life, ME, Purpose::Reset);
        life.clear(&outer, || {}).unwrap();
        reset(&life, ME);
        assert_eq!(life.clear(&outer, || ()), None);
        life.end(&outer);
        assert!(life.is_running());
        assert_idle(&life);
    }
}

mod daemons {
    use super::*;

    const DAEMON: Ident = Ident(7);

    /// A service with a daemon that runs on a thread of its own.
    fn with_daemon() -> (Life, Arc<Daemon>) {
        let life = running();
        let daemon = life.admit(ME, &"worker".into()).unwrap().unwrap();
        assert!(daemon.begin(DAEMON));
        (life, daemon)
    }

    #[test]
    fn a_daemon_of_the_generation_in_force_is_a_writer_as_any_other() {
        let (life, _daemon) = with_daemon();
        assert!(!life.has_late_writers());
        assert_eq!(life.write(Some(DAEMON), |_| 7), Written::Done(7));
    }

    #[test]
    fn what_a_daemon_of_a_past_generation_writes_is_dropped_until_its_end() {
        let (life, daemon) = with_daemon();
        stop(&life, ME);
        assert!(life.has_late_writers());
        assert_eq!(life.write(None, |_| panic!("written")), Written::<()>::WhoWrites);
        assert_eq!(life.write(Some(DAEMON), |_| panic!("written")), Written::<()>::Late);
        assert_eq!(life.write(Some(ME), |_| 7), Written::Done(7));
        daemon.finish(None, || {});
        life.daemon_ended();
        assert!(!life.has_late_writers());
        // Another thread by now.
        assert_eq!(life.write(Some(DAEMON), |_| 8), Written::Done(8));
    }

    #[test]
    fn a_daemon_that_resets_its_service_works_for_the_new_generation_until_the_reset_ends() {
        let (life, _daemon) = with_daemon();
        let ticket = begin_end(&life, DAEMON, Purpose::Reset);
        life.clear(&ticket, || {}).unwrap();
        assert_eq!(life.write(Some(DAEMON), |_| 7), Written::Done(7));
        assert_eq!(admitted(&life, DAEMON), Ok(true));
        run(&life, DAEMON);
        life.end(&ticket);
        assert_eq!(life.write(Some(DAEMON), |_| 8), Written::Late);
        assert_eq!(admitted(&life, DAEMON), Ok(false));
    }

    #[test]
    fn a_daemon_that_resets_or_starts_its_service_while_a_stop_ends_it_does_not_bring_it_back() {
        let (life, _daemon) = with_daemon();
        let stop = begin_end(&life, ME, Purpose::Stop);
        let reset = begin_end(&life, DAEMON, Purpose::Reset);
        assert!(!life.is_in_force(&reset) && life.is_in_force(&stop));
        assert_eq!(life.clear(&reset, || panic!("dropped the app")), None::<()>);
        life.end(&reset);
        assert_eq!(begin(&life, DAEMON, Never), None);
        life.clear(&stop, || {}).unwrap();
        life.end(&stop);
        assert_eq!(begin(&life, DAEMON, Never), None);
        assert!(!life.is_in_force(&begin_end(&life, DAEMON, Purpose::Reset)));
        assert_eq!((life.generation(), life.holder()), (2, None));
    }

    #[test]
    fn a_daemon_that_waits_to_reset_its_service_goes_on_when_a_stop_comes_first() {
        let life = life();
        // The daemon resets in the middle of the `post_run` that spawned it.
        let start = begin(&life, OTHER, Never).unwrap();
        life.ran(&start);
        let daemon = life.admit(OTHER, &"worker".into()).unwrap().unwrap();
        assert!(daemon.begin(DAEMON));
        let mut stopped = Meanwhile(|| {
            let stop = life.begin_end(ME, Purpose::Stop, &mut TimesOut).unwrap();
            life.clear(&stop, || {}).unwrap();
        });
        let reset = life.begin_end(DAEMON, Purpose::Reset, &mut stopped).unwrap();
        assert!(!life.is_in_force(&reset));
        assert_eq!(life.holder(), Some(ME), "the stop was given up");
    }

    #[test]
    fn a_daemon_of_a_past_generation_may_stop_its_service() {
        let (life, _daemon) = with_daemon();
        reset(&life, ME);
        stop(&life, DAEMON);
        assert!(life.is_ready() && !life.starts_when_read());
    }

    #[test]
    fn a_daemon_of_a_past_generation_that_reads_waits_for_the_new_app() {
        let (life, _daemon) = with_daemon();
        let ticket = begin_end(&life, ME, Purpose::Reset);
        life.clear(&ticket, || {}).unwrap();
        let resetter = Meanwhile(|| {
            run(&life, ME);
            life.end(&ticket);
        });
        assert_eq!(read(&life, DAEMON, resetter), None);
        assert!(life.is_running());
    }

    #[test]
    fn a_given_up_start_resets_nothing() {
        let life = life();
        begin(&life, OTHER, Never).unwrap();
        let ticket = life.begin_end(ME, Purpose::Reset, &mut TimesOut).unwrap();
        life.clear(&ticket, || {}).unwrap();
        run(&life, ME);
        life.end(&ticket);
        assert!(!life.is_in_force(&begin_end(&life, OTHER, Purpose::Reset)));
        assert!(life.is_running());
    }

    #[test]
    fn a_daemons_stop_signal_is_its_own() {
        let (life, daemon) = with_daemon();
        assert!(Arc::ptr_eq(&life.stop_signal(DAEMON), daemon.stop()));
        assert!(!Arc::ptr_eq(&life.stop_signal(ME), daemon.stop()));
    }

    #[test]
    fn in_a_forked_child_no_daemon_is_a_late_writer() {
        let (life, _daemon) = with_daemon();
        reset(&life, ME);
        life.process.keep_only(DAEMON);
        life.daemons().forked();
        life.forked(DAEMON, false);
        assert!(!life.has_late_writers());
        assert_eq!(life.write(Some(DAEMON), |_| 7), Written::Done(7));
    }
}

mod asking {
    use super::*;

    #[test]
    fn the_end_of_a_generation_asks_it_to_stop_for_good_and_not_the_next_one() {
        let life = running();
        let stop = life.stop_signal(OTHER);
        assert!(!stop.is_set());
        reset(&life, ME);
        assert!(stop.is_set() && !life.stop_signal(OTHER).is_set());
    }

    #[test]
    fn a_reset_that_waits_for_a_start_asks_it_to_stop() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let stop = life.stop_signal(OTHER);
        let mut polite = Meanwhile(|| {
            assert!(stop.is_set() && life.stop_signal(OTHER).is_set());
            finish(&life, &ticket);
        });
        life.begin_end(ME, Purpose::Reset, &mut polite).unwrap();
    }

    #[test]
    fn a_reset_that_closes_a_cycle_asks_nobody() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        let held = begin(&a, ME, Never).unwrap();
        begin(&b, OTHER, Never).unwrap();
        let stop = b.stop_signal(OTHER);
        let other = Meanwhile(|| {
            b.begin_end(ME, Purpose::Reset, &mut Never).unwrap_err();
            a.end(&held);
        });
        begin(&a, OTHER, other);
        assert!(!stop.is_set());
    }

    #[test]
    fn an_interrupted_reset_takes_its_request_back() {
        let life = life();
        begin(&life, OTHER, Never).unwrap();
        let stop = life.stop_signal(OTHER);
        life.begin_end(ME, Purpose::Reset, &mut CtrlCAfter(|| assert!(stop.is_set()))).unwrap_err();
        assert!(!stop.is_set() && !stop.wait(Some(Duration::ZERO)));
        assert!(Arc::ptr_eq(&stop, &life.stop_signal(OTHER)), "the generation goes on with the signal that it has");
    }

    #[test]
    fn a_request_stands_as_long_as_anybody_waits() {
        let life = life();
        let ticket = begin(&life, OTHER, Never).unwrap();
        let stop = life.stop_signal(OTHER);
        let mut waits = Meanwhile(|| {
            life.begin_end(THIRD, Purpose::Stop, &mut CtrlC).unwrap_err();
            assert!(stop.is_set());
            finish(&life, &ticket);
        });
        life.begin_end(ME, Purpose::Reset, &mut waits).unwrap();
    }

    #[test]
    fn whoever_still_waits_asks_the_next_start_too() {
        let life = life();
        begin(&life, OTHER, Never).unwrap();
        let mut waits = Waits::new(vec![
            Box::new(|_| {
                let ticket = life.begin_end(THIRD, Purpose::Reset, &mut TimesOut).unwrap();
                life.clear(&ticket, || {}).unwrap();
                begin(&life, THIRD, Never).unwrap();
                assert!(!life.stop_signal(THIRD).is_set());
                Waited::TimedOut
            }),
            Box::new(|_| {
                assert!(life.stop_signal(THIRD).is_set());
                Waited::TimedOut
            }),
        ]);
        life.begin_end(ME, Purpose::Reset, &mut waits).unwrap();
    }

    #[test]
    fn a_given_up_start_that_looks_late_is_asked_to_stop() {
        let life = life();
        let hung = begin(&life, OTHER, Never).unwrap();
        let ticket = life.begin_end(ME, Purpose::Reset, &mut TimesOut).unwrap();
        life.end(&ticket);
        assert!(life.stop_signal(OTHER).is_set() && !life.stop_signal(ME).is_set());
        life.end(&hung);
        assert!(!life.stop_signal(OTHER).is_set());
    }

    #[test]
    fn a_forked_child_has_a_signal_of_its_own() {
        let life = life();
        let stop = life.stop_signal(ME);
        life.process.keep_only(ME);
        assert!(!Arc::ptr_eq(&stop, &life.stop_signal(ME)));
    }
}

mod stopping {
    use super::*;

    #[test]
    fn a_stopped_service_is_not_started_by_a_read_but_by_a_start_and_by_a_reset() {
        let life = running();
        stop(&life, ME);
        assert!(life.is_ready() && !life.starts_when_read());
        assert_eq!(read(&life, ME, Never), None);
        run(&life, ME);
        assert!(life.is_running());
        stop(&life, ME);
        reset(&life, ME);
        assert!(life.is_running());
    }

    #[test]
    fn a_stop_takes_out_the_app_and_leaves_the_roster() {
        let life = running();
        let ticket = begin_end(&life, ME, Purpose::Stop);
        assert_eq!(life.clear(&ticket, || "app"), Some("app"));
        assert_eq!(life.process.roster.members(), ["service"], "it is not over yet");
        life.end(&ticket);
        assert!(life.process.roster.members().is_empty());
    }

    #[test]
    fn a_start_that_waits_for_a_stop_starts_after_it() {
        let life = running();
        let ticket = begin_end(&life, OTHER, Purpose::Stop);
        let stopper = Meanwhile(|| {
            life.clear(&ticket, || {}).unwrap();
            life.end(&ticket);
        });
        // It has an app until the stop clears it, but the gate is what is asked first.
        let started = begin(&life, ME, stopper).unwrap();
        finish(&life, &started);
        assert!(life.is_running());
    }

    #[test]
    fn a_reader_that_waits_for_a_stop_leaves_the_service_stopped() {
        let life = life();
        let ticket = begin_end(&life, OTHER, Purpose::Stop);
        let stopper = Meanwhile(|| {
            life.clear(&ticket, || {}).unwrap();
            life.end(&ticket);
        });
        assert_eq!(read(&life, ME, stopper), None);
        assert!(life.is_ready());
    }

    #[test]
    fn a_stop_that_was_not_carried_out_leaves_the_service_in_the_roster() {
        let life = running();
        let ticket = begin_end(&life, ME, Purpose::Stop);
        life.end(&ticket);
        assert!(life.is_running());
        assert_eq!(life.process.roster.members(), ["service"]);
    }

    #[test]
    fn a_service_that_is_assigned_a_state_is_no_longer_stopped() {
        let life = running();
        stop(&life, ME);
        write(&life, |flags| flags.state(ServiceState::NotStarted, None));
        assert!(life.starts_when_read());
    }

    #[test]
    fn while_somebody_ends_the_generation_no_daemon_is_admitted() {
        let life = running();
        for purpose in [Purpose::Stop, Purpose::Reset] {
            let ticket = begin_end(&life, OTHER, purpose);
            assert_eq!(admitted(&life, ME), Ok(false));
            assert_eq!(admitted(&life, OTHER), Ok(true));
            life.end(&ticket);
            assert_eq!(admitted(&life, ME), Ok(true));
        }
    }
}

mod roster {
    use super::*;

    #[test]
    fn after_a_shutdown_nothing_starts_and_nothing_changes() {
        let life = life();
        life.process.roster.close();
        let refused = life.begin_start(ME, Asked::Explicitly, &mut Never).unwrap_err();
        assert!(matches!(refused, Refused::Closed(Closed)));
        assert_eq!(admitted(&life, ME), Err(Closed));
        assert!(life.is_ready() && entered(&life).is_empty());
        assert_idle(&life);
        life.process.roster.open();
        run(&life, ME);
    }

    #[test]
    fn after_a_shutdown_the_start_of_a_disabled_service_is_refused_as_well_but_not_a_read() {
        let life = life();
        write(&life, |flags| flags.enabled(false));
        life.process.roster.close();
        let refused = life.begin_start(ME, Asked::Explicitly, &mut Never).unwrap_err();
        assert!(matches!(refused, Refused::Closed(Closed)));
        assert_eq!(read(&life, ME, Never), None);
    }

    #[test]
    fn after_a_shutdown_the_start_of_what_has_started_does_nothing() {
        let life = running();
        life.process.roster.close();
        assert_eq!(begin(&life, ME, Never), None);
    }

    #[test]
    fn whoever_is_needed_by_another_is_stopped_after_it() {
        let process = Arc::default();
        let (a, b) = (life_of(&process, "a"), life_of(&process, "b"));
        let outer = begin(&a, ME, Never).unwrap();
        run(&b, ME);
        finish(&a, &outer);
        assert_eq!(process.roster.members(), ["b", "a"]);
    }

    #[test]
    fn a_service_is_in_the_roster_once_however_often_it_starts() {
        let life = running();
        reset(&life, ME);
        stop(&life, ME);
        run(&life, ME);
        assert_eq!(life.process.roster.members(), ["service"]);
    }

    #[test]
    fn a_service_with_a_daemon_is_in_the_roster_although_it_never_started() {
        let life = life();
        assert_eq!(life.admit(ME, &"worker".into()).unwrap().unwrap().generation(), 1);
        admitted(&life, ME).unwrap();
        assert_eq!(life.process.roster.members(), ["service"]);
    }

    #[test]
    fn whoever_a_shutdown_has_taken_out_is_entered_again() {
        let life = running();
        life.process.roster.pop_last();
        admitted(&life, ME).unwrap();
        assert_eq!(life.process.roster.members(), ["service"]);
    }

    #[test]
    fn a_service_that_is_gone_has_left_the_roster() {
        let life = running();
        let process = Arc::clone(&life.process);
        drop(life);
        assert!(process.roster.members().is_empty());
    }
}

mod writing {
    use super::*;

    #[test]
    fn an_assigned_state_is_an_event_if_it_is_another() {
        let life = life();
        write(&life, |flags| flags.state(ServiceState::NotStarted, Some("assigned".into())));
        write(&life, |flags| flags.state(ServiceState::Running, Some("assigned".into())));
        assert_eq!(entered(&life), [(ServiceState::Running, Some("assigned".to_owned()))]);
        assert!(!life.is_running(), "it has no app");
    }

    #[test]
    fn events_tell_the_whole_life_in_order_with_reasons() {
        use ServiceState::{NotStarted, Running, Started};
        let life = running();
        reset(&life, ME);
        stop(&life, ME);
        let reason = |reason: &str| Some(reason.to_owned());
        let expected = [
            (Started, None),
            (Running, None),
            (NotStarted, reason("reset")),
            (Started, None),
            (Running, None),
            (NotStarted, reason("stopped")),
        ];
        assert_eq!(entered(&life), expected);
    }

    #[test]
    fn events_carry_the_name_that_the_service_was_given() {
        let life = life();
        life.rename("stripe".into());
        run(&life, ME);
        assert_eq!(entered(&life).len(), 2);
    }

    #[test]
    fn the_time_of_a_state_is_that_of_its_entry() {
        let life = life();
        let before = life.since();
        run(&life, ME);
        assert!(life.since() >= before);
        let Read::Event(last, _) = life.process.events.read_after(1) else { panic!("no event") };
        assert!((life.since() - last.when).abs() < f64::EPSILON);
    }
}

mod forked {
    use super::*;

    /// What the child does for each service of the roster.
    fn fork(life: &Life, me: Ident, shared: bool) -> bool {
        life.process.keep_only(me);
        life.forked(me, shared)
    }

    #[test]
    fn a_service_that_survives_stays_as_it_is() {
        let life = running();
        assert!(!fork(&life, ME, false));
        assert!(life.is_running());
        assert_eq!(life.generation(), 1);
    }

    #[test]
    fn a_service_that_does_not_survive_starts_again_on_use() {
        let life = running();
        assert!(fork(&life, ME, true));
        assert!(life.is_ready() && life.starts_when_read());
        assert_eq!(entered(&life).last(), Some(&(ServiceState::NotStarted, Some("forked".to_owned()))));
        assert!(life.process.roster.members().is_empty(), "the child has nothing to stop");
        run(&life, ME);
        assert!(life.is_running());
    }

    #[test]
    fn a_start_of_a_thread_that_stayed_behind_is_undone() {
        let life = life();
        begin(&life, OTHER, Never).unwrap();
        assert!(fork(&life, ME, false));
        run(&life, ME);
        assert!(life.is_running());
        assert_idle(&life);
    }

    #[test]
    fn the_forking_threads_own_start_goes_on() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        assert!(!fork(&life, ME, true));
        finish(&life, &ticket);
        assert!(life.is_running());
        assert_idle(&life);
    }

    #[test]
    fn those_who_waited_in_the_parent_are_forgotten() {
        let life = life();
        let ticket = begin(&life, ME, Never).unwrap();
        let forking = Meanwhile(|| {
            assert!(!fork(&life, ME, true));
            finish(&life, &ticket);
        });
        // This caller stayed in the parent: in the child nobody wakes it.
        let waits = thread::scope(|scope| scope.spawn(|| begin(&life, OTHER, forking)).join().is_err());
        assert!(waits);
        assert_idle(&life);
    }

    #[test]
    fn a_failed_service_stays_failed_and_a_stopped_one_stopped() {
        let failed = life();
        let ticket = begin(&failed, ME, Never).unwrap();
        failed.fail(&ticket, "boom".into(), || {});
        failed.end(&ticket);
        assert!(!fork(&failed, ME, true));
        assert_eq!(failed.state(), ServiceState::Failed);
        let stopped = running();
        stop(&stopped, ME);
        fork(&stopped, ME, true);
        assert!(!stopped.starts_when_read());
    }

    #[test]
    fn a_given_up_start_that_stayed_behind_makes_no_writer_late() {
        let life = life();
        begin(&life, OTHER, Never).unwrap();
        let ticket = life.begin_end(ME, Purpose::Reset, &mut TimesOut).unwrap();
        life.end(&ticket);
        assert!(life.has_late_writers());
        fork(&life, ME, false);
        assert!(!life.has_late_writers());
    }

    #[test]
    fn a_holder_that_stayed_behind_frees_a_service_that_was_never_in_the_roster() {
        let life = life();
        begin_end(&life, OTHER, Purpose::Reset);
        life.process.keep_only(ME);
        run(&life, ME);
        assert!(life.is_running());
        assert_idle(&life);
    }

    #[test]
    fn those_who_stood_in_line_in_the_parent_keep_nobody_waiting() {
        let life = life();
        let ticket = begin_end(&life, OTHER, Purpose::Stop);
        // In the parent this caller was about to have its turn; in the child it never comes.
        let stayed_behind = Waits::new(vec![Box::new(|_| {
            life.end(&ticket);
            life.process.keep_only(ME);
            stop(&life, ME);
            Waited::Happened
        })]);
        life.begin_end(THIRD, Purpose::Stop, &mut { stayed_behind }).unwrap();
        assert_eq!(life.generation(), 4);
    }

    #[test]
    fn a_thread_with_the_ident_of_a_holder_that_stayed_behind_is_not_taken_for_it() {
        let life = life();
        begin_end(&life, OTHER, Purpose::Stop);
        life.process.keep_only(ME);
        run(&life, OTHER);
        assert!(life.is_running());
    }
}
