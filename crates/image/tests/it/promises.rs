//! The promises of every operation on images: images of eight times the memory limit, one pattern of bits.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use musher_array::{Array, Chunking, Element, Gather};
use musher_image::{
    ChamferMetric, GrayWeights, Imread, LabelIndex, LocalMethod, Mode, PerLabel, Spline, Structure,
    adjust_gamma, affine_transform, area, binary_closing, binary_dilation, binary_erosion, binary_fill_holes,
    binary_hit_or_miss, binary_opening, binary_propagation, black_tophat, center_of_mass, clear_border,
    convolve, convolve1d, correlate, correlate1d, distance_transform_cdt, distance_transform_edt,
    equalize_hist, extrema, find_objects, gaussian_filter, gaussian_filter1d, gaussian_gradient_magnitude,
    gaussian_laplace, generic_filter, geometric_transform, grey_closing, grey_dilation, grey_erosion,
    grey_opening, hed2rgb, hsv2rgb, imread, imread_chunked, imread_tiles, imsave_tiles, lab2rgb, lab2xyz,
    label, labeled_comprehension, laplace, luv2rgb, luv2xyz, map_coordinates, maximum, maximum_filter,
    maximum_filter1d, maximum_position, mean, measure, median_filter, minimum, minimum_filter,
    minimum_filter1d, minimum_position, morphological_gradient, morphological_laplace, percentile_filter,
    prewitt, rank_filter, regionprops, remove_small_holes, remove_small_objects, rescale_intensity, resize,
    rgb_to_gray, rgb2gray, rgb2hed, rgb2hsv, rgb2lab, rgb2luv, rgb2xyz, rgb2ycbcr, rotate, scharr, shift,
    sobel, spline_filter, spline_filter1d, standard_deviation, sum_labels, threshold, threshold_isodata,
    threshold_li, threshold_local, threshold_multiotsu, threshold_otsu, threshold_triangle, threshold_yen,
    to_u8_scaled, uniform_filter, uniform_filter1d, variance, white_tophat, xyz2lab, xyz2luv, xyz2rgb,
    ycbcr2rgb, zoom,
};
use musher_scheduler::{Compute, Error, Options, Settings};
use musher_testkit::{Cases, Size, digest};
use ndarray::{ArrayD, Axis, Ix2, Ix3, IxDyn};

/// A gray image of the data's size: bright squares on a slope.
fn image(size: Size) -> Array<f64, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, n), block, move |(i, j)| {
        let is_bright = i % 200 < 40 && j % 170 < 50;
        (i + j) as f64 / (2 * n) as f64 + if is_bright { 5.0 } else { 0.0 }
    })
}

/// A color image of the data's size.
fn color(size: Size) -> Array<u8, Ix3> {
    let (n, block) = size.square::<[u8; 3]>();
    Array::from_shape_fn((n, n, 3), (block, block, 3), |(i, j, k)| ((i * 7 + j * 13 + k * 50) % 251) as u8)
}

fn bytes(size: Size) -> Array<u8, Ix2> {
    let (n, block) = size.square::<u8>();
    Array::from_shape_fn((n, n), block, |(i, j)| ((i / 3 * 7 + j / 5 * 13) % 251) as u8)
}

/// The squares of [`image`], numbered without `label`.
fn squares(size: Size) -> Array<i32, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, n), block, move |(i, j)| {
        let is_bright = i % 200 < 40 && j % 170 < 50;
        if is_bright { 1 + (i / 200 * n.div_ceil(170) + j / 170) as i32 } else { 0 }
    })
}

/// The digest of all elements: a block is read as a whole, so that the operation makes it.
fn read<A: Element, D: Gather<A> + 'static>(array: &Array<A, D>, options: &Options) -> Result<u64, Error> {
    let ones: Vec<Vec<usize>> = array.chunks().axes().map(|axis| vec![1; axis.len()]).collect();
    let ndim = array.ndim();
    let word = |value: &A| {
        let mut bytes = [0; 16];
        value.store(&mut bytes);
        u64::from_le_bytes(*bytes.first_chunk().unwrap())
    };
    let read = array
        .clone()
        .into_dyn()
        .map_blocks_to::<u64, IxDyn, _>(Chunking::from_lengths(&ones), move |_, block| {
            ArrayD::from_elem(vec![1; ndim], digest(block.iter().map(word)))
        });
    Ok(digest(read.compute_with(options)?))
}

