//! Every row of the table of elementwise operations, for every element type that has it, against NumPy's answers.
//!
//! The rows and the types are those of the crate, the answers are golden files made from the same rows: an operation that
//! has no answer fails here, and so does an answer that nobody reads.

use crate::blocks::{answer, golden};
use musher_array::kernel::ops::{BinaryOp, Class, CompareOp, PartOp, Row, TestOp, UnaryOp};
use musher_array::ndarray::{Array1, Array2, Ix1};
use musher_array::{Array, Complex, DType, Element, Number, Visit};
use musher_scheduler::{Compute, Options};
use serde_json::Value;
use std::collections::BTreeSet;

/// Block lengths; the second operand is cut in another way, so that blocks are brought into line.
const CUTS: [usize; 2] = [1000, 37];

/// Complex functions are compared by the distance of the numbers, which two parts and a few steps add to.
const COMPLEX_FACTOR: f64 = 8.0;

/// The cases of the golden files, and those that a test has read.
struct Cases {
    all: Vec<Value>,
    read: BTreeSet<String>,
}

impl Cases {
    fn new() -> Self {
        let text = std::fs::read_to_string(golden("elementwise/cases.json")).unwrap();
        Self { all: serde_json::from_str(&text).unwrap(), read: BTreeSet::new() }
    }

    /// The operands and the answer of a row for an element type.
    #[track_caller]
    fn find<A: Element, B: Element>(&mut self, table: &str, row: Row) -> Case<A, B> {
        let name = format!("{table} {} {}", row.name, numpy_name(A::DTYPE));
        let case = self.all.iter().find(|case| case["name"] == name.as_str());
        let case = case.unwrap_or_else(|| panic!("no golden answer of {name}: run `cargo xtask golden`"));
        let file = |file: &Value| file.as_str().unwrap().to_owned();
        let output: Array2<B> = load::<B, _>(&file(&case["output"]));
        let want = output.row(case["parameters"]["row"].as_u64().unwrap() as usize).to_owned();
        let inputs = case["inputs"].as_array().unwrap();
        let operands = inputs.iter().map(|input| load::<A, _>(&file(input))).collect();
        self.read.insert(name.clone());
        Case { name, operands, want }
    }
}

/// One row for one type.
struct Case<A, B> {
    name: String,
    operands: Vec<Array1<A>>,
    want: Array1<B>,
}

impl<A: Element, B: Element> Case<A, B> {
    /// Compares what an operation makes of the operands, in blocks.
    fn check(&self, row: Row, run: impl Fn(&Array<A, Ix1>, &Array<A, Ix1>) -> Array<B, Ix1>) {
        for cut in CUTS {
            let operand = |at: usize, cut: usize| {
                Array::from_array(self.operands[at.min(self.operands.len() - 1)].clone(), cut)
            };
            let found = answer(&run(&operand(0, cut), &operand(1, cut + 5)));
            for (at, (found, want)) in found.iter().zip(&self.want).enumerate() {
                let operands: Vec<A> = self.operands.iter().map(|operand| operand[at]).collect();
                let near = is_near(*found, *want, tolerance::<A>(row));
                assert!(near, "{} of {operands:?} is {found:?}, NumPy says {want:?}", self.name);
            }
        }
    }
}

/// A golden array.
fn load<A: Element, D>(file: &str) -> musher_array::ndarray::Array<A, D>
where
    D: musher_array::Gather<A, Gathered = musher_array::ndarray::Array<A, D>>,
{
    let array: Array<A, D> = Array::read_npy(golden(&format!("elementwise/{file}")), 1 << 20).unwrap();
    array.compute_with(&Options::sequential()).unwrap()
}

/// The name of a type in the golden files.
fn numpy_name(dtype: DType) -> &'static str {
    match dtype {
        DType::I8 => "int8",
        DType::I16 => "int16",
        DType::I32 => "int32",
        DType::I64 => "int64",
        DType::U8 => "uint8",
        DType::U16 => "uint16",
        DType::U32 => "uint32",
        DType::U64 => "uint64",
        DType::F32 => "float32",
        DType::F64 => "float64",
        DType::Bool | DType::C32 | DType::C64 => dtype.name(),
    }
}

