//! All chunkings of small lengths and shapes: where a test can try all of them, it samples none.

/// Every way to cut `length` elements into chunks that are not empty, from single elements to one chunk.
///
/// There are `2^(length - 1)` of them; no elements make one empty chunk.
///
/// # Examples
/// ```
/// use musher_testkit::chunkings;
/// assert_eq!(chunkings(3), [vec![1, 1, 1], vec![2, 1], vec![1, 2], vec![3]]);
/// assert_eq!(chunkings(0), [vec![0]]);
/// assert_eq!(chunkings(8).len(), 128);
/// ```
///
/// # Panics
/// If there would be more than 2^20.
pub fn chunkings(length: usize) -> Vec<Vec<usize>> {
    assert!(length <= 21, "all chunkings of {length} elements are too many");
    if length == 0 {
        return vec![vec![0]];
    }
    // Bit i of the mask says that elements i and i + 1 stay together.
    (0..1_u32 << (length - 1))
        .map(|mask| {
            let mut chunks = vec![1];
            for i in 0..length - 1 {
                match (mask >> i & 1, chunks.last_mut()) {
                    (1, Some(last)) => *last += 1,
                    _ => chunks.push(1),
                }
            }
            chunks
        })
        .collect()
}

/// Every chunking of a shape: one chunking for each axis, in all combinations.
///
/// # Examples
/// ```
/// use musher_testkit::chunkings_of;
/// let all = chunkings_of(&[2, 3]);
/// assert_eq!(all.len(), 2 * 4);
/// assert_eq!(all[1], [vec![1, 1], vec![2, 1]]);
/// assert_eq!(chunkings_of(&[]), [Vec::<Vec<usize>>::new()]);
/// ```
pub fn chunkings_of(shape: &[usize]) -> Vec<Vec<Vec<usize>>> {
    let mut all = vec![Vec::new()];
    for &length in shape {
        let longer = |start: &Vec<Vec<usize>>| {
            let start = start.clone();
            chunkings(length).into_iter().map(move |chunks| [start.clone(), vec![chunks]].concat())
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// The chunking itself, and with an empty chunk put at every place.
///
/// # Examples
/// ```
/// use musher_testkit::with_empty_chunks;
/// assert_eq!(with_empty_chunks(&[2, 1]), [vec![2, 1], vec![0, 2, 1], vec![2, 0, 1], vec![2, 1, 0]]);
/// ```
pub fn with_empty_chunks(chunks: &[usize]) -> Vec<Vec<usize>> {
    let at = |place: usize| [&chunks[..place], &[0], &chunks[place..]].concat();
    std::iter::once(chunks.to_vec()).chain((0..=chunks.len()).map(at)).collect()
}
