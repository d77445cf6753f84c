//! Partitions leave memory: under a limit of an eighth of the data, and to go on from a checkpoint in another run.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use musher_bag::{Bag, Partition};
use musher_graph_core::{
    Collection, Delayed, Facts, FnTask, Grid, Inputs, Layer, Place, Port, TaskError, Value, Wiring,
};
use musher_scheduler::{Checkpoint, Compute, Options};
use musher_testkit::{Staging, Told, check_codec, check_everywhere};
use serde::{Deserialize, Serialize};
use serde_json::json;

const N_PARTITIONS: usize = 64;

/// Each partition is read for what all come to, and again when that is known: all of them wait for it.
fn read_twice<T: Debug + Send + Sync + 'static>(bag: &Port) -> Delayed<u64> {
    fn digest<T: Debug + Send + Sync + 'static>(inputs: &Inputs<'_>) -> Result<u64, TaskError> {
        let items = inputs.get::<Partition<T>>(0)?.items();
        Ok(musher_testkit::digest(format!("{items:?}").bytes().map(u64::from)))
    }
    let one_to_one = || Wiring::one_to_one(1);
    let all = |digests: Layer| {
        let all = FnTask::new("all", |_: Place<'_>, inputs: &mut Inputs<'_>| {
            Ok(Value(musher_testkit::digest(inputs.slot::<Value<u64>>(0)?.iter().map(|one| one.0))))
        });
        Port::of(Layer::build(all).input(&digests.into(), Wiring::All).finish(Grid::scalar()))
    };
    let digest_alone = |_: Place<'_>, inputs: &mut Inputs<'_>| Ok(Value(digest::<T>(inputs)?));
    // Room is made for what says that it needs some, as folds do.
    let first = FnTask::new("first", digest_alone).facts(|_, _| Facts::bytes(8));
    let first = all(Layer::build(first).input(bag, one_to_one()).finish(bag.grid().clone()));
    let digest_with_all = |_: Place<'_>, inputs: &mut Inputs<'_>| {
        Ok(Value(digest::<T>(inputs)?.wrapping_add(inputs.get::<Value<u64>>(1)?.0)))
    };
    let second = FnTask::new("second", digest_with_all).facts(|_, _| Facts::bytes(8));
    let second = Layer::build(second).input(bag, one_to_one()).input(&first, Wiring::axes([]));
    Delayed::from_port(all(second.finish(bag.grid().clone())))
}

/// The partitions spill when there is room for an eighth of them, and are read from a checkpoint when they are there.
#[track_caller]
fn check<T: Clone + Debug + PartialEq + Send + Sync + 'static>(bag: &Bag<T>) {
    let told = Arc::new(Told::default());
    let items = bag.compute_with(&Options::sequential().observe(told.clone())).unwrap();
    assert!(told.broken().is_empty(), "{:?}", told.broken());
    let chunks = told.chunks();
    let (kind, chunk) = chunks.iter().find(|(kind, _)| kind.starts_with("bag.partition/1<")).unwrap();
    let bytes = 64 * chunk.nbytes().unwrap() as u64;
    assert!(bytes > 64 * 4096, "{kind}: {bytes} bytes are too few for the disk");

    let twice = read_twice::<T>(bag.port());
    let expected = twice.compute().unwrap();
    for threads in [1, 2] {
        let disk = Arc::new(Staging::new(0));
        let options = Options::default().threads(threads).memory_limit(bytes / 8).spill_to(disk.clone());
        assert_eq!(twice.compute_with(&options).unwrap(), expected, "{kind}");
        let written = disk.written_bytes();
        let text = twice.explain_with(&options).unwrap().to_string();
        assert!(
            written > bytes / 8 && disk.n_alive() == 0,
            "{kind}: {written} of {bytes} were spilled\n{text}"
        );
    }

    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path()).version("v1");
    assert_eq!(checkpoint.save(bag).unwrap().n_computed, N_PARTITIONS);
    let again = checkpoint.save(bag).unwrap();
    assert_eq!((again.n_reused, again.n_computed), (N_PARTITIONS, 0), "{kind}");
    assert_eq!(again.collection.compute().unwrap(), items, "{kind}");
}