type Slope = fn(&Array<f64, Ix2>, Axis, Mode) -> Result<Array<f64, Ix2>, musher_image::Error>;
type OfBinary = fn(&Array<bool, Ix2>, Structure) -> Result<Array<bool, Ix2>, musher_image::Error>;

fn filters(cases: &mut Cases) {
    cases.add("gaussian_filter", |size, options| read(&gaussian_filter(&image(size), 1.5).unwrap(), options));
    cases
        .add("uniform_filter", |size, options| read(&uniform_filter(&image(size), [3, 4]).unwrap(), options));
    cases.add("minimum_filter maximum_filter", |size, options| {
        let low = read(&minimum_filter(&image(size), 5).unwrap(), options)?;
        Ok(digest([low, read(&maximum_filter(&bytes(size), 4).unwrap(), options)?]))
    });
    cases.add("median_filter", |size, options| {
        let bytes = read(&median_filter(&bytes(size), 3).unwrap(), options)?;
        Ok(digest([bytes, read(&median_filter(&image(size), 3).unwrap(), options)?]))
    });
    cases.add("percentile_filter rank_filter", |size, options| {
        let share = read(&percentile_filter(&bytes(size), 30.0, 3).unwrap(), options)?;
        Ok(digest([share, read(&rank_filter(&bytes(size), -2, 3).unwrap(), options)?]))
    });
    cases.add("sobel prewitt scharr laplace", |size, options| {
        let (image, mode) = (image(size), Mode::Reflect);
        let mut words = vec![read(&laplace(&image, mode).unwrap(), options)?];
        let slopes: [Slope; 3] = [sobel, prewitt, scharr];
        for slope in slopes {
            words.push(read(&slope(&image, Axis(0), mode).unwrap(), options)?);
        }
        Ok(digest(words))
    });
    cases.add("gaussian_laplace gaussian_gradient_magnitude gaussian_filter1d", |size, options| {
        let curved = read(&gaussian_laplace(&image(size), 1.5).unwrap(), options)?;
        let steep = read(&gaussian_gradient_magnitude(&image(size), 1.5).unwrap(), options)?;
        Ok(digest([curved, steep, read(&gaussian_filter1d(&image(size), Axis(1), 2.0).unwrap(), options)?]))
    });
    cases.add("uniform_filter1d minimum_filter1d maximum_filter1d", |size, options| {
        let mean = read(&uniform_filter1d(&image(size), Axis(0), 4).unwrap(), options)?;
        let low = read(&minimum_filter1d(&bytes(size), Axis(1), 5).unwrap(), options)?;
        Ok(digest([mean, low, read(&maximum_filter1d(&bytes(size), Axis(0), 3).unwrap(), options)?]))
    });
    cases.add("correlate convolve correlate1d convolve1d", |size, options| {
        let weights = ndarray::arr2(&[[1.0, 2.0], [0.0, -1.0], [0.5, 0.0]]);
        let one = read(&correlate(&image(size), weights.clone()).unwrap(), options)?;
        let other = read(&convolve(&image(size), weights).unwrap(), options)?;
        let line = read(&correlate1d(&image(size), Axis(0), [1.0, 2.0]).unwrap(), options)?;
        let turned = read(&convolve1d(&image(size), Axis(1), [1.0, 2.0]).unwrap(), options)?;
        Ok(digest([one, other, line, turned]))
    });
    cases.add("generic_filter threshold_local", |size, options| {
        let span = generic_filter(&bytes(size), 3, |near: &[u8]| near[0] ^ near[8]).unwrap();
        let local = threshold_local(&image(size), 5, LocalMethod::Gaussian, 1.0).unwrap();
        Ok(digest([read(&span, options)?, read(&local, options)?]))
    });
    cases.add("rgb_to_gray rgb2gray", |size, options| {
        let gray = rgb_to_gray(&color(size), GrayWeights::REC_601).unwrap();
        Ok(digest([read(&gray, options)?, read(&rgb2gray(&color(size)).unwrap(), options)?]))
    });
    cases.add("to_u8_scaled", |size, options| {
        let part = read(&to_u8_scaled(&image(size), 0.0..=6.0).unwrap(), options)?;
        Ok(digest([read(&to_u8_scaled(&image(size), ..).unwrap(), options)?, part]))
    });
    cases.add("threshold", |size, options| read(&threshold(&image(size), 3.0).unwrap(), options));
    cases.add("threshold_otsu", |size, options| read(&threshold_otsu(&image(size), 64).unwrap(), options));
}

