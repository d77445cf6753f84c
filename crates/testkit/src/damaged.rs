//! A chunk's bytes out, back, and damaged: what a codec promises of bytes that anybody may have written.

use musher_graph_core::{Chunk, CodecError};

use crate::Random;

/// Damaged forms of a chunk's bytes that are tried.
const FORMS: usize = 10_000;
/// Bytes of memory that may be taken for each byte that comes, and in any case: readers' buffers.
const EACH: u64 = 64;
const ANYWAY: u64 = 1 << 20;

/// Checks the codec of a chunk: the chunk goes out and comes back, so that going out again gives the same bytes; and of 10,000
/// forms of its bytes that are cut, altered or made longer each is refused, or is a chunk that `is_sane`, can go out, and is
/// no larger than what came. `measure` gives the most bytes that its argument allocated at once on this thread.
///
/// # Panics
/// If not.
///
/// # Examples
/// ```
/// use musher_graph_core::Value;
/// musher_testkit::check_codec(&Value(vec![1.5, 2.5]), |_| true, |work| { work(); 0 });
/// ```
#[track_caller]
pub fn check_codec(
    chunk: &dyn Chunk,
    is_sane: impl Fn(&dyn Chunk) -> bool,
    measure: impl Fn(&mut dyn FnMut()) -> u64,
) {
    let bytes = encoded(chunk);
    let codec = chunk.codec().expect("the chunk has a codec");
    let kind = codec.kind();
    let back = codec.decode(&mut bytes.as_slice()).unwrap_or_else(|error| panic!("{kind}: {error:?}"));
    assert!(is_sane(&*back), "{kind}: what came back is not sane");
    assert_eq!(back.codec().map(|codec| codec.kind()), Some(kind));
    assert!(encoded(&*back) == bytes, "{kind}: what came back is written otherwise");
    assert!(codec.encode(&Alien, &mut Vec::new()).is_err(), "{kind}: a chunk of another kind was written");
    let mut random = Random::new(bytes.len() as u64);
    for form in 0..FORMS {
        let damaged = damaged(&bytes, form, &mut random);
        let mut outcome = Err(CodecError::WrongKind { expected: kind });
        let taken = measure(&mut || outcome = codec.decode(&mut damaged.as_slice()));
        let n = damaged.len() as u64;
        assert!(taken <= EACH * n + ANYWAY, "{kind}: {taken} bytes were taken for {n}, form {form}");
        match outcome {
            Ok(found) => {
                assert!(is_sane(&*found), "{kind}: form {form} is not sane");
                let held = found.nbytes().unwrap_or(0) as u64;
                assert!(
                    held <= EACH * n + ANYWAY,
                    "{kind}: form {form} of {n} bytes says that it holds {held}"
                );
                encoded(&*found);
            }
            Err(CodecError::Malformed { .. } | CodecError::OutOfMemory { .. }) => {}
            Err(error) => panic!("{kind}: form {form} is no failure of a disk: {error:?}"),
        }
    }
}

fn encoded(chunk: &dyn Chunk) -> Vec<u8> {
    let mut bytes = Vec::new();
    let codec = chunk.codec().expect("the chunk has a codec");
    codec.encode(chunk, &mut bytes).unwrap_or_else(|error| panic!("{}: {error:?}", codec.kind()));
    bytes
}

/// The bytes cut short, made longer, or with a few of them altered; the first forms are the shortest cuts and lies at each place.
fn damaged(bytes: &[u8], form: usize, random: &mut Random) -> Vec<u8> {
    const LIES: [u8; 5] = [0xFF, 0x7F, 0x80, 1, 0];
    let mut damaged = bytes.to_vec();
    match form % 4 {
        0 => damaged.truncate(if form / 4 < bytes.len() { form / 4 } else { random.below(bytes.len() + 1) }),
        1 => damaged.extend((0..=random.below(9)).map(|_| random.bits() as u8)),
        _ if bytes.is_empty() => {}
        2 => {
            let place = form / 4;
            let place = if place < bytes.len() { place } else { random.below(bytes.len()) };
            damaged[place] = LIES[random.below(LIES.len())];
        }
        _ => (0..=random.below(8)).for_each(|_| damaged[random.below(bytes.len())] = random.bits() as u8),
    }
    damaged
}

/// A chunk of a kind that nobody else has.
struct Alien;

impl Chunk for Alien {
    fn nbytes(&self) -> Option<usize> {
        Some(0)
    }
}
