//! Files as tifffile and Pillow write them: what they hold, how many images, and what is refused.

use std::fs;
use std::path::PathBuf;

use musher_image::{Error, Imread, Pixel};
use musher_scheduler::{Compute, compute};
use ndarray::{ArrayD, Axis};

use crate::support::{Bits, Case, cases, check, load, root};

const FOLDER: &str = "image_files";

fn path(case: &Case) -> PathBuf {
    root().join("crates/testkit/golden").join(FOLDER).join(&case.inputs[0])
}

fn pattern(case: &Case) -> String {
    path(case).display().to_string()
}

/// Calls a function of one type parameter with the element type of a case's output.
macro_rules! with_numbers {
    ($case:expr, $function:ident) => {{
        let case = $case;
        let file = root().join("crates/testkit/golden").join(FOLDER).join(case.output.as_ref().unwrap());
        let bytes = fs::read(file).unwrap();
        let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
        let descr = header.split("'descr': '").nth(1).unwrap();
        match &descr[1..3] {
            "u1" => $function::<u8>(case),
            "u2" => $function::<u16>(case),
            "u4" => $function::<u32>(case),
            "u8" => $function::<u64>(case),
            "i1" => $function::<i8>(case),
            "i2" => $function::<i16>(case),
            "i4" => $function::<i32>(case),
            "i8" => $function::<i64>(case),
            "f4" => $function::<f32>(case),
            "f8" => $function::<f64>(case),
            other => panic!("{other}"),
        }
    }};
}

/// All frames at once, each frame alone, and each in blocks of rows.
fn check_frames<A: Pixel + Bits>(case: &Case) {
    let expected: ArrayD<A> = load(FOLDER, case.output.as_ref().unwrap());
    let stack = Imread::<A>::new().stack(pattern(case)).unwrap();
    assert_eq!(stack.chunks().axis(0), vec![1; expected.shape()[0]], "{}: one block a frame", case.name);
    assert_eq!(check(&stack).into_dyn(), expected, "{}", case.name);
    for (page, expected) in expected.outer_iter().enumerate() {
        for rows in [1, 2, 3, 100] {
            let chunked = Imread::<A>::new().page(page).chunked(path(case), rows).unwrap();
            let found = chunked.compute().unwrap().into_dyn();
            assert_eq!(found, expected, "{} page {page} in blocks of {rows}", case.name);
        }
    }
    let whole = Imread::<A>::new().chunked(path(case), 2);
    match expected.shape()[0] {
        1 => assert_eq!(whole.unwrap().compute().unwrap().into_dyn(), expected.index_axis(Axis(0), 0)),
        frames => {
            let error = whole.unwrap_err();
            assert!(matches!(error, Error::SeveralPages { pages, .. } if pages == frames), "{error}");
            assert!(Imread::<A>::new().each(pattern(case)).is_err());
            assert!(Imread::<A>::new().tiles(pattern(case), (1, 1)).is_err());
        }
    }
    let too_far = Imread::<A>::new().page(expected.shape()[0]).stack(pattern(case));
    assert!(matches!(too_far, Err(Error::NoSuchPage { pages, .. }) if pages == expected.shape()[0]));
}

/// The name of the numbers is told to who asks for others.
fn check_name<A: Pixel>(case: &Case) {
    let is_named = |error: Error| match error {
        Error::PixelType { found, .. } => assert_eq!(found, A::NAME, "{}", case.name),
        other => panic!("{other}"),
    };
    match A::NAME {
        "u8" => is_named(Imread::<u16>::new().stack(pattern(case)).unwrap_err()),
        _ => is_named(Imread::<u8>::new().stack(pattern(case)).unwrap_err()),
    }
}

#[test]
fn files_hold_what_tifffile_reads() {
    for case in &cases(FOLDER, "imread") {
        with_numbers!(case, check_frames);
        with_numbers!(case, check_name);
    }
}

