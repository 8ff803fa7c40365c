use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::never;

use super::*;

#[derive(Default)]
struct Told {
    results: Vec<(usize, Result<usize, String>)>,
    wanted: Option<usize>,
}

impl Observer<usize, usize> for Told {
    fn finished(&mut self, job: &usize, result: Result<usize, String>) -> bool {
        self.results.push((*job, result));
        self.wanted.is_none_or(|wanted| self.results.len() < wanted)
    }

    fn tick(&mut self, _: Instant) {}
}

/// Looks at how many jobs are handed out and not yet told.
struct Window<'a> {
    handed_out: &'a AtomicUsize,
    told: usize,
    most: usize,
}

impl Observer<usize, usize> for Window<'_> {
    fn finished(&mut self, _: &usize, result: Result<usize, String>) -> bool {
        self.most = self.most.max(self.handed_out.load(Ordering::SeqCst) - self.told);
        self.told += 1;
        result.is_ok()
    }

    fn tick(&mut self, _: Instant) {}
}

fn settings(threads: usize) -> Settings {
    Settings { threads, interrupted: never(), ticks: never() }
}

#[test]
fn results_are_told_in_order_whatever_was_faster() {
    // The first job ends only after the second has.
    let (second_is_done, wait) = bounded(1);
    let play = Arc::new(move |job: &usize| {
        match job {
            0 => wait.recv().unwrap(),
            1 => second_is_done.send(()).unwrap(),
            _ => {}
        }
        job * 10
    });
    let mut told = Told::default();
    assert_eq!(play_in_order(0..100, &play, &settings(2), &mut told).unwrap(), Ended::Done);
    let expected: Vec<_> = (0..100).map(|job| (job, Ok(job * 10))).collect();
    assert_eq!(told.results, expected);
}

#[test]
fn a_slow_job_holds_back_no_more_than_a_window_of_others() {
    let (release, held) = bounded::<()>(0);
    let begun = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&begun);
    let window = 2 * WINDOW_PER_THREAD;
    // The last job of the window lets the first one go: nothing beyond it can have begun by then.
    let play = Arc::new(move |job: &usize| {
        counter.fetch_add(1, Ordering::SeqCst);
        match *job {
            0 => held.recv().unwrap(),
            last if last == window - 1 => {
                assert_eq!(counter.load(Ordering::SeqCst), window);
                release.send(()).unwrap();
            }
            _ => {}
        }
        *job
    });
    let handed_out = AtomicUsize::new(0);
    let jobs = (0..1000).inspect(|_| {
        handed_out.fetch_add(1, Ordering::SeqCst);
    });
    let mut observer = Window { handed_out: &handed_out, told: 0, most: 0 };
    let ended = play_in_order(jobs, &play, &settings(2), &mut observer).unwrap();
    assert_eq!(ended, Ended::Done);
    assert_eq!(begun.load(Ordering::SeqCst), 1000);
    assert_eq!(observer.most, window);
}

#[test]
fn a_panic_is_its_jobs_result_and_the_others_go_on() {
    let play = Arc::new(|job: &usize| {
        assert!(*job != 3, "job {job} has a mistake");
        *job
    });
    let mut told = Told::default();
    assert_eq!(play_in_order(0..20, &play, &settings(1), &mut told).unwrap(), Ended::Done);
    assert_eq!(told.results.len(), 20);
    assert_eq!(told.results[3], (3, Err("job 3 has a mistake".to_owned())));
    assert_eq!(told.results.iter().filter(|(_, result)| result.is_err()).count(), 1);
}

#[test]
fn an_interruption_abandons_what_was_begun() {
    let (interrupt, interrupted) = bounded(1);
    let (_never_released, held) = bounded::<()>(0);
    let play = Arc::new(move |job: &usize| {
        if *job == 5 {
            interrupt.send(()).unwrap();
            let _ = held.recv();
        }
        *job
    });
    let mut told = Told::default();
    let settings = Settings { threads: 1, interrupted, ticks: never() };
    assert_eq!(play_in_order(0..1000, &play, &settings, &mut told).unwrap(), Ended::Interrupted);
    assert!(told.results.len() <= 5);
}

#[test]
fn an_observer_that_wants_no_more_ends_the_work() {
    let mut told = Told { wanted: Some(7), ..Told::default() };
    let ended = play_in_order(0..usize::MAX, &Arc::new(|job: &usize| *job), &settings(2), &mut told).unwrap();
    assert_eq!((ended, told.results.len()), (Ended::Unwanted, 7));
}

#[test]
fn no_job_is_no_work() {
    let mut told = Told::default();
    assert_eq!(
        play_in_order(0..0, &Arc::new(|job: &usize| *job), &settings(2), &mut told).unwrap(),
        Ended::Done
    );
    assert!(told.results.is_empty());
}