fn numbers() -> Bag<i64> {
    Bag::range(0..64 * 400, N_PARTITIONS)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reading {
    place: String,
    values: Vec<Option<f64>>,
    tags: HashMap<String, u8>,
}

fn reading(n: i64) -> Reading {
    let tags = (0..n % 2).map(|tag| (format!("tag {tag}"), tag as u8)).collect();
    Reading { place: format!("place {n}"), values: vec![Some(n as f64), None], tags }
}

#[test]
fn bags_of_pairs_texts_vectors_and_json_spill_and_resume() {
    check(&numbers().map(|n| (format!("number {n}"), n as u64)));
    check(&numbers().map(|n| format!("number {n}")));
    check(&numbers().map(|n| vec![n as f64; n as usize % 4]));
    check(&numbers().map(|n| json!({ "n": n, "text": format!("number {n}") })));
    check(&numbers().map(|n| (n, n as f64)));
}

#[test]
fn bags_of_a_type_of_serdes_spill_and_resume_once_they_are_encoded() {
    check(&numbers().map(reading).encoded());
}

#[test]
fn an_encoded_bag_stays_so_where_its_items_stay_of_a_type() {
    let told = |bag: &Bag<Reading>| {
        let told = Arc::new(Told::default());
        let items = bag.compute_with(&Options::sequential().observe(told.clone())).unwrap();
        assert!(told.broken().is_empty(), "{:?}", told.broken());
        assert_eq!(check_everywhere(bag), items);
        bag.port().codec().unwrap().is_some()
    };
    let plain = Bag::range(0..100, 4).map(reading);
    assert!(!told(&plain));
    let bag = plain.encoded();
    assert!(told(&bag));
    assert!(told(&bag.filter(|item| item.values[0] > Some(3.0))));
    assert!(told(&bag.take(3)) && told(&bag.partitions(1..3)) && told(&bag.repartition(3)));
    assert!(told(&bag.repartition(9)) && told(&bag.topk_by_key(2, |item| item.place.clone())));
    assert!(
        told(&bag.shuffle_by(3, |item| item.place.clone()))
            && told(&Bag::concat(&[bag.clone(), bag.clone()]))
    );
    assert!(told(&bag.accumulate(|_, b| b)) && told(&bag.persist().unwrap()));
    assert!(!told(&bag.map(|item| item.clone())) || told(&bag.map(|item| item)));
    assert!(bag.map(|item| item.place).port().codec().unwrap().is_some(), "texts are known");
}

#[test]
fn partitions_come_back_and_damaged_bytes_are_refused() {
    let measure = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    check_codec(&Partition::new(vec![1_u64, 2, 3]), |_| true, measure);
    check_codec(&Partition::<f64>::new(Vec::new()), |_| true, measure);
    check_codec(&Partition::new(vec![(); 5]), |_| true, measure);
    check_codec(&Partition::new(vec![("word".to_owned(), 3_u64), (String::new(), 0)]), |_| true, measure);
    check_codec(&Partition::measured(vec![Some(1_u8), None]), |_| true, measure);
    check_codec(&Partition::new(vec![json!({ "a": [1, null] })]), |_| true, measure);
    let told = Arc::new(Told::default());
    let bag = Bag::from_sequence((0..9).map(reading), 2).encoded();
    bag.compute_with(&Options::sequential().observe(told.clone())).unwrap();
    let chunks = told.chunks();
    let (_, chunk) = chunks.iter().find(|(kind, _)| kind.contains("Reading")).unwrap();
    check_codec(&**chunk, |chunk| chunk.downcast_ref::<Partition<Reading>>().is_some(), measure);
}

#[test]
fn explain_names_bags_that_stay_in_memory() {
    let bag = Bag::range(0..100, 4).map(reading).repartition(2);
    let text = bag.explain().unwrap().to_string();
    assert!(text.contains("stays in memory: 4 outputs of `range → map` ("), "{text}");
    assert!(text.contains("): no codec; call `.encoded()`"), "{text}");
    let text = bag.encoded().map(|item| item.place).explain().unwrap().to_string();
    assert!(!text.contains("2 outputs"), "{text}");
    let text = Bag::range(0..100, 4).map(reading).encoded().explain().unwrap().to_string();
    assert!(!text.contains("stays in memory"), "{text}");
}
