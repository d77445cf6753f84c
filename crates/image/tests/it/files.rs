//! Files in and out: order, shapes, changes between header and pixels, and nothing left behind.

use std::error::Error as _;
use std::fs;
use std::path::Path;

use musher_array::Array;
use musher_image::{Error, Imread, Pixel, imread, imread_chunked, imread_tiles, imsave, imsave_tiles};
use musher_scheduler::Compute;
use musher_scheduler::files::FilesError;
use ndarray::{Array2, Array3, Axis, Ix2, Ix3, s};

use crate::support::{Bits, check, root};

fn picture(rows: usize, columns: usize, channels: usize) -> Array3<u8> {
    Array3::from_shape_fn((rows, columns, channels), |(row, column, channel)| {
        ((row * 31 + column * 7 + channel * 90) % 251) as u8
    })
}

fn lazy(image: &Array3<u8>) -> Array<u8, Ix3> {
    Array::from_array(image.clone(), (3, 4, image.shape()[2]))
}

fn pattern(folder: &Path, end: &str) -> String {
    format!("{}/{end}", folder.display())
}

#[test]
fn a_stack_is_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    for number in [1_u8, 2, 10, 9] {
        let image = Array2::from_elem((4, 5), number);
        imsave(&Array::from_array(image, 2), folder.path().join(format!("t-{number}.png"))).unwrap();
    }
    let stack = imread(folder.path().join("t-*.png")).unwrap();
    assert_eq!(stack.chunks().axis(0), [1, 1, 1, 1]);
    let found = check(&stack);
    assert_eq!(found.slice(s![.., 0, 0, 0]).to_vec(), [1, 2, 9, 10]);
}

#[test]
fn every_format_gives_back_what_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    for channels in [1, 3, 4] {
        let image = picture(7, 9, channels);
        for ending in ["png", "tif", "bmp", "webp", "ppm"] {
            if (ending == "ppm" && channels != 3)
                || (ending == "webp" && channels == 1)
                || (ending == "bmp" && channels == 1)
            {
                continue;
            }
            let path = folder.path().join(format!("{channels}.{ending}"));
            imsave(&lazy(&image), &path).unwrap();
            for rows in [1, 3, 7, 100] {
                let again = imread_chunked(&path, rows).unwrap();
                assert_eq!(check(&again), image, "{ending} {rows}");
            }
        }
    }
}

#[test]
fn others_read_what_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let image = picture(7, 9, 3);
    let path = folder.path().join("a.ppm");
    imsave(&lazy(&image), &path).unwrap();
    // A pixmap is a few lines of text and then the bytes of its pixels.
    let bytes = fs::read(&path).unwrap();
    let pixels = image.as_slice().unwrap();
    let (head, tail) = bytes.split_at(bytes.len() - pixels.len());
    assert_eq!(tail, pixels);
    assert!(head.starts_with(b"P7\nWIDTH 9\nHEIGHT 7\nDEPTH 3\nMAXVAL 255\n") && head.ends_with(b"ENDHDR\n"));
    let tiles = folder.path().join("tiles");
    for ending in ["png", "tif", "bmp", "webp"] {
        let path = folder.path().join("a").with_extension(ending);
        imsave(&lazy(&image), &path).unwrap();
        assert_eq!(image::open(&path).unwrap().into_rgb8().as_raw(), pixels, "{ending}");
        imsave_tiles(&lazy(&image), &tiles, ending).unwrap();
        let tile = image::open(tiles.join("tile-1-2").with_extension(ending)).unwrap().into_rgb8();
        assert_eq!(tile.as_raw(), &image.slice(s![3..6, 8..9, ..]).iter().copied().collect::<Vec<_>>());
    }
}

#[test]
fn sixteen_bits_stay_sixteen_bits() {
    let folder = tempfile::tempdir().unwrap();
    let image = Array2::from_shape_fn((5, 6), |(row, column)| (row * 9000 + column) as u16);
    for name in ["a.png", "a.tif"] {
        let path = folder.path().join(name);
        imsave(&Array::from_array(image.clone(), 3), &path).unwrap();
        let again = Imread::<u16>::new().chunked(&path, 2).unwrap();
        assert_eq!(check(&again).remove_axis(Axis(2)), image);
        assert!(matches!(imread_chunked(&path, 2), Err(Error::PixelType { found: "u16", .. })));
    }
}

/// Written as TIFF and read again, as gray and in colors where there are some.
fn check_tiff<A: Pixel + Bits + Copy>(folder: &Path, number: fn(usize) -> A, has_colors: bool) {
    for channels in 1..=4 {
        let image = Array3::from_shape_fn((5, 7, channels), |(row, column, channel)| {
            number(row * 1000 + column * 31 + channel * 7)
        });
        let path = folder.join(format!("{}-{channels}.tif", A::NAME));
        let saved = imsave(&Array::from_array(image.clone(), (3, 4, channels)), &path);
        if channels == 2 || channels > 1 && !has_colors {
            assert!(matches!(saved, Err(Error::Encode { .. })), "{} {channels}", A::NAME);
            assert!(!path.exists());
        } else {
            saved.unwrap();
            let again = Imread::<A>::new().chunked(&path, 2).unwrap();
            assert_eq!(check(&again), image, "{} {channels}", A::NAME);
        }
    }
}

