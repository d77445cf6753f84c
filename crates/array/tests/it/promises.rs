//! The promises of every operation on arrays: data of eight times the memory limit, one pattern of bits.

use musher_array::kernel::ops::{BinaryOp, CompareOp, PartOp, TestOp, UnaryOp};
use musher_array::ndarray::{ArrayD, ArrayView2, Axis, Ix1, Ix2, IxDyn, Slice, s};
use musher_array::prelude::*;
use musher_array::{All, Array, Boundary, Chunking, Complex, Element, Gather, concatenate, random, stack};
use musher_graph_core::Delayed;
use musher_scheduler::{Error, Options};
use musher_testkit::{Cases, Size, digest};

/// A square matrix of the data's size, made by a function block by block.
fn x(size: Size) -> Array<f64, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, n), block, |(i, j)| ((i * 31 + j * 17) % 97) as f64 + 0.5)
}

fn y(size: Size) -> Array<f64, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, n), block, |(i, j)| ((i * 13 + j * 29) % 89) as f64 + 1.5)
}

fn whole(size: Size) -> Array<i64, Ix2> {
    let (n, block) = size.square::<i64>();
    Array::from_shape_fn((n, n), block, |(i, j)| ((i * 31 + j * 17) % 97) as i64 + 1)
}

fn truth(size: Size) -> Array<bool, Ix2> {
    let (n, block) = size.square::<bool>();
    Array::from_shape_fn((n, n), block, |(i, j)| (i + j) % 3 == 0)
}

fn row(size: Size) -> Array<f64, Ix1> {
    Array::from_shape_fn(size.elements::<f64>(), size.chunk::<f64>(), |i| (i % 97) as f64)
}

/// The digest of all elements: a block is read as a whole, so that the operation makes it.
fn read<A: Element, D: Gather<A> + 'static>(array: &Array<A, D>, options: &Options) -> Result<u64, Error> {
    let ones: Vec<Vec<usize>> = array.chunks().axes().map(|axis| vec![1; axis.len()]).collect();
    let ndim = array.ndim();
    let word = |value: &A| {
        let mut bytes = [0; 16];
        value.store(&mut bytes);
        let [low, high] = [0, 8].map(|at| u64::from_le_bytes(*bytes[at..].first_chunk().unwrap()));
        low ^ high.rotate_left(1)
    };
    let read = array
        .clone()
        .into_dyn()
        .map_blocks_to::<u64, IxDyn, _>(Chunking::from_lengths(&ones), move |_, block| {
            ArrayD::from_elem(vec![1; ndim], digest(block.iter().map(word)))
        });
    Ok(digest(read.compute_with(options)?))
}

/// Adds calls of methods by their names.
macro_rules! calls {
    ($cases:ident, $size:ident, $data:expr; $($method:ident($($argument:expr),*)),* $(,)?) => {
        $($cases.add(concat!("Array::", stringify!($method)), |$size, options| {
            read(&$data.$method($($argument),*), options)
        });)*
    };
}

/// Adds whatever makes an array, by its name.
macro_rules! made {
    ($cases:ident, $size:ident; $($name:literal => $array:expr),* $(,)?) => {
        $($cases.add($name, |$size, options| read(&$array, options));)*
    };
}

mod algebra;
mod arranged;
mod ranges;
mod spectra;

/// Every row of the tables, on numbers that have it: floats, else integers.
fn rows(cases: &mut Cases) {
    for &op in UnaryOp::ALL {
        cases.add("Array::try_unary", move |size, options| match x(size).try_unary(op) {
            Ok(array) => read(&array, options),
            Err(_) => read(&whole(size).try_unary(op).unwrap(), options),
        });
    }
    for &op in PartOp::ALL {
        cases.add("Array::try_part", move |size, options| read(&x(size).try_part(op).unwrap(), options));
    }
    for &op in TestOp::ALL {
        cases.add("Array::try_test", move |size, options| read(&x(size).try_test(op).unwrap(), options));
    }
    for &op in BinaryOp::ALL {
        cases.add("Array::try_binary", move |size, options| match x(size).try_binary(op, y(size)) {
            Ok(array) => read(&array, options),
            Err(_) => read(&whole(size).try_binary(op, whole(size).t()).unwrap(), options),
        });
    }
    for &op in CompareOp::ALL {
        cases.add("Array::try_compare", move |size, options| {
            read(&x(size).try_compare(op, y(size)).unwrap(), options)
        });
    }
}