fn morphology(cases: &mut Cases) {
    cases.add("grey_erosion grey_dilation grey_opening grey_closing", |size, options| {
        let cross = || Structure::connectivity(1);
        let thin = read(&grey_erosion(&image(size), cross()).unwrap(), options)?;
        let thick = read(&grey_dilation(&bytes(size), 5).unwrap(), options)?;
        let open = read(&grey_opening(&bytes(size), 3).unwrap(), options)?;
        Ok(digest([thin, thick, open, read(&grey_closing(&image(size), cross()).unwrap(), options)?]))
    });
    cases.add("morphological_gradient morphological_laplace white_tophat black_tophat", |size, options| {
        let edges = read(&morphological_gradient(&bytes(size), 3).unwrap(), options)?;
        let curved = read(&morphological_laplace(&image(size), 3).unwrap(), options)?;
        let bright = read(&white_tophat(&bytes(size), 3).unwrap(), options)?;
        Ok(digest([edges, curved, bright, read(&black_tophat(&bytes(size), 3).unwrap(), options)?]))
    });
    cases.add(
        "binary_erosion binary_dilation binary_opening binary_closing binary_hit_or_miss",
        |size, options| {
            let (bright, cross) = (bytes(size).gt(120), || Structure::connectivity(1).iterations(2));
            let mut words = Vec::new();
            let all: [OfBinary; 4] = [binary_erosion, binary_dilation, binary_opening, binary_closing];
            for work in all {
                words.push(read(&work(&bright, cross()).unwrap(), options)?);
            }
            let (hit, miss) = (ndarray::arr2(&[[true, true]]), ndarray::arr2(&[[true], [false]]));
            words.push(read(&binary_hit_or_miss(&bright, hit, miss).unwrap(), options)?);
            Ok(digest(words))
        },
    );
}

fn told<A: Element, D: ndarray::Dimension>(
    values: Result<PerLabel<A, D>, musher_image::Error>,
    options: &Options,
) -> Result<u64, Error> {
    let values = values.unwrap().compute_with(options)?;
    Ok(digest(format!("{values:?}").bytes().map(u64::from)))
}

fn objects(cases: &mut Cases) {
    cases.add("label", |size, options| read(&label(&image(size).gt(3.0), 2).unwrap().0, options));
    cases.add("measure Measurements::to_delayed", |size, options| {
        let table = measure(&image(size), &squares(size)).unwrap().to_delayed().compute_with(options)?;
        Ok(digest(table.f64("mean").unwrap().iter().map(|value| value.to_bits())))
    });
    macro_rules! told {
        ($($name:literal => $function:ident),*) => {$(
            cases.add($name, |size, options| {
                told($function(&image(size), &squares(size), LabelIndex::All), options)
            });
        )*};
    }
    told!("area" => area, "sum_labels" => sum_labels, "mean" => mean, "variance" => variance);
    told!("standard_deviation" => standard_deviation, "minimum" => minimum, "maximum" => maximum);
    told!("center_of_mass" => center_of_mass);
    cases.add("find_objects", |size, options| told(find_objects(&squares(size), LabelIndex::All), options));
    cases.add("PerLabel::to_array", |size, options| {
        let index: Vec<i32> = (1..9).collect();
        let means = mean(&image(size), &squares(size), index).unwrap().to_array().unwrap();
        read(&means, options)
    });
}

