//! Values leave memory and come back as they were, whatever their type, and plans tell which can.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::SystemTime;

use musher_graph_core::{
    Chunk, Codec, CodecError, Coder, Collection, Delayed, Encoded, FnTask, Forward, GraphBuilder, Grid,
    Inputs, Layer, Measured, Place, Plan, Port, Value, Wiring, delayed, iterate, ready,
};
use musher_testkit::check_codec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

fn measure(work: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(work).bytes_max
}

fn encoded(chunk: &dyn Chunk) -> Vec<u8> {
    let mut bytes = Vec::new();
    chunk.codec().unwrap().encode(chunk, &mut bytes).unwrap();
    bytes
}

/// The value comes back as it was, and damaged bytes are refused.
#[track_caller]
fn check<T: Clone + PartialEq + Debug + Send + Sync + 'static>(value: T) {
    let chunk = Value(value.clone());
    let back = chunk.codec().unwrap().decode(&mut encoded(&chunk).as_slice()).unwrap();
    assert_eq!(back.downcast_ref::<Value<T>>().unwrap().0, value);
    check_codec(&chunk, |chunk| chunk.downcast_ref::<Value<T>>().is_some(), measure);
}

#[test]
fn numbers_come_back() {
    check(u8::MAX);
    check(i16::MIN);
    check(u128::MAX - 1);
    check(i128::MIN);
    check(usize::MAX);
    check(isize::MIN);
    check(f32::MIN_POSITIVE);
    check(-0.0_f64);
    check(vec![f64::INFINITY, 0.1 + 0.2, f64::MIN]);
    check(vec![vec![1_u16, 2], vec![]]);
    check(Some(i64::MIN));
    check(None::<u32>);
    let nan = f64::from_bits(0x7FF8_0000_DEAD_BEEF);
    let bytes = encoded(&Value(nan));
    let back = Value(0.0_f64).codec().unwrap().decode(&mut bytes.as_slice()).unwrap();
    assert_eq!(back.downcast_ref::<Value<f64>>().unwrap().0.to_bits(), nan.to_bits());
}

#[test]
fn texts_and_what_is_made_of_them_come_back() {
    check(true);
    check('\u{10FFFF}');
    check(());
    check(vec![(), (), ()]);
    check(String::new());
    check("Größe \u{1F980}".to_owned());
    check(vec![String::new(), "a".repeat(70_000)]);
    check(PathBuf::from("/tmp/with space"));
    check(vec![PathBuf::from("a"), PathBuf::new()]);
    check(("word".to_owned(), 7_u64));
    check(vec![("word".to_owned(), 0.5), (String::new(), f64::MAX)]);
    check(Some((1_u64, -1_i64)));
    check(('x', 3_u64));
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt;
    check(PathBuf::from(std::ffi::OsString::from_vec(vec![b'a', 0xFF, b'/', 0x80])));
}

#[test]
fn json_comes_back_bit_for_bit() {
    let mut deep = json!(null);
    (0..2000).for_each(|depth| {
        deep = if depth % 2 == 0 { json!([deep, 1]) } else { json!({ "a": deep, "b": [] }) }
    });
    check(deep);
    check(json!({}));
    check(
        json!([0, -1, u64::MAX, i64::MIN, 0.1 + 0.2, 1e300, 5e-324, -0.0, "text", true, false, null, [[]], { "": {} }]),
    );
    check(vec![json!(1), json!({ "z": [1, 2.5], "a": "b" })]);
}

#[test]
fn equal_types_have_one_encoding_and_others_another_kind() {
    let text = "text".to_owned();
    let plain = Value(text.clone());
    let measured = Measured(text.clone());
    let by_serde = Encoded::new(text.clone());
    let chunks: [&dyn Chunk; 3] = [&plain, &measured, &by_serde];
    for chunk in chunks {
        for other in chunks {
            let (mut bytes, codec) = (Vec::new(), other.codec().unwrap());
            assert_eq!(codec.kind(), "core.value/1<String>");
            codec.encode(chunk, &mut bytes).unwrap();
            assert_eq!(bytes, encoded(&plain));
        }
    }
    let kinds: HashSet<&str> = [
        Value::<u8>::codec_of(),
        Value::<i8>::codec_of(),
        Value::<Vec<u8>>::codec_of(),
        Value::<Option<u8>>::codec_of(),
        Value::<(u8, u64)>::codec_of(),
        Encoded::<Shape>::codec_of(),
        Encoded::<Vec<Shape>>::codec_of(),
    ]
    .map(|codec| codec.unwrap().kind())
    .into();
    assert_eq!(kinds.len(), 7);
    assert!(Encoded::<Shape>::codec_of().unwrap().kind().contains("codecs::Shape"));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle { radius: f64 },
    Named(String, Option<Option<u8>>),
    Many(Vec<Shape>),
    Table(BTreeMap<String, (i8, i64)>),
}

