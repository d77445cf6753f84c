//! The format against files that NumPy wrote, every block of small arrays, and headers meant to do harm.

use super::*;
use ndarray::{Array2, Array3, Slice};
use num_complex::Complex;
use std::io::Cursor;

/// A file that NumPy wrote.
fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/../testkit/golden/npy/{name}.npy", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("golden files are in the repository")
}

fn header(bytes: &[u8]) -> Result<NpyHeader, NpyError> {
    NpyHeader::read(&mut &bytes[..], bytes.len() as u64)
}

fn whole(header: &NpyHeader) -> Vec<Range<usize>> {
    header.shape.iter().map(|&length| 0..length).collect()
}

fn read<A: Element>(bytes: &[u8]) -> Result<ArrayD<A>, NpyError> {
    let header = header(bytes)?;
    read_block(&mut Cursor::new(bytes), &header, &whole(&header))
}

fn written<A: Element>(header: &NpyHeader, values: &ArrayViewD<'_, A>) -> Vec<u8> {
    let mut file = Cursor::new(header.encode());
    write_block(&mut file, header, &whole(header), values).expect("the array has the shape of the header");
    file.into_inner()
}

/// Reads NumPy's file, compares, and writes the same bytes.
fn check<A: Element>(name: &str, shape: &[usize], values: &[A]) {
    let bytes = golden(name);
    let array = read::<A>(&bytes).expect("a file that NumPy wrote");
    assert_eq!(array, ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).expect("test shape"), "{name}");
    assert_eq!(written(&header(&bytes).expect("read before"), &array.view()), bytes, "{name}");
}

#[test]
fn every_element_type_is_read_and_written_as_numpy_does() {
    let signed = [0, 4, 8, 1, 5, 9];
    check("type_bool", &[2, 3], &[false, true, true, true, true, true]);
    check("type_int8", &[2, 3], &signed.map(|value| value as i8));
    check("type_int16", &[2, 3], &signed.map(|value| value as i16));
    check("type_int32", &[2, 3], &signed);
    check("type_int64", &[2, 3], &signed.map(|value| value as i64));
    check("type_uint8", &[2, 3], &signed.map(|value| value as u8));
    check("type_uint16", &[2, 3], &signed.map(|value| value as u16));
    check("type_uint32", &[2, 3], &signed.map(|value| value as u32));
    check("type_uint64", &[2, 3], &signed.map(|value| value as u64));
    check("type_float32", &[2, 3], &signed.map(|value| value as f32));
    check("type_float64", &[2, 3], &signed.map(f64::from));
    check("type_complex64", &[2], &[Complex::new(1_f32, 2.0), Complex::new(3.0, -0.5)]);
    check("type_complex128", &[2], &[Complex::new(1_f64, 2.0), Complex::new(3.0, -0.5)]);
}

#[test]
fn orders_versions_and_odd_shapes_are_read() {
    let bytes = golden("fortran");
    let fortran = header(&bytes).expect("a file that NumPy wrote");
    assert!(fortran.fortran_order);
    let array = read::<f64>(&bytes).expect("a file that NumPy wrote");
    assert!(array.is_standard_layout());
    assert_eq!(written(&fortran, &array.view()), bytes);
    let big = golden("big_endian");
    assert_eq!(header(&big).expect("a file that NumPy wrote").byte_order, ByteOrder::Big);
    let values = read::<f64>(&big).expect("a file that NumPy wrote");
    assert_eq!(written(&header(&big).expect("read before"), &values.view()), big);
    assert_eq!(read::<f64>(&golden("scalar")).expect("a file that NumPy wrote").shape(), [0_usize; 0]);
    assert_eq!(read::<f64>(&golden("empty")).expect("a file that NumPy wrote").shape(), [0, 4]);
    assert_eq!(read::<f64>(&golden("vector")).expect("a file that NumPy wrote").shape(), [5]);
    for version in ["version_1", "version_2", "version_3"] {
        let values = read::<f64>(&golden(version)).expect("a file that NumPy wrote");
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0], "{version}");
    }
}

#[test]
fn big_and_little_endian_hold_the_same_values() {
    let values =
        Array2::from_shape_fn((3, 2), |(i, j)| Complex::new(i as f32 + 0.25, -(j as f32))).into_dyn();
    let mut header = NpyHeader::of::<Complex<f32>>(values.shape());
    let little = written(&header, &values.view());
    header.byte_order = ByteOrder::Big;
    let big = written(&header, &values.view());
    assert_ne!(little, big);
    assert_eq!(read::<Complex<f32>>(&little).expect("just written"), values);
    assert_eq!(read::<Complex<f32>>(&big).expect("just written"), values);
}