#[test]
fn tiff_keeps_numbers_of_every_type() {
    let folder = tempfile::tempdir().unwrap();
    check_tiff(folder.path(), |at| at as u8, true);
    check_tiff(folder.path(), |at| (at * 13) as u16, true);
    check_tiff(folder.path(), |at| (at * 77_777) as u32, true);
    check_tiff(folder.path(), |at| at as u64 * 0x1_0000_0001, true);
    check_tiff(folder.path(), |at| at as i8, false);
    check_tiff(folder.path(), |at| (at * 13) as i16, false);
    check_tiff(folder.path(), |at| -(at as i32 * 77_777), false);
    check_tiff(folder.path(), |at| at as i64 * -0x1_0000_0001, false);
    check_tiff(folder.path(), |at| at as f32 / -3.0, true);
    check_tiff(folder.path(), |at| at as f64 / 7.0, true);
}

#[test]
fn tiles_may_differ_in_shape_and_come_back_row_by_row() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("tiles");
    let image = picture(7, 10, 3);
    imsave_tiles(&lazy(&image), &folder, "png").unwrap();
    let tiles = imread_tiles(pattern(&folder, "tile-*.png"), (3, 3)).unwrap();
    assert_eq!(tiles[2][2].shape(), [1, 2, 3]);
    let mut row = 0;
    for line in &tiles {
        let mut column = 0;
        for tile in line {
            let (rows, columns) = (tile.shape()[0], tile.shape()[1]);
            let expected = image.slice(s![row..row + rows, column..column + columns, ..]);
            assert_eq!(tile.compute().unwrap(), expected);
            column += columns;
        }
        row += line[0].shape()[0];
    }
    assert!(matches!(imread(pattern(&folder, "*.png")), Err(Error::FileShape { .. })));
    assert_eq!(Imread::<u8>::new().each(pattern(&folder, "*.png")).unwrap().len(), 9);
}

#[test]
fn a_folder_of_other_things_is_not_replaced() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("tiles");
    let image = picture(4, 5, 3);
    imsave_tiles(&lazy(&image), &folder, "png").unwrap();
    imsave_tiles(&lazy(&image), &folder, "tif").unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4, "the tiles that were there are gone");
    for name in ["notes.txt", "tile-1-2", "tile-1-x.png", "tile-.png", "tile-1-2-3.png"] {
        fs::write(folder.join(name), "precious").unwrap();
        let error = imsave_tiles(&lazy(&image), &folder, "png").unwrap_err();
        assert!(matches!(&error, Error::Foreign { found, .. } if found == name), "{error}");
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "precious");
        fs::remove_file(folder.join(name)).unwrap();
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left beside it");
    fs::write(parent.path().join("file"), "precious").unwrap();
    let error = imsave_tiles(&lazy(&image), parent.path().join("file"), "png").unwrap_err();
    assert!(matches!(error, Error::Io { action: "list", .. }), "{error}");
}

#[test]
fn a_failed_run_leaves_neither_file_nor_folder() {
    let parent = tempfile::tempdir().unwrap();
    let broken = Array::<u8, Ix2>::zeros((4, 4), 2).map_blocks_with_place(|place, block| {
        assert!(place.coords != [1, 1], "the last block is broken");
        block.to_owned()
    });
    assert!(matches!(imsave(&broken, parent.path().join("a.png")), Err(Error::Compute(_))));
    assert!(matches!(imsave_tiles(&broken, parent.path().join("tiles"), "png"), Err(Error::Compute(_))));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn an_old_file_stays_when_a_new_one_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    let gray = Array::<u8, Ix2>::zeros((4, 4), 2);
    imsave(&gray, &path).unwrap();
    let before = fs::read(&path).unwrap();
    let deep = Array::<u16, Ix2>::zeros((4, 4), 2);
    assert!(matches!(imsave(&deep, &path), Err(Error::Encode { .. })), "JPEG has no 16 bits");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(matches!(imsave(&gray, folder.path().join("a.xyz")), Err(Error::Format { .. })));
    assert!(matches!(imsave(&gray, folder.path().join("no/such/a.png")), Err(Error::Io { .. })));
}

#[test]
fn a_file_that_changes_between_header_and_pixels_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    imsave(&lazy(&picture(4, 5, 3)), &path).unwrap();
    let image = imread_chunked(&path, 2).unwrap();
    imsave(&lazy(&picture(5, 4, 3)), &path).unwrap();
    let error = image.compute().unwrap_err();
    check_changed(&error, "a.png");
    fs::remove_file(&path).unwrap();
    refused(&image.compute().unwrap_err(), &["imread", "a.png, which is not there"]);
    fs::write(&path, "no image").unwrap();
    check_changed(&image.compute().unwrap_err(), "a.png");
}