/// Saves tiles below a limit: saving takes no options.
fn save(size: Size, folder: &Path) {
    let mut settings = Settings::default();
    settings.memory_limit = size.limit().into();
    settings.scoped(|| imsave_tiles(&bytes(size), folder, "png")).unwrap();
}

/// An uncompressed gray TIFF of `n` × `n` pixels, 64 rows a strip, written piece by piece.
fn write_tiff(path: &Path, n: u32) {
    const ROWS: u32 = 64;
    let n_strips = n.div_ceil(ROWS);
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (pixels, table) = (8, 8 + n * n);
    file.write_all(b"II\x2a\0").unwrap();
    file.write_all(&table.to_le_bytes()).unwrap();
    for row in 0..n {
        let row: Vec<u8> = (0..n).map(|column| ((row / 3 * 7 + column / 5 * 13) % 251) as u8).collect();
        file.write_all(&row).unwrap();
    }
    let lists = table + 2 + 9 * 12 + 4;
    let long = 4_u16;
    // Width, height, bits, compression, photometric, offsets, samples, rows a strip, lengths.
    let entries = [
        (256_u16, 1, n),
        (257, 1, n),
        (258, 1, 8),
        (259, 1, 1),
        (262, 1, 1),
        (273, n_strips, lists),
        (277, 1, 1),
        (278, 1, ROWS),
        (279, n_strips, lists + 4 * n_strips),
    ];
    file.write_all(&9_u16.to_le_bytes()).unwrap();
    for (tag, count, value) in entries {
        let words = [count, value].map(u32::to_le_bytes).concat();
        file.write_all(&[tag.to_le_bytes().as_slice(), &long.to_le_bytes(), &words].concat()).unwrap();
    }
    file.write_all(&[0; 4]).unwrap();
    for strip in 0..n_strips {
        file.write_all(&(pixels + strip * ROWS * n).to_le_bytes()).unwrap();
    }
    for strip in 0..n_strips {
        let rows = ROWS.min(n - strip * ROWS);
        file.write_all(&(rows * n).to_le_bytes()).unwrap();
    }
    file.flush().unwrap();
}

fn files(cases: &mut Cases) {
    cases.add("imsave_tiles imread_tiles", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let tiles = folder.path().join("tiles");
        save(size, &tiles);
        let side = bytes(size).chunks().axis(0).len();
        let mut words = Vec::new();
        // Rows of tiles one by one: file names in order of text are not the order of numbers.
        for row in 0..side {
            let row = imread_tiles(tiles.join(format!("tile-{row}-*.png")).to_str().unwrap(), (1, side));
            let tiles: Vec<_> = row.unwrap().remove(0);
            for tile in &tiles {
                words.push(read(tile, options)?);
            }
        }
        Ok(digest(words))
    });
    cases.own_files();
    cases.add("imread Imread::new Imread::stack Imread::page Imread::max_decoded_bytes", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let tiles = folder.path().join("tiles");
        save(size, &tiles);
        let pattern = tiles.join("tile-*.png");
        let (one, other) = (imread(pattern.to_str().unwrap()).unwrap(), Imread::<u8>::new());
        let other = other.page(0).max_decoded_bytes(1 << 24).stack(pattern.to_str().unwrap()).unwrap();
        Ok(digest([read(&one, options)?, read(&other, options)?]))
    });
    cases.own_files();
    cases.add("Imread::each Imread::tiles", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let tiles = folder.path().join("tiles");
        save(size, &tiles);
        let side = bytes(size).chunks().axis(0).len();
        let pattern = tiles.join("tile-*.png");
        let mut words = Vec::new();
        for tile in Imread::<u8>::new().each(pattern.to_str().unwrap()).unwrap() {
            words.push(read(&tile, options)?);
        }
        let rows = Imread::<u8>::new().tiles(pattern.to_str().unwrap(), (side, side)).unwrap();
        for tile in rows.iter().flatten() {
            words.push(read(tile, options)?);
        }
        Ok(digest(words))
    });
    cases.own_files();
    cases.add("imread_chunked Imread::chunked", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.tif");
        let (n, _) = size.square::<u8>();
        write_tiff(&path, n as u32);
        let rows = (size.chunk::<u8>() / n).max(1);
        let other = Imread::<u8>::new().max_decoded_bytes(1 << 40).chunked(&path, rows).unwrap();
        Ok(digest([read(&imread_chunked(&path, rows).unwrap(), options)?, read(&other, options)?]))
    });
    cases.own_files();
}