fn elementwise(cases: &mut Cases) {
    rows(cases);
    calls!(cases, size, x(size); mapv(|value| value as f32), mapv_into(|value| value + 1.0));
    calls!(cases, size, x(size); zip_map(&y(size), |a, b| a.max(b)), powi(3), powf(&y(size)), clip(1.0, 5.0));
    calls!(cases, size, x(size); cumsum(Axis(0)), cumprod(Axis(1)), cummax(Axis(0)), cummin(Axis(1)), forward_fill(Axis(0)));
    made!(cases, size;
        "Array::cast" => x(size).cast::<f32>(),
        "Array::try_unary" => x(size).mapv(|value| Complex::new(value, 1.0)).conj(),
        "Array::try_unary" => x(size).mapv(|value| Complex::new(value / 90.0, 1.0)).sin(),
        "Array::select" => x(size).gt(40.0).select(x(size), y(size)),
        "Array::add" => x(size) + x(size).mean_axis(Axis(0)),
        "Array::mul Array::div" => 2.0 * x(size) / y(size),
        "Array::rem Array::neg" => -(whole(size) % 5),
        "Array::bitand Array::bitor Array::bitxor Array::not" => !truth(size) & truth(size).t() | truth(size) ^ truth(size).t(),
        "Array::sub" => (x(size) * 2.0 + y(size)).abs().sqrt() - x(size).t(),
    );
}

fn creation(cases: &mut Cases) {
    fn shape(size: Size) -> (usize, usize) {
        let (n, _) = size.square::<f64>();
        (n, n)
    }
    fn block(size: Size) -> usize {
        size.square::<f64>().1
    }
    made!(cases, size;
        "Array::from_elem" => Array::<f64, Ix2>::from_elem(shape(size), 2.5, block(size)),
        "Array::full" => Array::<u8, Ix2>::full(shape(size), 3, block(size)),
        "Array::zeros" => Array::<f64, Ix2>::zeros(shape(size), block(size)),
        "Array::ones" => Array::<i64, Ix2>::ones(shape(size), block(size)),
        "Array::zeros_like" => Array::<f64, Ix2>::zeros_like(&x(size)),
        "Array::from_shape_fn" => x(size),
        "Array::arange" => Array::arange(0_i64, size.elements::<i64>() as i64, 1, size.chunk::<i64>()),
        "Array::linspace" => Array::linspace(0.0, 1.0, size.elements::<f64>(), size.chunk::<f64>()),
        "Array::eye" => Array::<f64, Ix2>::eye(shape(size).0, block(size)),
        "uniform Random::build" => random::uniform(shape(size), block(size)).seed(3).build(),
        "normal Random::seed" => random::normal(shape(size), block(size)).seed(3).build(),
        "exponential Random::stream" => random::exponential(shape(size), block(size)).seed(3).stream(2).build(),
        "integers Random::philox" => random::integers(0..9, shape(size), block(size)).seed(3).philox().build(),
        "Random::single" => random::normal(shape(size), block(size)).seed(1).single().build(),
        "Array::from_delayed Array::to_delayed" => {
            let x = x(size);
            Array::<f64, Ix2>::from_delayed(x.to_delayed(), x.chunks().clone()).unwrap()
        },
        "Array::into_dyn Array::into_dimensionality" => x(size).into_dyn().into_dimensionality::<Ix2>().unwrap(),
    );
}

/// Adds reductions over some axes by their names.
macro_rules! over {
    ($cases:ident, $size:ident, $data:expr, $axes:expr; $($method:ident($($argument:expr),*)),* $(,)?) => {
        $($cases.add("Array::over", |$size, options| {
            read(&$data.over($axes).$method($($argument),*), options)
        });)*
    };
}