#[test]
fn two_pages_in_one_run_are_two_images() {
    let path = root().join("crates/testkit/golden").join(FOLDER).join("pages.tif");
    let expected: ArrayD<u8> = load(FOLDER, "pages_tif.npy");
    let page = |page| Imread::<u8>::new().page(page);
    let (zero, one) = (page(0).chunked(&path, 2).unwrap(), page(1).chunked(&path, 2).unwrap());
    let difference = one.cast::<f64>() - zero.cast::<f64>();
    let (zero, one, difference) = compute((&zero, &one, &difference)).unwrap();
    assert_eq!(zero.into_dyn(), expected.index_axis(Axis(0), 0));
    assert_eq!(one.into_dyn(), expected.index_axis(Axis(0), 1));
    let apart =
        expected.index_axis(Axis(0), 1).mapv(f64::from) - expected.index_axis(Axis(0), 0).mapv(f64::from);
    assert_eq!(difference.into_dyn(), apart);
    assert!(apart.iter().any(|&value| value != 0.0));
    let pattern = path.display().to_string();
    let stacks = [0, 1].map(|index| page(index).stack(&pattern).unwrap());
    let (zero, one) = compute((&stacks[0], &stacks[1])).unwrap();
    assert_eq!(zero.index_axis(Axis(0), 0).into_dyn(), expected.index_axis(Axis(0), 0));
    assert_eq!(one.index_axis(Axis(0), 0).into_dyn(), expected.index_axis(Axis(0), 1));
}

/// One frame must be chosen, and is then read.
fn check_page<A: Pixel + Bits>(case: &Case) {
    let page = case.number("page") as usize;
    let expected: ArrayD<A> = load(FOLDER, case.output.as_ref().unwrap());
    let chosen = Imread::<A>::new().page(page);
    assert_eq!(check(&chosen.stack(pattern(case)).unwrap()).into_dyn(), expected, "{}", case.name);
    let first = expected.index_axis(Axis(0), 0);
    assert_eq!(chosen.chunked(path(case), 2).unwrap().compute().unwrap().into_dyn(), first);
    let refusals = [
        Imread::<A>::new().stack(pattern(case)).unwrap_err(),
        Imread::<A>::new().chunked(path(case), 2).unwrap_err(),
        Imread::<A>::new().page(case.number("pages") as usize).stack(pattern(case)).unwrap_err(),
    ];
    for error in refusals {
        let text = error.to_string();
        assert!(text.contains(&case.inputs[0]), "{text}");
        let is_said = matches!(
            error,
            Error::FirstPageOnly { .. }
                | Error::PageDiffers { .. }
                | Error::NoSuchPage { .. }
                | Error::PixelType { .. }
        );
        assert!(is_said, "{text}");
    }
}

#[test]
fn a_frame_is_chosen_where_frames_differ_or_only_one_can_be_read() {
    for case in &cases(FOLDER, "imread_page") {
        with_numbers!(case, check_page);
    }
}

#[test]
fn what_cannot_be_read_is_said_in_words() {
    for case in &cases(FOLDER, "refused") {
        let error = Imread::<u8>::new().stack(pattern(case)).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Unreadable { page: 0, .. }), "{text}");
        assert!(text.contains(case.value.as_str().unwrap()) && text.contains(&case.inputs[0]), "{text}");
    }
    let case = &cases(FOLDER, "imread_page").into_iter().find(|case| case.name == "mixed_1").unwrap();
    let error = Imread::<u8>::new().stack(pattern(case)).unwrap_err().to_string();
    assert!(error.contains("page 1 is 5 x 7 x 1 of f32, page 0 is 5 x 7 x 1 of u8"), "{error}");
}

#[test]
fn every_file_is_asked_for() {
    let known = ["imread", "imread_page", "refused"].map(|operation| cases(FOLDER, operation).len());
    assert_eq!(known.iter().sum::<usize>(), crate::support::operations(FOLDER).len());
}
