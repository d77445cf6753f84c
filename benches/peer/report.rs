//! The line of JSON that the comparison scripts read.

use serde_json::{Value, json};

use crate::measure::{Moment, forget_peak, peak_resident, resident};

/// Times `run` as often as `BENCH_REPS` says and prints the line; `run` gives its checksum and may give other figures.
pub(crate) fn report(mut run: impl FnMut() -> (Value, Value)) {
    let repetitions = std::env::var("BENCH_REPS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    forget_peak();
    let base = mebibytes(resident());
    let (mut seconds, mut cpu, mut other) = (vec![], vec![], vec![]);
    let (mut checksum, mut extra) = (Value::Null, Value::Null);
    for _ in 0..repetitions {
        let start = Moment::now();
        (checksum, extra) = run();
        let wall = extra["seconds"].as_f64().unwrap_or_else(|| start.seconds());
        other.push(start.other_cpu());
        cpu.push(start.cpu_seconds() / wall);
        seconds.push(wall);
    }
    let line = json!({
        "seconds": seconds, "cpu": cpu, "other_cpu": other, "checksum": checksum, "extra": extra,
        "peak_rss_mb": mebibytes(peak_resident()), "base_rss_mb": base,
        "version": concat!("musher ", env!("CARGO_PKG_VERSION")),
    });
    println!("{line}");
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}