fn reductions(cases: &mut Cases) {
    calls!(cases, size, x(size); sum(), mean(), product(), var(1.0), std(0.0));
    calls!(cases, size, x(size); argmin(), argmax(), min(), max(), count_not_nan());
    calls!(cases, size, whole(size); sum(), mean(), var(0.0), argmin(), max());
    calls!(cases, size, truth(size); any(), all(), count_true());
    calls!(cases, size, x(size); sum_axis(Axis(0)), sum_axis(Axis(1)), mean_axis(Axis(0)), product_axis(Axis(1)));
    calls!(cases, size, x(size); var_axis(Axis(0), 1.0), std_axis(Axis(1), 0.0));
    over!(cases, size, x(size), Axis(0); sum(), mean(), product(), var(0.0), std(1.0), argmin(), argmax(), min(), max());
    over!(cases, size, x(size), Axis(1); var(0.0), argmax(), max());
    over!(cases, size, truth(size), Axis(0); any(), all(), count_true());
    made!(cases, size;
        "Over::skip_nan" => x(size).over(Axis(0)).skip_nan().mean(),
        "Over::skip_nan" => x(size).over(All).skip_nan().std(0.0),
        "Over::where_true" => x(size).over(Axis(1)).where_true(&y(size).gt(40.0)).max(),
        "Over::keep_axes" => x(size).over([Axis(0), Axis(1)]).keep_axes().sum(),
    );
}

fn layout(cases: &mut Cases) {
    fn side(size: Size) -> usize {
        size.square::<f64>().0
    }
    fn thin(size: Size) -> usize {
        size.chunk::<f64>() / side(size)
    }
    calls!(cases, size, x(size); t(), permuted_axes([1, 0]), swap_axes(0, 1), insert_axis(Axis(1)));
    calls!(cases, size, x(size); index_axis(Axis(0), 300), slice(s![10..500, 5..;2]), slice(s![..;-1, 30..]));
    calls!(cases, size, x(size); slice_axis(Axis(0), Slice::from(100..)), rechunk((side(size), thin(size))));
    calls!(cases, size, x(size); rechunk((thin(size), side(size))), rechunk(100));
    made!(cases, size;
        "Array::rechunk" => x(size).rechunk((side(size), thin(size))).rechunk((thin(size), side(size))),
        "Array::broadcast_to" => x(size).mean_axis(Axis(0)).broadcast_to((side(size), side(size))),
        "Array::reshape" => x(size).reshape((side(size) / 4, side(size) * 4)),
        "Array::reshape" => row(size).reshape((size.elements::<f64>() / 64, 64)),
        "concatenate" => concatenate(Axis(0), &[&x(size), &y(size)]).unwrap(),
        "stack" => stack(Axis(0), &[&x(size), &y(size)]).unwrap(),
        "Array::block" => Array::block(&[[x(size), y(size)], [y(size), x(size)]]).unwrap(),
    );
}