/// How many units an answer may differ. The table speaks of real numbers; a complex function is made of several real ones.
fn tolerance<A: Element>(row: Row) -> u32 {
    let is_complex = matches!(A::DTYPE, DType::C32 | DType::C64);
    if is_complex && matches!(row.class, Class::Call | Class::Power) { row.ulp.max(4) } else { row.ulp }
}

/// Whether two values are equal, to some units in the last place where they are not exact; NaN equals NaN.
fn is_near<B: Element>(a: B, b: B, ulp: u32) -> bool {
    match (a.into_scalar(), b.into_scalar()) {
        (musher_array::Scalar::F32(a), musher_array::Scalar::F32(b)) => {
            let line = |x: f32| {
                i64::from(if x.is_sign_negative() {
                    i32::MIN.wrapping_sub(x.to_bits() as i32)
                } else {
                    x.to_bits() as i32
                })
            };
            a == b
                || (a.is_nan() && b.is_nan())
                || (!a.is_nan() && !b.is_nan() && line(a).abs_diff(line(b)) <= u64::from(ulp))
        }
        (musher_array::Scalar::F64(a), musher_array::Scalar::F64(b)) => {
            let line = |x: f64| {
                if x.is_sign_negative() {
                    i64::MIN.wrapping_sub(x.to_bits() as i64)
                } else {
                    x.to_bits() as i64
                }
            };
            a == b
                || (a.is_nan() && b.is_nan())
                || (!a.is_nan() && !b.is_nan() && line(a).abs_diff(line(b)) <= u64::from(ulp))
        }
        (musher_array::Scalar::C32(a), musher_array::Scalar::C32(b)) => {
            let wide = |z: Complex<f32>| Complex::new(f64::from(z.re), f64::from(z.im));
            near_complex(wide(a), wide(b), ulp, f64::from(f32::EPSILON))
        }
        (musher_array::Scalar::C64(a), musher_array::Scalar::C64(b)) => near_complex(a, b, ulp, f64::EPSILON),
        (a, b) => a == b,
    }
}

/// Whether two complex numbers are near, against the length of the second.
fn near_complex(a: Complex<f64>, b: Complex<f64>, ulp: u32, epsilon: f64) -> bool {
    a == b || (a - b).norm() <= COMPLEX_FACTOR * f64::from(ulp + 1) * epsilon * b.norm()
}

/// Runs every row of every table that a type has.
struct EveryRow<'a>(&'a mut Cases);

impl Visit for EveryRow<'_> {
    type Output = ();

    fn visit<A: Element>(self) {
        for &op in UnaryOp::ALL {
            // No unsigned number but 0 has a negative.
            let none =
                op == UnaryOp::neg && matches!(A::DTYPE, DType::U8 | DType::U16 | DType::U32 | DType::U64);
            if A::unary(op).is_some() && !none {
                let case = self.0.find::<A, A>("unary", op.row());
                case.check(op.row(), |x, _| x.try_unary(op).unwrap());
            }
        }
        for &op in TestOp::ALL {
            if A::test(op).is_some() {
                let case = self.0.find::<A, bool>("test", op.row());
                case.check(op.row(), |x, _| x.try_test(op).unwrap());
            }
        }
        for &op in BinaryOp::ALL {
            if A::binary(op).is_some() {
                let case = self.0.find::<A, A>("binary", op.row());
                case.check(op.row(), |x, y| x.try_binary(op, y).unwrap());
            }
        }
        for &op in CompareOp::ALL {
            if A::compare(op).is_some() {
                let case = self.0.find::<A, bool>("compare", op.row());
                case.check(op.row(), |x, y| x.try_compare(op, y).unwrap());
            }
        }
    }
}

/// The rows that give a part of a number.
fn parts<A: Number>(cases: &mut Cases) {
    for &op in PartOp::ALL {
        if A::part(op).is_some() {
            let case = cases.find::<A, A::Re>("part", op.row());
            case.check(op.row(), |x, _| x.try_part(op).unwrap());
        }
    }
}