#[test]
fn every_block_of_a_small_array_is_read_and_written_alone() {
    let values = Array3::from_shape_fn((3, 2, 4), |(i, j, k)| (i * 100 + j * 10 + k) as i32).into_dyn();
    for fortran_order in [false, true] {
        let mut header = NpyHeader::of::<i32>(values.shape());
        header.fortran_order = fortran_order;
        header.data_offset = header.encode().len() as u64;
        let file = written(&header, &values.view());
        let ranges =
            |length: usize| (0..=length).flat_map(move |start| (start..=length).map(move |end| start..end));
        for rows in ranges(3) {
            for columns in ranges(2) {
                for planes in ranges(4) {
                    let block = [rows.clone(), columns.clone(), planes];
                    let mut expected = values.view();
                    for (axis, range) in block.iter().enumerate() {
                        expected.slice_axis_inplace(ndarray::Axis(axis), Slice::from(range.clone()));
                    }
                    let found = read_block::<i32>(&mut Cursor::new(&file), &header, &block).expect("inside");
                    assert_eq!(found, expected, "{block:?}");
                    let mut other = Cursor::new(vec![0; file.len()]);
                    write_block(&mut other, &header, &block, &expected).expect("inside");
                    let bytes: u64 =
                        header.runs(&block).expect("inside").map(|run| run.end - run.start).sum();
                    assert_eq!(bytes as usize, found.len() * 4);
                    let again = read_block::<i32>(&mut other, &header, &block).expect("inside");
                    assert_eq!(again, expected, "{block:?}");
                }
            }
        }
    }
}

/// A reader that counts the bytes it gives out.
struct Counting<'a> {
    inner: Cursor<&'a [u8]>,
    bytes: usize,
    reads: usize,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.bytes += bytes;
        self.reads += 1;
        Ok(bytes)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(position)
    }
}

#[test]
fn a_block_of_rows_reads_its_rows_and_no_others() {
    let values = Array2::from_shape_fn((1000, 500), |(i, j)| (i * 500 + j) as f64).into_dyn();
    let header = NpyHeader::of::<f64>(values.shape());
    let file = written(&header, &values.view());
    let mut reader = Counting { inner: Cursor::new(&file), bytes: 0, reads: 0 };
    let block = [100..110, 0..500];
    assert_eq!(header.runs(&block).expect("inside").count(), 1);
    let found = read_block::<f64>(&mut reader, &header, &block).expect("inside");
    assert_eq!(found[[9, 499]], (109 * 500 + 499) as f64);
    assert!(reader.bytes <= 10 * 500 * 8 + WINDOW_BYTES, "{} bytes read", reader.bytes);
    // A single column: short runs far apart cost a window each, never the gap.
    let narrow = Array2::from_shape_fn((2000, 8), |(i, j)| (i * 8 + j) as f64).into_dyn();
    let header = NpyHeader::of::<f64>(narrow.shape());
    let file = written(&header, &narrow.view());
    let mut reader = Counting { inner: Cursor::new(&file), bytes: 0, reads: 0 };
    let found = read_block::<f64>(&mut reader, &header, &[0..2000, 3..4]).expect("inside");
    assert_eq!(found[[1999, 0]], (1999 * 8 + 3) as f64);
    assert!(
        reader.reads <= file.len() / WINDOW_BYTES + 2,
        "short runs that lie close share a read: {}",
        reader.reads
    );
}

#[test]
fn blocks_longer_than_the_decode_window_keep_their_order() {
    let values = Array2::from_shape_fn((3, 20_000), |(i, j)| (i * 20_000 + j) as u64).into_dyn();
    let file = written(&NpyHeader::of::<u64>(values.shape()), &values.view());
    assert_eq!(read::<u64>(&file).expect("just written"), values);
}

#[test]
fn values_in_another_order_are_written_slab_by_slab() {
    // Slabs of 8, of 3 and of 1 row, the last ones ragged.
    for (rows, columns) in [(21, 30_000), (7, 80_000), (2, 300_000)] {
        let values = Array2::from_shape_fn((columns, rows), |(i, j)| (i * rows + j) as f64);
        let turned = values.t().into_dyn();
        let header = NpyHeader::of::<f64>(turned.shape());
        assert_eq!(written(&header, &turned), written(&header, &turned.as_standard_layout().view()));
    }
    let cube = Array3::from_shape_fn((3, 5, 4), |(i, j, k)| (i * 20 + j * 4 + k) as i32).into_dyn();
    let turned = cube.view().permuted_axes(IxDyn(&[1, 2, 0]));
    let header = NpyHeader::of::<i32>(turned.shape());
    assert_eq!(written(&header, &turned), written(&header, &turned.as_standard_layout().view()));
}