/// A task failed because this file is not what it was.
#[track_caller]
fn check_changed(error: &musher_scheduler::Error, name: &str) {
    let cause = error.source().unwrap().downcast_ref();
    let Some(Error::File(FilesError::Changed { path, .. })) = cause else { panic!("{error:?}") };
    assert!(path.ends_with(name), "{error:?}");
    assert!(format!("{error:?}").contains(name), "{error:?}");
}

#[test]
fn a_file_that_is_replaced_by_another_of_equal_size_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, level| {
        let beside = folder.path().join(format!("beside-{name}"));
        imsave(&Array::<u8, Ix3>::from_elem((4, 5, 3), level, (4, 5, 3)), &beside).unwrap();
        // What follows an image in its file is not read.
        let mut bytes = fs::read(&beside).unwrap();
        bytes.resize(1000, 0);
        fs::write(&beside, bytes).unwrap();
        fs::rename(&beside, folder.path().join(name)).unwrap();
    };
    let strips = "strips.tif";
    let golden = root().join("crates/testkit/golden/image_files/gray_uint8.tif");
    let copy = || {
        // A copy beside it, renamed: another file with the same bytes.
        fs::copy(&golden, folder.path().join("copy")).unwrap();
        fs::rename(folder.path().join("copy"), folder.path().join(strips)).unwrap();
    };
    let names = ["a.png", "b.bmp", "c.tif"];
    names.iter().for_each(|name| save(name, 1));
    copy();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let stacks = names.map(|name| imread(path(name)).unwrap());
    let rows = names.map(|name| imread_chunked(path(name), 2).unwrap());
    let tiles = names.map(|name| imread_tiles(path(name), (1, 1)).unwrap().remove(0).remove(0));
    let each = names.map(|name| Imread::<u8>::new().each(path(name)).unwrap().remove(0));
    let by_rows = imread_chunked(path(strips), 2).unwrap();
    assert_eq!(stacks[0].compute().unwrap()[[0, 0, 0, 0]], 1);
    names.iter().for_each(|name| save(name, 2));
    copy();
    for (at, name) in names.into_iter().enumerate() {
        check_changed(&stacks[at].compute().unwrap_err(), name);
        for image in [&rows[at], &tiles[at], &each[at]] {
            check_changed(&image.compute().unwrap_err(), name);
        }
    }
    check_changed(&by_rows.compute().unwrap_err(), strips);
    assert_eq!(imread(path("a.png")).unwrap().compute().unwrap()[[0, 0, 0, 0]], 2);
}

#[test]
fn limits_stop_large_promises_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    imsave(&lazy(&picture(40, 50, 3)), &path).unwrap();
    let error = Imread::<u8>::new().max_decoded_bytes(5999).chunked(&path, 10).unwrap_err();
    assert!(error.to_string().contains("header says 50 x 40 (6000 bytes), limit 5999 bytes"), "{error}");
    assert!(Imread::<u8>::new().max_decoded_bytes(6000).chunked(&path, 10).is_ok());
    assert!(matches!(imread_chunked(&path, 0), Err(Error::Parameter { parameter: "chunk_rows", .. })));
}

/// The run was refused before it started, in one text with these words and this file's name.
#[track_caller]
fn refused(error: &musher_scheduler::Error, words: &[&str]) {
    assert!(matches!(error, musher_scheduler::Error::Check { .. }), "{error:?}");
    let text = error.to_string();
    assert!(words.iter().chain(&["files.rs"]).all(|words| text.contains(words)), "{text}");
}

#[test]
fn tiles_that_are_read_and_overwritten_in_one_run_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tiles = folder.path().join("tiles");
    imsave_tiles(&lazy(&picture(4, 5, 3)), &tiles, "tif").unwrap();
    let before = fs::read(tiles.join("tile-0-0.tif")).unwrap();
    let image = imread_chunked(tiles.join("tile-0-0.tif"), 1).unwrap();
    let Err(Error::Compute(error)) = imsave_tiles(&image, &tiles, "tif") else { panic!("not refused") };
    refused(&error, &["imread", "imsave", "overwrites it", "tile-0-0.tif"]);
    assert_eq!(fs::read(tiles.join("tile-0-0.tif")).unwrap(), before);
}

#[test]
fn a_missing_part_of_a_file_of_rows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    fs::copy(root().join("crates/testkit/golden/image_files/gray_uint8.tif"), &path).unwrap();
    let image = imread_chunked(&path, 2).unwrap();
    fs::remove_file(&path).unwrap();
    refused(&image.compute().unwrap_err(), &["imread_rows", "a.tif, which is not there"]);
}