fn blocks(cases: &mut Cases) {
    fn add(block: ArrayView2<'_, f64>) -> musher_array::ndarray::Array2<f64> {
        block.mapv(|value| value + 1.0)
    }
    fn narrow(size: Size) -> Array<f64, Ix2> {
        let (n, block) = size.square::<f64>();
        Array::from_shape_fn((n, 40), block, |(i, j)| ((i * 7 + j) % 11) as f64)
    }
    calls!(cases, size, x(size); map_blocks(add));
    cases.users_memory();
    calls!(cases, size, x(size); map_blocks_with_place(|_, block| add(block)));
    cases.users_memory();
    calls!(cases, size, x(size); map_overlap(2, Boundary::Wrap, add));
    cases.users_memory();
    calls!(cases, size, x(size); overlap(2, Boundary::Reflect));
    calls!(cases, size, x(size); matmul(&narrow(size)), dot(&narrow(size)));
    made!(cases, size;
        "Array::map_blocks_dropping" => {
            let whole_rows = x(size).rechunk((64, x(size).shape()[1]));
            whole_rows.map_blocks_dropping(Axis(1), |block| block.sum_axis(Axis(1)))
        },
    );
    cases.users_memory();
    made!(cases, size;
        "Array::map_blocks_to" => x(size).map_blocks_to::<f32, Ix2, _>(x(size).chunks().clone(), |_, block| {
            block.mapv(|value| value as f32)
        }),
    );
    cases.users_memory();
    made!(cases, size;
        "Array::trim_overlap" => {
            let x = x(size);
            x.overlap(3, Boundary::Wrap).trim_overlap(x.chunks(), 3, Boundary::Wrap)
        },
        "Array::matmul" => narrow(size).t().matmul(&x(size)),
        "Array::matmul_by" => x(size).matmul_by(&narrow(size), musher_array::linalg::Faer).unwrap(),
    );
    cases.add("Array::to_npy Array::read_npy", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let written: Delayed<()> = x(size).to_npy(&path);
        written.compute_with(options)?;
        let (_, block) = size.square::<f64>();
        read(&Array::<f64, Ix2>::read_npy(&path, block).unwrap(), options)
    });
    cases.own_files();
    cases.add("Array::to_raw Array::read_raw store", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.raw");
        musher_array::store([x(size).to_raw(&path)]).compute_with(options)?;
        let (n, block) = size.square::<f64>();
        read(&Array::<f64, Ix2>::read_raw(&path, 0, (n, n), block).unwrap(), options)
    });
    cases.own_files();
    cases.add("Array::to_npy_stack Array::read_npy_stack", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let (n, block) = size.square::<f64>();
        let rows = x(size).rechunk((block * block / n, n));
        rows.to_npy_stack(&path, Axis(0)).unwrap().compute_with(options)?;
        read(&Array::<f64, Ix2>::read_npy_stack(&path, Axis(0)).unwrap(), options)
    });
    cases.own_files();
    #[cfg(feature = "zarr")]
    zarr(cases);
    #[cfg(not(feature = "zarr"))]
    cases.without("Array::to_zarr Array::read_zarr", "the feature is off");
}

/// Zarr arrays in chunks of the blocks, in others, and in shards.
#[cfg(feature = "zarr")]
fn zarr(cases: &mut Cases) {
    use musher_array::zarr::{Compression, ReadOptions, WriteOptions};
    // Not gzip: the memory of its encoder is beside the limit, which `to_zarr` says.
    let compressions =
        [Compression::None, Compression::Zstd { level: 1 }, Compression::BloscLz4 { level: 1 }];
    for (way, compression) in (0..3).flat_map(|way| compressions.map(|compression| (way, compression))) {
        cases.add("Array::to_zarr Array::read_zarr", move |size, options| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.zarr");
            let (n, block) = size.square::<f64>();
            let plain = WriteOptions::from(compression);
            let write = match way {
                0 => plain,
                1 => plain.chunks((block / 2, block)),
                _ => plain.chunks((block / 4, block / 2)).shards(block),
            };
            x(size).to_zarr(&path, write).unwrap().compute_with(options)?;
            let wish = if way == 2 { ReadOptions::from((n, block / 2)) } else { ReadOptions::from(block) };
            read(&Array::<f64, Ix2>::read_zarr(&path, wish).unwrap(), options)
        });
        cases.own_files();
    }
}

musher_testkit::promises!("promises", cases());

fn cases() -> Cases {
    let mut cases = Cases::new("array");
    let others = [arranged::layouts, arranged::choices, arranged::statistics, arranged::order];
    let others = others.into_iter().chain([algebra::products, algebra::factorizations]);
    let others = others.chain([ranges::orders, ranges::maps]);
    let others = others.chain([spectra::fourier, spectra::laws, spectra::hypotheses, spectra::masks]);
    for family in [elementwise, creation, reductions, layout, blocks].into_iter().chain(others) {
        family(&mut cases);
    }
    cases.without("Array::from_port", "the door for operations of other crates");
    cases.without("Array::from_array", "its elements are in memory already, and are the user's");
    cases.without(
        "neighborhood",
        "`map_overlap` goes through it, and so do the filters of images, which have cases",
    );
    cases
}

// OpenBLAS asks for memory of its own, and again without end where it is refused: this promise is the default backend's.
#[cfg(all(target_os = "linux", not(feature = "lapack")))]
#[test]
fn memory_that_is_refused_is_an_error() {
    println!("{}", cases().check_refused_memory(CHILD));
}
