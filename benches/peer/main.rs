//! musher as one more peer of the comparison scripts: `peer <workload> <size>` prints one line of JSON.
//!
//! The line holds `seconds` and `cpu` of each repetition (their number is in `BENCH_REPS`), a `checksum` to compare
//! with the other peers, and `peak_rss_mb`, the resident memory's high-water mark over the timed part. `peer list` prints
//! the workloads that need no files, one a line.

mod array;
mod image;
#[path = "../measure/mod.rs"]
mod measure;
mod overhead;
mod rechunk;
mod report;
#[path = "../shapes/mod.rs"]
mod shapes;

/// The workloads that make their own input.
const WORKLOADS: [(&str, &[&str]); 9] = [
    ("S1", &["independent", "chain", "tree", "wavefront", "random"]),
    ("A1", &["mean", "std", "mean_std", "xxt"]),
    (
        "A2",
        &[
            "sincos",
            "sincos_out",
            "fma",
            "fma_sum",
            "fma_persist",
            "where",
            "where_sum",
            "f32_fma",
            "i32_fma",
            "c64_fma",
            "nan_sum",
            "cast",
            "centered",
            "turned",
        ],
    ),
    ("A3", &["sum0", "sum1", "max", "var", "std0", "argmax0", "argmax1", "cumsum0", "cumsum1"]),
    ("A4", &["matmul", "ts_qr", "ts_svd", "svd_compressed"]),
    ("A6", &["stencil"]),
    ("A7", &["rows", "fft2"]),
    ("A8", &["percentile", "histogram", "unique", "topk", "sort"]),
    (
        "A9",
        &["tiny", "turned", "latency", "chunks_10000", "chunks_100000", "chunks_1000000", "chunks_10000000"],
    ),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if words == ["list"] {
        for (group, operations) in WORKLOADS {
            operations.iter().for_each(|operation| println!("{group}.{operation}"));
        }
        return;
    }
    let [workload, size] = words.as_slice() else {
        // `cargo bench` without a filter calls every bench target: this one has nothing to say then.
        return;
    };
    match workload.split_once('.') {
        Some(("S1", shape)) => overhead::run(shape, size),
        Some(("A1", operation)) => array::random(operation, size),
        Some((
            "A2",
            operation @ ("f32_fma" | "i32_fma" | "c64_fma" | "nan_sum" | "cast" | "centered" | "turned"),
        )) => {
            array::elementwise_of_others(operation, size);
        }
        Some(("A2", operation)) => array::elementwise(operation, size),
        Some(("A3", operation)) => array::reduction(operation, size),
        Some(("A4", operation)) => array::algebra(operation, size),
        Some(("A5", operation)) => rechunk::run(operation, size),
        Some(("A6", "stencil")) => array::stencil(size),
        Some(("A7", operation)) => array::fourier(operation, size),
        Some(("A8", operation)) => array::order(operation, size),
        Some(("A9", operation)) => array::overhead(operation, size),
        Some(("I1", kind)) => image::run(kind, size),
        _ => {
            eprintln!("peer: musher has no workload {workload}");
            std::process::exit(2);
        }
    }
}
