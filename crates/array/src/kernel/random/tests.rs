//! Known answers, independence of the way in which indices are walked, and a few moments.

use super::*;
use crate::kernel::math::random::{ln_unit, sin_cos_turn};

fn engines() -> [Engine; 2] {
    [Engine::SplitMix(SplitMix::new(7, 3)), Engine::Philox(Philox::new(7, 3))]
}

fn distributions() -> [Distribution; 4] {
    [
        Distribution::Uniform { low: 0.0, high: 1.0 },
        Distribution::Uniform { low: -2.0, high: 5.0 },
        Distribution::Normal { mean: 1.0, std: 3.0 },
        Distribution::Exponential { scale: 2.0 },
    ]
}

#[test]
fn philox_gives_the_published_answers() {
    let ones = u32::MAX;
    assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    assert_eq!(philox4x32_10([ones; 4], [ones; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    assert_eq!(
        philox4x32_10([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    );
}

/// 64 bits of an engine.
fn bits(engine: Engine, index: u64) -> u64 {
    match engine {
        Engine::SplitMix(engine) => engine.at(index),
        Engine::Philox(engine) => engine.at(index),
    }
}

#[test]
fn a_value_depends_on_its_index_only() {
    for engine in engines() {
        for distribution in distributions() {
            let mut all = vec![0.0_f64; 700];
            distribution.fill(engine, Indices { start: 0, step: 1 }, &mut all);
            for start in [0, 1, 2, 5, 128, 129] {
                for step in [1, 2, 3, 100] {
                    let n = (all.len() - start).div_ceil(step);
                    let mut some = vec![0.0_f64; n];
                    distribution.fill(engine, Indices { start: start as u64, step: step as u64 }, &mut some);
                    let want: Vec<f64> = all.iter().copied().skip(start).step_by(step).collect();
                    assert_eq!(some, want, "{engine:?} {distribution:?} {start} {step}");
                }
            }
        }
    }
}

#[test]
fn streams_and_seeds_differ() {
    let first = |engine| (0..64).map(|index| bits(engine, index)).collect::<Vec<_>>();
    let mut seen = std::collections::HashSet::new();
    for seed in 0..20 {
        for stream in 0..20 {
            assert!(seen.insert(first(Engine::SplitMix(SplitMix::new(seed, stream)))));
            assert!(seen.insert(first(Engine::Philox(Philox::new(seed, stream)))));
        }
    }
    let values: std::collections::HashSet<u64> = seen.iter().flatten().copied().collect();
    assert_eq!(values.len(), 800 * 64, "no two streams meet");
}

#[test]
fn mean_and_variance_are_as_they_should_be() {
    // Six standard errors: a sound generator with this fixed seed stays inside.
    const N: usize = 200_000;
    for engine in engines() {
        for (distribution, mean, variance) in [
            (Distribution::Uniform { low: 0.0, high: 1.0 }, 0.5, 1.0 / 12.0),
            (Distribution::Normal { mean: 0.0, std: 1.0 }, 0.0, 1.0),
            (Distribution::Exponential { scale: 2.0 }, 2.0, 4.0_f64),
        ] {
            let mut values = vec![0.0_f64; N];
            distribution.fill(engine, Indices { start: 0, step: 1 }, &mut values);
            let found = values.iter().sum::<f64>() / N as f64;
            let spread = values.iter().map(|value| (value - found).powi(2)).sum::<f64>() / N as f64;
            assert!(
                (found - mean).abs() < 6.0 * (variance / N as f64).sqrt(),
                "{engine:?} {distribution:?} {found}"
            );
            assert!((spread / variance - 1.0).abs() < 0.05, "{engine:?} {distribution:?} {spread}");
            let mut single = vec![0.0_f32; 1000];
            distribution.fill(engine, Indices { start: 0, step: 1 }, &mut single);
            assert!(
                single.iter().zip(&values).all(|(a, b)| (f64::from(*a) - b).abs() <= 1e-5 * (1.0 + b.abs()))
            );
        }
    }
}

#[test]
fn pairs_of_normals_are_independent() {
    let mut values = vec![0.0_f64; 100_000];
    Distribution::Normal { mean: 0.0, std: 1.0 }.fill(
        engines()[0],
        Indices { start: 0, step: 1 },
        &mut values,
    );
    let product: f64 = values.chunks_exact(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / 50_000.0;
    assert!(product.abs() < 6.0 / 50_000.0_f64.sqrt(), "{product}");
    let beyond_two = values.iter().filter(|value| value.abs() > 2.0).count() as f64 / 100_000.0;
    assert!((beyond_two - 0.0455).abs() < 0.004, "{beyond_two}");
}

#[test]
fn own_functions_agree_with_the_platform_to_a_few_units() {
    let ulps = |a: f64, b: f64| (a - b).abs() / (b.abs() * f64::EPSILON).max(f64::MIN_POSITIVE);
    for i in 1..=100_000_u64 {
        let x = i as f64 / 100_000.0;
        assert!(ulps(ln_unit(x), x.ln()) <= 2.0 || x == 1.0, "ln {x}");
        let turn = x - 1e-5;
        let (sine, cosine) = sin_cos_turn(turn);
        let angle = turn * std::f64::consts::TAU;
        // The platform's argument is rounded, so near a zero only the absolute difference counts.
        assert!((sine - angle.sin()).abs() <= 1e-15, "sin {turn}");
        assert!((cosine - angle.cos()).abs() <= 1e-15, "cos {turn}");
        assert!((sine * sine + cosine * cosine - 1.0).abs() <= 4.0 * f64::EPSILON);
    }
    assert_eq!(ln_unit(1.0), 0.0);
    assert!(ulps(ln_unit(f64::EPSILON), f64::EPSILON.ln()) <= 2.0);
    assert_eq!(sin_cos_turn(0.0), (0.0, 1.0));
}