#[test]
fn damaged_files_are_refused() {
    let error = |name: &str| read::<f64>(&golden(name)).expect_err("damaged").to_string();
    assert_eq!(error("damaged_magic"), r"not an npy file: it does not begin with \x93NUMPY");
    assert_eq!(error("damaged_header_cut"), "npy file has 40 bytes, its header promises 128");
    assert!(error("damaged_short").starts_with("npy file has "));
    assert!(error("damaged_huge_shape").starts_with("npy shape [2, 1152921504606846976] has more"));
    assert!(error("damaged_object").starts_with("npy element type is \"|O8\""));
    assert!(error("damaged_negative_shape").starts_with("malformed npy header at byte 51"));
}

/// A file of format 1.0 with this text for a header and nothing after it.
fn file_of(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("test headers are short");
    [MAGIC.as_slice(), &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat()
}

#[test]
fn hostile_headers_are_refused() {
    let cases = [
        ("", "an opening brace"),
        ("{", "a string"),
        ("{'descr': '<f8', 'fortran_order': False}", "the keys"),
        ("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (0,)}", "once"),
        ("{'descr': '<f8', 'fortran_order': 0, 'shape': (0,)}", "True or False"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (3)}", "a comma"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': 3}", "a tuple"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", "64 bits"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (0,)} garbage", "nothing after"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (0,), 'more': '1'}", "once"),
        ("{'descr': '<f\\x38', 'fortran_order': False, 'shape': (0,)}", "without escapes"),
        ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,)}", "a string"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 9223372036854775807)}", "more elements"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4611686018427387904, 16)}", "more elements"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,)}", "promises"),
        ("{'descr': '<f3', 'fortran_order': False, 'shape': (0,)}", "element type"),
        ("{'descr': '|f8', 'fortran_order': False, 'shape': (0,)}", "element type"),
        ("{'descr': '', 'fortran_order': False, 'shape': (0,)}", "element type"),
        ("{'descr': 'é8', 'fortran_order': False, 'shape': (0,)}", "element type"),
    ];
    for (text, expected) in cases {
        let error = header(&file_of(text)).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let many = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({})}}", "1, ".repeat(65));
    assert!(header(&file_of(&many)).is_err());
    let python2 = "{'descr': \"<f8\", 'shape': (0L, 3L), 'fortran_order': False}";
    assert_eq!(header(&file_of(python2)).expect("Python 2 wrote so").shape, [0, 3]);
}

#[test]
fn lengths_are_checked_before_they_are_believed() {
    let long = [MAGIC.as_slice(), &[2, 0], &u32::MAX.to_le_bytes()].concat();
    assert!(matches!(header(&long), Err(NpyError::HeaderTooLong { .. })));
    let short = [MAGIC.as_slice(), &[2, 0], &60_000_u32.to_le_bytes()].concat();
    assert!(matches!(header(&short), Err(NpyError::Truncated { expected: 60_012, found: 12 })));
    assert!(matches!(header(b"\x93NUMPY\x04\x00"), Err(NpyError::Version { major: 4, minor: 0 })));
    assert!(matches!(header(b""), Err(NpyError::Truncated { .. })));
    let file = golden("type_float64");
    for length in 0..file.len() {
        assert!(header(&file[..length]).is_err(), "cut after {length} bytes");
    }
}

#[test]
fn every_changed_byte_of_a_header_ends_in_an_answer() {
    let file = golden("fortran");
    for position in 0..128 {
        for value in 0..=255 {
            let mut changed = file.clone();
            changed[position] = value;
            // Either the file still describes an array that it can hold, or it is refused; never more.
            if let Ok(array) = read::<f64>(&changed) {
                assert!(array.len() * 8 <= file.len());
            }
        }
    }
}

#[test]
fn wrong_blocks_and_element_types_are_refused() {
    let file = golden("type_float64");
    let header = header(&file).expect("a file that NumPy wrote");
    let read = |block: &[Range<usize>]| read_block::<f64>(&mut Cursor::new(&file), &header, block);
    assert!(matches!(read(&[0..3, 0..3]), Err(NpyError::OutOfBounds { .. })));
    let one_axis = Range { start: 0, end: 2 };
    assert!(matches!(read(&[one_axis]), Err(NpyError::OutOfBounds { .. })));
    let backwards = Range { start: 2, end: 1 };
    assert!(matches!(read(&[backwards, 0..3]), Err(NpyError::OutOfBounds { .. })));
    let wrong = read_block::<f32>(&mut Cursor::new(&file), &header, &[0..2, 0..3]);
    assert!(matches!(wrong, Err(NpyError::ElementType { expected: "f4", .. })));
    let values = Array2::<f64>::zeros((1, 3)).into_dyn();
    let mut out = Cursor::new(Vec::new());
    assert!(write_block(&mut out, &header, &[0..2, 0..3], &values.view()).is_err());
}
