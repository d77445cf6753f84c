//! Identities by scope: two that do the same in one scope agree, also in two processes.

use musher_graph_core::{
    Collection, Delayed, Error, Graph, GraphBuilder, Identity, Key, Plan, Reach, Request, RunNumber, Scope,
    delayed, opaque,
};
use musher_testkit::Child;

const CHILD: Child = Child::new("scope::child");

/// Work of every kind that parameters do not identify.
fn program() -> Vec<Request> {
    let factor = 2.5;
    let scaled = delayed(move |x: f64| factor * x).call(4.0);
    let again = delayed(move |x: f64| factor * x).call(4.0);
    let ready = Delayed::ready(1.0);
    let opaque = delayed(|x: &f64| *x).call(opaque(3.0));
    let impure = delayed(|| 7.0).impure().call(());
    let mut graph = GraphBuilder::new();
    let one = graph.add([], move |_| factor);
    let two = graph.add([one], |inputs| inputs[0] + 1.0);
    let sum = delayed(|xs: Vec<f64>| xs.iter().sum::<f64>()).call(vec![scaled, again, ready, opaque, impure]);
    vec![sum.request(), graph.build(&[two]).request()]
}

fn fingerprint(requests: &[Request]) -> Key {
    Plan::new(Graph::collect(requests).unwrap().optimize()).unwrap().fingerprint()
}

fn shared() -> Scope {
    Scope::from_bits(12_345)
}

/// Does nothing unless it is the child process of the other tests.
#[test]
fn child() {
    CHILD.answer(|orders| match orders {
        "require" => {
            Scope::require();
            let outside = Graph::collect(&program()).map(drop);
            let elsewhere = shared()
                .run(|| std::thread::spawn(program).join().map(|work| Graph::collect(&work).map(drop)));
            let named = Graph::collect(&[delayed(f64::sqrt).call(2.0).request()]).is_ok();
            let inside = Graph::collect(&shared().run(program)).is_ok();
            format!("{}\n{}\n{named} {inside}", outside.unwrap_err(), elsewhere.unwrap().unwrap_err())
        }
        _ => {
            // Other work first: what happens outside does not count.
            let _ = (program(), Scope::fresh().run(program));
            format!("{:?}", fingerprint(&shared().run(program)))
        }
    });
}

#[test]
fn equal_work_in_one_scope_has_equal_keys_and_in_two_scopes_others() {
    let (one, two) = (shared().run(program), shared().run(program));
    let keys = |requests: &[Request]| requests.iter().map(|asked| asked.port.key()).collect::<Vec<_>>();
    assert_eq!(keys(&one), keys(&two));
    assert_eq!(fingerprint(&one), fingerprint(&two));
    let other = Scope::fresh().run(program);
    assert!(keys(&other).iter().zip(keys(&one)).all(|(other, one)| *other != one));
    assert_ne!(fingerprint(&other), fingerprint(&one));
    assert!(one.iter().all(|asked| asked.port.layer.reach() == Reach::Run));
    assert_eq!(
        Graph::collect(&one).unwrap().layers().len(),
        7,
        "nothing in a scope passes for something else"
    );
}

#[test]
fn another_process_that_is_given_the_scope_builds_the_same_plan() {
    assert_eq!(CHILD.ask("same"), Ok(format!("{:?}", fingerprint(&shared().run(program)))));
}

#[test]
fn where_scopes_are_required_work_without_one_is_an_error_that_names_the_line() {
    let said = CHILD.ask("require").unwrap();
    let lines: Vec<&str> = said.lines().collect();
    for line in &lines[..2] {
        assert!(line.contains("scope.rs:") && line.contains("no scope"), "{line}");
    }
    assert_eq!(lines[2], "true true", "work that its parameters identify needs none");
    assert!(!matches!(Graph::collect(&program()), Err(Error::NoScope { .. })), "here they are not");
}

#[test]
fn scopes_nest_and_end_also_by_a_panic() {
    let ids = |n: usize| (0..n).map(|_| Identity::fresh()).collect::<Vec<_>>();
    let (alone, inner) = (shared().run(|| ids(4)), Scope::from_bits(9).run(|| ids(2)));
    let nested = shared().run(|| {
        let mut all = ids(2);
        assert_eq!(Scope::from_bits(9).run(|| ids(2)), inner);
        let fails = std::panic::catch_unwind(|| Scope::from_bits(9).run(|| panic!("on purpose")));
        assert!(fails.is_err());
        all.extend(ids(2));
        all
    });
    assert_eq!(nested, alone);
}

#[test]
fn a_run_is_known_on_its_threads_only() {
    let number = RunNumber::fresh();
    number.work(0, || {
        assert_eq!(RunNumber::here(), Some(number));
        Scope::fresh().run(|| assert_eq!(RunNumber::here(), None, "a scope inside is no run"));
        assert_eq!(std::thread::spawn(RunNumber::here).join().unwrap(), None);
    });
    let first = |worker: usize| number.work(worker, Identity::fresh);
    assert_eq!(RunNumber::here(), None);
    assert_ne!(first(0), first(1), "two workers do not meet");
}