fn shapes() -> Vec<Shape> {
    let table = BTreeMap::from([("a".to_owned(), (-1, i64::MIN)), (String::new(), (5, 300))]);
    vec![
        Shape::Point,
        Shape::Circle { radius: 1.5 },
        Shape::Named("ä".into(), Some(None)),
        Shape::Many(vec![Shape::Point, Shape::Table(table)]),
    ]
}

#[test]
fn what_serde_knows_comes_back() {
    check_codec(
        &Encoded::new(shapes()),
        |chunk| chunk.downcast_ref::<Encoded<Vec<Shape>>>().is_some(),
        measure,
    );
    let chunk = Encoded::new(shapes());
    let back = chunk.codec().unwrap().decode(&mut encoded(&chunk).as_slice()).unwrap();
    assert_eq!(*back.downcast_ref::<Encoded<Vec<Shape>>>().unwrap().value(), shapes());
    assert_eq!(back.nbytes(), chunk.nbytes());
}

/// What serde tells of every kind of value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything {
    small: (u8, i8, bool, char, ()),
    unsigned: (u16, u32, u64, u128),
    signed: (i16, i32, i64, i128),
    floats: (f32, f64),
    texts: Vec<String>,
    unit: Unit,
    new: New,
    pair: Pair,
    shapes: Vec<Shape>,
    array: [u32; 3],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct New(i32);
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pair(u64, Option<String>);

/// Where there is no map but a sorted one, postcard's own serializer writes the same bytes.
#[test]
fn the_encoding_is_postcards() {
    fn same<T: Serialize + DeserializeOwned + Send + Sync + 'static>(value: T) {
        let expected = postcard::to_stdvec(&value).unwrap();
        let bytes = encoded(&Encoded::new(value));
        assert_eq!(bytes[..8], (expected.len() as u64).to_le_bytes());
        assert_eq!(bytes[8..], expected);
    }
    for sign in [-1_i64, 1] {
        for bits in 0..63 {
            let number = sign * ((1 << bits) + 3);
            same(Everything {
                small: (bits, sign as i8 * bits as i8, bits % 2 == 0, 'é', ()),
                unsigned: (number as u16, number as u32, number as u64, number as u128),
                signed: (number as i16, number as i32, number, i128::from(number) << 60),
                floats: (number as f32, number as f64),
                texts: vec!["x".repeat(bits.into()), String::new()],
                unit: Unit,
                new: New(number as i32),
                pair: Pair(number as u64, (bits > 3).then(|| "some".to_owned())),
                // The names of the table that is in it come in the order of their bytes with their lengths.
                shapes: shapes(),
                array: [1, u32::MAX, 0],
            });
        }
    }
}

#[test]
fn equal_maps_have_equal_bytes() {
    let names: Vec<String> = (0..200).map(|n| format!("name {n}")).collect();
    let map: HashMap<String, usize> = names.iter().cloned().zip(0..).collect();
    let other: HashMap<String, usize> = names.iter().cloned().zip(0..200).rev().collect();
    assert_ne!(map.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "orders differ");
    let bytes = encoded(&Encoded::new(map.clone()));
    assert_eq!(bytes, encoded(&Encoded::new(other)));
    let back = Encoded::<HashMap<String, usize>>::codec_of().unwrap().decode(&mut bytes.as_slice()).unwrap();
    assert_eq!(*back.downcast_ref::<Encoded<HashMap<String, usize>>>().unwrap().value(), map);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Skips {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    a: Option<u8>,
    b: u8,
}

#[test]
fn what_cannot_come_back_is_an_error_that_names_the_type() {
    let chunk = Encoded::new(Skips { a: None, b: 1 });
    let error = chunk.codec().unwrap().decode(&mut encoded(&chunk).as_slice()).unwrap_err();
    assert!(
        matches!(error, CodecError::Malformed { .. }) && format!("{error:?}").contains("Skips"),
        "{error:?}"
    );
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let lies = |codec: &dyn Codec, bytes: &[u8]| {
        let taken = measure(&mut || assert!(codec.decode(&mut &*bytes).is_err()));
        assert!(taken < 1 << 20, "{}: {taken}", codec.kind());
    };
    let long = [u64::MAX.to_le_bytes(), [0; 8]].concat();
    lies(Value::<Vec<()>>::codec_of().unwrap(), &long);
    lies(Value::<Vec<u128>>::codec_of().unwrap(), &long);
    lies(Value::<String>::codec_of().unwrap(), &long);
    lies(Value::<Vec<Vec<f64>>>::codec_of().unwrap(), &long);
    lies(Encoded::<Vec<Shape>>::codec_of().unwrap(), &long);
    lies(Value::<serde_json::Value>::codec_of().unwrap(), &[&[7], &long[..]].concat());
}

#[test]
fn values_of_common_types_are_measured() {
    assert_eq!(Value(vec![1_u64; 10]).nbytes(), Some(24 + 80));
    assert_eq!(Value(1.5_f64).nbytes(), Some(8));
    assert!(Value(json!({ "a": [1, "text"] })).nbytes().unwrap() > 100);
    assert!(Encoded::new(vec![Shape::Named("x".repeat(1000), None)]).nbytes().unwrap() > 1000);
    assert_eq!(Value(std::thread::current()).nbytes(), None);
    assert!(Coder::<Vec<SystemTime>>::known().is_none());
}

/// The kinds that a plan tells of the outputs of its last layer.
fn told(collection: &impl Collection) -> Option<&'static str> {
    let plan = Plan::of(&[collection.request()], &|| true).unwrap();
    let last = plan.tasks().layer_of(plan.tasks().task_of(plan.tasks().requested()[0]));
    let kind = plan.tasks().codecs().of(last, 0).map(|codec| codec.kind());
    assert_eq!(collection.port().codec().unwrap().map(|codec| codec.kind()), kind, "fused or not");
    kind
}