/// Bright spots and dark ones: labels take four bytes where the image takes one, and all that joins them is in one task.
fn spots(size: Size) -> Array<u8, Ix2> {
    let (n, block) = size.square::<[f64; 2]>();
    Array::from_shape_fn((n, n), block, |(i, j)| ((i / 3 * 7 + j / 5 * 13) % 251) as u8)
}

fn chosen(cases: &mut Cases) {
    cases.add("minimum_position maximum_position extrema", |size, options| {
        let (_, most, least_at, _) = extrema(&image(size), &squares(size), ..).unwrap();
        let one = told(minimum_position(&image(size), &squares(size), ..), options)?;
        let other = told(maximum_position(&image(size), &squares(size), ..), options)?;
        Ok(digest([one, other, told(Ok(most), options)?, told(Ok(least_at), options)?]))
    });
    cases.add("labeled_comprehension", |size, options| {
        let first = |values: &[f64]| values[0] + values[values.len() - 1];
        told(labeled_comprehension(&image(size), &squares(size), .., first), options)
    });
    cases.add("regionprops", |size, options| {
        let table = regionprops(&image(size), &squares(size)).unwrap().compute_with(options)?;
        Ok(digest(table.f64("orientation").unwrap().iter().map(|value| value.to_bits())))
    });
    cases.add("binary_fill_holes binary_propagation clear_border", |size, options| {
        let bright = spots(size).gt(120);
        let filled = read(&binary_fill_holes(&bright, 1).unwrap(), options)?;
        let grown = read(&binary_propagation(&spots(size).gt(240), &bright, 1).unwrap(), options)?;
        Ok(digest([filled, grown, read(&clear_border(&bright, 2).unwrap(), options)?]))
    });
    cases.add("remove_small_objects remove_small_holes", |size, options| {
        let bright = spots(size).gt(120);
        let large = read(&remove_small_objects(&bright, 40, 1).unwrap(), options)?;
        Ok(digest([large, read(&remove_small_holes(&bright, 40, 1).unwrap(), options)?]))
    });
    cases.add("distance_transform_edt distance_transform_cdt", |size, options| {
        // Distances take eight bytes where the image takes one.
        let (n, block) = size.square::<f64>();
        let mask =
            Array::<u8, Ix2>::from_shape_fn((n, n), block, |(i, j)| ((i / 3 * 7 + j / 5 * 13) % 251) as u8)
                .gt(9);
        let far = read(&distance_transform_edt(&mask, 1.0).unwrap(), options)?;
        Ok(digest([far, read(&distance_transform_cdt(&mask, ChamferMetric::Chessboard).unwrap(), options)?]))
    });
}

/// A color image of the data's size, of floats.
fn colors(size: Size) -> Array<f64, Ix3> {
    let (n, block) = size.square::<[f64; 3]>();
    Array::from_shape_fn((n, n, 3), (block, block, 3), |(i, j, k)| {
        ((i * 7 + j * 13 + k * 50) % 251) as f64 / 251.0
    })
}

type OfColors = fn(&Array<f64, Ix3>) -> Result<Array<f64, Ix3>, musher_image::Error>;

