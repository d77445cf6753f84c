//! Identities inside tasks: by the run, the task and its place, whatever thread it is on.

use musher_graph_core::{Delayed, Identity, RunNumber, Scope, delayed, iterate};
use musher_scheduler::{Client, Compute, Options};
use musher_testkit::everywhere;

/// What tasks make: identities of their own, of runs inside them, and of rounds of a loop.
fn program() -> Delayed<Vec<u128>> {
    let own = |n: u64| {
        let mut made = vec![u128::from(n), RunNumber::here().unwrap().to_bits()];
        made.extend([Identity::fresh(), Identity::fresh()].map(Identity::to_bits));
        let inside = delayed(|| (RunNumber::here().unwrap().to_bits(), Identity::fresh().to_bits())).call(());
        let (run, identity) = inside.compute().unwrap();
        made.extend([run, identity, Identity::fresh().to_bits()]);
        made
    };
    let parts: Vec<_> = (0..20).map(|n| delayed(own).call(n)).collect();
    let all = delayed(|parts: Vec<Vec<u128>>| parts.concat()).call(parts);
    let step = |made: Delayed<Vec<u128>>| {
        let push = |made: Vec<u128>| [made, vec![Identity::fresh().to_bits()]].concat();
        delayed(push).impure().call(made)
    };
    iterate(&all, step, |_, rounds| rounds == 5)
}

fn made(options: &Options) -> Vec<u128> {
    program().compute_with(options).unwrap()
}

#[test]
fn two_that_compute_the_same_in_one_scope_agree_on_any_number_of_threads() {
    let scoped = |options: &Options| Scope::from_bits(77).run(|| (made(options), made(options)));
    let expected = scoped(&Options::sequential());
    let (first, second) = &expected;
    let mut both = [first.clone(), second.clone()].concat();
    both.retain(|bits| *bits > 1 << 64);
    let n = both.len();
    both.sort_unstable();
    both.dedup();
    // The number of a run is seen by each of its tasks.
    assert_eq!(both.len(), n - 2 * 19, "all others differ, also those of two runs of one collection");
    for (name, options) in everywhere() {
        assert!(scoped(&options) == expected, "{name}");
    }
    assert!(made(&Options::sequential()) != *first, "and outside nobody has them again");
}

#[test]
fn what_is_submitted_has_the_scope_of_where_it_was_submitted() {
    let client = Client::new(Options::default().threads(2)).unwrap();
    let submitted = || {
        let futures: Vec<_> = (0..4).map(|_| client.submit(&program())).collect();
        futures.iter().map(|future| future.result().unwrap()).collect::<Vec<_>>()
    };
    let scoped = || Scope::from_bits(78).run(submitted);
    let first = scoped();
    assert!(scoped() == first);
    assert!(first[0] != first[1]);
}

#[test]
fn a_task_that_is_run_again_makes_the_same_identities() {
    use std::sync::Mutex;
    static SEEN: Mutex<Vec<Identity>> = Mutex::new(Vec::new());
    let fails = || {
        let mut seen = SEEN.lock().unwrap();
        seen.push(Identity::fresh());
        if seen.len() < 3 { Err(std::io::Error::other("not yet")) } else { Ok(seen.clone()) }
    };
    let work = musher_graph_core::annotate(musher_graph_core::Annotations::default().retries(5), || {
        delayed(fails).fallible().call(())
    });
    let seen = work.compute().unwrap();
    assert_eq!(seen, [seen[0]; 3]);
}