#[test]
fn plans_tell_codecs_of_every_kind_of_task() {
    let number = Some("core.value/1<f64>");
    let half = delayed(|| 0.5).call(());
    assert_eq!(told(&half), number);
    assert_eq!(told(&Delayed::ready(0.5)), number);
    assert_eq!(told(&delayed(|x: f64| x).measured().call(&half)), number);
    assert_eq!(told(&delayed(|x: f64| Ok::<_, std::fmt::Error>(x)).fallible().call(&half)), number);
    assert_eq!(told(&delayed(|x: f64| Delayed::ready(x)).continued().call(&half)), number);
    assert_eq!(told(&iterate(&half, |x| delayed(|x: f64| x + 1.0).call(x), |_, n| n == 3)), number);
    assert_eq!(told(&delayed(SystemTime::now).impure().call(())), None);
    assert!(told(&delayed(shapes).encoded().call(())).unwrap().contains("Shape"));
    let parse = |text: &String| -> Result<Shape, std::fmt::Error> { Ok(Shape::Named(text.clone(), None)) };
    assert!(told(&delayed(parse).fallible().encoded().call("x".to_owned())).unwrap().contains("Shape"));
    let mut graph = GraphBuilder::new();
    let a = graph.add([], |_| 1.0_f64);
    let b = graph.add([a], |inputs| inputs[0] + 1.0);
    assert_eq!(told(&graph.build(&[b])), number);
    // Joined parts are what all of them are.
    let joined =
        |other: Layer| {
            let parts = Layer::build(Forward::new("both"))
                .part(half.port(), &[0], &[1], Wiring::axes([]))
                .part(&Port::of(other), &[1], &[1], Wiring::axes([]));
            let first = FnTask::new("first", |_: Place<'_>, inputs: &mut Inputs<'_>| {
                inputs.chunk(0).map(|chunk| Value(chunk.nbytes()))
            });
            let both = Port::of(parts.finish(Grid::from([2])));
            assert!(Layer::build(first).input(&both, Wiring::All).finish(Grid::scalar()).key() != both.key());
            both.codec().unwrap().map(|codec| codec.kind())
        };
    assert_eq!(joined(ready(Value(1.0))), number);
    assert_eq!(joined(ready(Value(1_u8))), None);
    assert_eq!(joined(ready(Value(SystemTime::now()))), None);
}

#[derive(Debug, Clone)]
struct Pinned(Vec<u8>);

#[test]
fn explain_names_what_stays_in_memory_and_what_can_be_done() {
    let explained = |collection: &dyn Fn() -> Plan| collection().explain().to_string();
    let pinned = explained(&|| {
        let pinned: Vec<Delayed<Pinned>> =
            (0..3_u8).map(|n| delayed(|n: u8| Pinned(vec![n])).label("make").call(n)).collect();
        let sum = delayed(|all: &Vec<Pinned>| all.iter().map(|one| one.0.len()).sum::<usize>()).call(pinned);
        Plan::of(&[sum.request()], &|| true).unwrap()
    });
    let line = pinned.lines().find(|line| line.starts_with("stays in memory")).unwrap();
    let (start, end) = line.split_once(file!()).expect("the user's line");
    assert_eq!(start, "stays in memory: 3 outputs of `make` (");
    assert!(end.ends_with("): no codec; call `.encoded()`"), "{line}");
    let others = explained(&|| {
        let small = delayed(SystemTime::now).impure().call(());
        let known = delayed(|_: SystemTime| vec![1.0]).call(&small);
        let by_serde = delayed(|_: Vec<f64>| shapes()).encoded().call(&known);
        Plan::of(&[by_serde.request()], &|| true).unwrap()
    });
    assert!(!others.contains("stays in memory"), "{others}");
}