fn light(cases: &mut Cases) {
    cases.add(
        "rgb2hsv hsv2rgb rgb2xyz xyz2rgb rgb2lab lab2rgb xyz2lab lab2xyz rgb2luv luv2rgb xyz2luv luv2xyz rgb2ycbcr \
         ycbcr2rgb rgb2hed hed2rgb",
        |size, options| {
            let all: [OfColors; 16] = [
                rgb2hsv, hsv2rgb, rgb2xyz, xyz2rgb, rgb2lab, lab2rgb, xyz2lab, lab2xyz, rgb2luv, luv2rgb, xyz2luv,
                luv2xyz, rgb2ycbcr, ycbcr2rgb, rgb2hed, hed2rgb,
            ];
            let words = all.map(|of| read(&of(&colors(size)).unwrap(), options));
            Ok(digest(words.into_iter().collect::<Result<Vec<_>, _>>()?))
        },
    );
    cases.add("rescale_intensity adjust_gamma equalize_hist", |size, options| {
        let wide = read(&rescale_intensity(&image(size), .., 0.0..=1.0).unwrap(), options)?;
        let dark = read(&adjust_gamma(&image(size), 2.0, 1.0).unwrap(), options)?;
        Ok(digest([wide, dark, read(&equalize_hist(&image(size), 64).unwrap(), options)?]))
    });
    cases.add(
        "threshold_yen threshold_isodata threshold_triangle threshold_li threshold_multiotsu",
        |size, options| {
            let image = image(size);
            let mut words = vec![read(&threshold_multiotsu(&image, 3, 64).unwrap(), options)?];
            words.push(read(&threshold_yen(&image, 64).unwrap(), options)?);
            words.push(read(&threshold_isodata(&image, 64).unwrap(), options)?);
            words.push(read(&threshold_triangle(&image, 64).unwrap(), options)?);
            words.push(read(&threshold_li(&bytes(size), 64).unwrap(), options)?);
            Ok(digest(words))
        },
    );
}

fn resampled(cases: &mut Cases) {
    cases.add("spline_filter spline_filter1d", |size, options| {
        let all = read(&spline_filter(&image(size), 3).unwrap(), options)?;
        Ok(digest([all, read(&spline_filter1d(&bytes(size), Axis(0), 2).unwrap(), options)?]))
    });
    cases.add("affine_transform rotate", |size, options| {
        let sheared = ndarray::arr2(&[[1.0, 0.1], [0.0, 1.0]]);
        let one = read(&affine_transform(&bytes(size), sheared, 1).unwrap(), options)?;
        Ok(digest([one, read(&rotate(&bytes(size), 10.0, 0).unwrap(), options)?]))
    });
    cases.add("shift zoom resize", |size, options| {
        let moved = read(&shift(&image(size), [0.5, -3.25], 3).unwrap(), options)?;
        let half = read(&zoom(&bytes(size), 0.5, 1).unwrap(), options)?;
        let (n, _) = size.square::<f64>();
        Ok(digest([moved, half, read(&resize(&image(size), [n / 3, n / 2], 1).unwrap(), options)?]))
    });
    cases.add("map_coordinates geometric_transform", |size, options| {
        let (n, block) = size.square::<[f64; 3]>();
        let image = Array::<f64, Ix2>::from_shape_fn((n, n), block, |(i, j)| (i * 7 % 31 + j) as f64);
        let field = Array::<f64, Ix3>::from_shape_fn((2, n, n), (2, block, block), |(axis, i, j)| {
            [i, j][axis] as f64 + ((i + 2 * j) % 5) as f64 / 2.0 - 1.0
        });
        let near = || Spline::order(1).reach(1);
        let given = read(&map_coordinates(&image, &field, near()).unwrap(), options)?;
        let half = |place: &[usize], x: &mut [f64]| {
            x.iter_mut().zip(place).for_each(|(x, &at)| *x = at as f64 + 0.5);
        };
        let told = geometric_transform(&image, [n, n], half, near()).unwrap();
        Ok(digest([given, read(&told, options)?]))
    });
}

musher_testkit::promises!("promises", cases());

fn cases() -> Cases {
    let mut cases = Cases::new("image");
    for family in [filters, morphology, objects, chosen, light, resampled, files] {
        family(&mut cases);
    }
    cases.without("generate_binary_structure", "makes a structure, which is no chunk");
    cases.without("imsave", "holds the whole image to encode it: `imsave_tiles` is for large ones");
    cases
}

#[cfg(target_os = "linux")]
#[test]
fn memory_that_is_refused_is_an_error() {
    println!("{}", cases().check_refused_memory(CHILD));
}

#[test]
fn no_more_memory_than_projected() {
    println!("{}", cases().check_projections(|work| allocation_counter::measure(work).bytes_max));
}
