//! Arrays as they are on the disk: the metadata and chunks that zarr-python was given to read.
//!
//! `array_zarr_written/` of the golden files holds what [`written`] makes; the script beside it reads that by zarr-python. To
//! make it again, set `GOLDEN_ZARR_WRITTEN` to its path, run this module's test, and then the script.

use crate::blocks::golden;
use musher_array::ndarray::{Array, ArrayD, IxDyn};
use musher_array::zarr::{Compression, Version, WriteOptions};
use musher_array::{Array as Lazy, Chunks, Complex, Element};
use musher_scheduler::Compute;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn write<A: Element>(
    folder: &Path,
    name: &str,
    values: ArrayD<A>,
    chunks: impl Into<Chunks>,
    options: WriteOptions,
) {
    let x = Lazy::from_array(values, chunks);
    x.to_npy(folder.join(format!("{name}.npy"))).compute().unwrap();
    x.to_zarr(folder.join(format!("{name}.zarr")), options).unwrap().compute().unwrap();
}

fn numbers<A: Element>(shape: &[usize], number: impl Fn(f64) -> A) -> ArrayD<A> {
    let n = shape.iter().product();
    let values = (0..n).map(|at: usize| number((at * 37 % 23) as f64 - 9.0)).collect();
    Array::from_shape_vec(IxDyn(shape), values).unwrap()
}

fn label(version: Version) -> &'static str {
    if version == Version::V2 { "v2" } else { "v3" }
}

/// Every element type, codec and option once.
fn written(folder: &Path) {
    for version in [Version::V2, Version::V3] {
        let options = WriteOptions::from(version).compression(Compression::None);
        macro_rules! types {
            ($($name:ident $t:ty),*) => {$(
                let name = format!("plain_{}_{}", label(version), stringify!($name));
                write(folder, &name, numbers(&[5, 4], |x| x.abs() as $t), (2, 3), options.clone());
            )*};
        }
        types!(int8 i8, int16 i16, int32 i32, int64 i64, uint8 u8, uint16 u16, uint32 u32, uint64 u64, float32 f32, float64 f64);
        let name = |name: &str| format!("plain_{}_{name}", label(version));
        write(folder, &name("bool"), numbers(&[5, 4], |x| x > 0.0), (2, 3), options.clone());
        let complex = |x: f64| Complex::new(x as f32, -x as f32 / 4.0);
        write(folder, &name("complex64"), numbers(&[5, 4], complex), (2, 3), options.clone());
        let complex = |x: f64| Complex::new(x, -x / 4.0);
        let fill = options.clone().fill_value(Complex::new(f64::NAN, f64::NEG_INFINITY));
        write(folder, &name("complex128"), numbers(&[5, 4], complex), (2, 3), fill);
        write(folder, &name("scalar"), numbers(&[], |x| x), Chunks::whole(), options.clone());
        write(folder, &name("empty"), numbers(&[0, 4], |x| x), 2, options.clone());
        write(
            folder,
            &name("cube"),
            numbers(&[3, 4, 5], |x| x as i16),
            2,
            options.clone().fill_value(-1_i16),
        );
        let compressions = [
            ("zstd", Compression::Zstd { level: 3 }),
            ("blosc_lz4", Compression::BloscLz4 { level: 5 }),
            ("blosc_zstd", Compression::BloscZstd { level: 5 }),
            ("gzip", Compression::Gzip { level: 6 }),
        ];
        for (codec, compression) in compressions {
            let name = format!("{}_{codec}", label(version));
            let options = WriteOptions::from(version).compression(compression).fill_value(f64::NAN);
            write(folder, &name, numbers(&[20, 15], |x| x / 4.0), (15, 15), options.clone());
            write(
                folder,
                &format!("{name}_bytes"),
                numbers(&[20, 15], |x| x as i8),
                (15, 15),
                WriteOptions::from(version).compression(compression),
            );
        }
    }
    let nested = WriteOptions::from(Version::V2).separator('/').attribute("unit", "m").fill_value(0.1_f32);
    write(folder, "v2_nested", numbers(&[5, 4], |x| x as f32), (2, 3), nested);
    let dotted = WriteOptions::default()
        .separator('.')
        .dimension_names(["y", "x"])
        .attribute("scale", json!([1, 2.5]));
    write(folder, "v3_dotted", numbers(&[5, 4], |x| x as f32), (2, 3), dotted);
    let shards = WriteOptions::default().chunks((2, 3)).shards((4, 6));
    write(folder, "v3_shards", numbers(&[9, 13], |x| x as f32), (3, 4), shards.clone());
    write(
        folder,
        "plain_v3_shards",
        numbers(&[9, 13], |x| x as f32),
        (3, 4),
        shards.compression(Compression::None),
    );
}

/// The files below a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(inner) = waiting.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_zarr_python_was_given_is_written() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("GOLDEN_ZARR_WRITTEN");
    let folder = kept.as_deref().map_or(temporary.path(), Path::new);
    written(folder);
    let want = golden("array_zarr_written");
    let want = Path::new(&want);
    let names = files(want);
    assert_eq!(files(folder), names);
    for name in &names {
        let [found, want] = [folder, want].map(|folder| fs::read(folder.join(name)).unwrap());
        let is_metadata = [".zarray", ".zattrs", "zarr.json"].iter().any(|end| name.ends_with(end));
        if is_metadata {
            let [found, want] = [found, want].map(|text| serde_json::from_slice::<Value>(&text).unwrap());
            assert_eq!(found, want, "{name}");
        } else if name.starts_with("plain") || name.ends_with(".npy") {
            assert_eq!(found, want, "{name}");
        }
    }
}

#[test]
fn zarr_python_says_of_it_what_was_meant() {
    let told: Vec<Value> =
        serde_json::from_slice(&fs::read(golden("array_zarr/written.json")).unwrap()).unwrap();
    let stores = files(Path::new(&golden("array_zarr_written")));
    let n = stores.iter().filter(|name| name.ends_with(".zarray") || name.ends_with("zarr.json")).count();
    assert_eq!(told.len(), n);
    let of = |name: &str| told.iter().find(|told| told["name"] == name).unwrap();
    assert_eq!(of("v3_shards")["chunks"], json!([2, 3]));
    assert_eq!(of("v3_shards")["stored"], json!([4, 6]));
    assert_eq!(of("v3_zstd")["fill_value"], "nan");
    assert_eq!(of("plain_v2_complex128")["fill_value"], "(nan-infj)");
    assert_eq!(of("v2_nested")["attributes"], json!({"unit": "m"}));
    assert_eq!(of("v3_dotted")["attributes"], json!({"scale": [1, 2.5]}));
    assert_eq!(of("plain_v3_empty")["shape"], json!([0, 4]));
}