#[test]
fn every_row_of_the_table_is_numpys() {
    let mut cases = Cases::new();
    for dtype in DType::ALL {
        dtype.visit(EveryRow(&mut cases));
    }
    /// For each type of number.
    macro_rules! parts_of {
        ($($t:ty),*) => {$(parts::<$t>(&mut cases);)*};
    }
    parts_of!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Complex<f32>, Complex<f64>);
    let unread: Vec<&Value> = cases
        .all
        .iter()
        .map(|case| &case["name"])
        .filter(|name| !cases.read.contains(name.as_str().unwrap()))
        .collect();
    assert!(unread.is_empty(), "golden answers of what is no row, or of no such type: {unread:?}");
}

/// The types that a bound names.
fn has(bound: &str, dtype: DType) -> bool {
    let (is_bool, is_float) = (dtype == DType::Bool, matches!(dtype, DType::F32 | DType::F64));
    let is_complex = matches!(dtype, DType::C32 | DType::C64);
    match bound {
        "Element" => true,
        "Ordered" => !is_complex,
        "Number" => !is_bool,
        "Real" => !is_bool && !is_complex,
        "Inexact" => is_float || is_complex,
        "Float" => is_float,
        "Integer" => !is_bool && !is_float && !is_complex,
        "Bits" => !is_float && !is_complex,
        _ => panic!("no trait {bound}"),
    }
}

/// A type that satisfies a row's bound has its loop, and no other has: what compiles, runs.
struct Agrees;

impl Visit for Agrees {
    type Output = ();

    fn visit<A: Element>(self) {
        let check = |row: Row, there: bool| {
            assert_eq!(there, has(row.bound, A::DTYPE), "{} of {} where A: {}", row.name, A::NAME, row.bound);
        };
        UnaryOp::ALL.iter().for_each(|op| check(op.row(), A::unary(*op).is_some()));
        PartOp::ALL.iter().for_each(|op| check(op.row(), A::part(*op).is_some()));
        TestOp::ALL.iter().for_each(|op| check(op.row(), A::test(*op).is_some()));
        BinaryOp::ALL.iter().for_each(|op| check(op.row(), A::binary(*op).is_some()));
        CompareOp::ALL.iter().for_each(|op| check(op.row(), A::compare(*op).is_some()));
    }
}

#[test]
fn the_bounds_of_the_rows_are_their_domains() {
    DType::ALL.iter().for_each(|dtype| dtype.visit(Agrees));
}

#[test]
fn numbers_in_fingerprints_are_given_once() {
    fn distinct(codes: impl Iterator<Item = u64>) {
        let codes: Vec<u64> = codes.collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "{codes:?}");
    }
    distinct(UnaryOp::ALL.iter().map(|op| op.code()));
    distinct(PartOp::ALL.iter().map(|op| op.code()));
    distinct(TestOp::ALL.iter().map(|op| op.code()));
    distinct(BinaryOp::ALL.iter().map(|op| op.code()));
    distinct(CompareOp::ALL.iter().map(|op| op.code()));
}

/// Operands that are one value for all take other loops than lists.
#[test]
fn a_scalar_is_a_list_of_it() {
    struct Spread;
    impl Visit for Spread {
        type Output = ();
        fn visit<A: Element>(self) {
            let mut cases = Cases::new();
            for &op in BinaryOp::ALL {
                if A::binary(op).is_none() {
                    continue;
                }
                let Case { operands, .. } = cases.find::<A, A>("binary", op.row());
                let (x, y) = (Array::from_array(operands[0].clone(), 50), operands[1][operands[1].len() / 2]);
                let list = Array::from_array(Array1::from_elem(operands[0].len(), y), 50);
                let (scalar, list) =
                    (x.try_binary(op, y).unwrap().compute(), x.try_binary(op, &list).unwrap().compute());
                match (scalar, list) {
                    (Ok(scalar), Ok(list)) => {
                        assert!(
                            scalar.iter().zip(&list).all(|(a, b)| is_near(*a, *b, 0)),
                            "{op:?} of {}",
                            A::NAME
                        );
                    }
                    (Err(_), Err(_)) => {}
                    (scalar, list) => panic!("{op:?} of {}: {scalar:?} and {list:?}", A::NAME),
                }
            }
        }
    }
    DType::ALL.iter().for_each(|dtype| dtype.visit(Spread));
}
