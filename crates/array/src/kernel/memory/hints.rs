//! Hints about memory: to the kernel, that large pages pay; to the processor, what will be read next.
//!
//! *Large pages.* Memory that is written for the first time costs a fault a page, which clears it: with pages of 4 KiB a
//! kept answer spends more time there than in its arithmetic. Linux gives pages of 2 MiB to who asks
//! (`transparent_hugepage` says `madvise` on most machines); NumPy asks from 4 MiB on, too.
//!
//! *Reading ahead.* A row of a block that is a part of a larger array ends after a few pages, and the next begins far
//! away. The processor's own reading ahead stops at the end of each page and begins anew behind it, which halves the speed.
//!
//! # Audit
//! Both are advice that changes no byte. `madvise(MADV_HUGEPAGE)` says how pages may be backed: it unmaps nothing, and its
//! refusal changes nothing. A prefetch reads nothing into a register and cannot fault. Both are sound for any memory that
//! is alive during the call, which the borrow of the slice shows.

#![expect(
    unsafe_code,
    reason = "advice about living memory that changes no byte of it: the audit is at the top of this file"
)]

/// From so many bytes on. Below that, the rounding to whole large pages would waste a good part.
#[cfg(target_os = "linux")]
const LEAST_BYTES: usize = 4 << 20;

/// Asks for large pages behind this memory where that pays. Its bytes stay what they are.
#[cfg(all(target_os = "linux", not(miri)))]
pub(super) fn ask_for_large<T>(memory: &mut [T]) {
    use rustix::mm::{Advice, madvise};

    let bytes = size_of_val(memory);
    if bytes < LEAST_BYTES {
        return;
    }
    let page = rustix::param::page_size();
    let start = memory.as_mut_ptr().cast::<u8>();
    let before = start.align_offset(page);
    let length = bytes.saturating_sub(before) / page * page;
    // SAFETY: the range lies inside `memory`, which is alive and borrowed; the advice changes no byte of it. An error
    // (a kernel without large pages) leaves everything as it was.
    let _ = unsafe { madvise(start.wrapping_add(before).cast(), length, Advice::LinuxHugepage) };
}

/// Other systems choose their pages themselves.
#[cfg(not(all(target_os = "linux", not(miri))))]
pub(super) fn ask_for_large<T>(_memory: &mut [T]) {}

/// Starts to bring these elements into the second cache, where they will be read soon.
#[inline]
pub(crate) fn will_read<T>(elements: &[T]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

        const LINE: usize = 64;
        let start = elements.as_ptr().cast::<i8>();
        for at in (0..size_of_val(elements)).step_by(LINE) {
            // SAFETY: the address lies inside `elements`, which are alive; the processor reads nothing into the program.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(at)) };
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = elements;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::LEAST_BYTES;
    use crate::kernel::memory::{with_room, zeros};

    /// Whether the mapping that holds this address may have large pages, as the kernel lists it.
    fn may_be_large(address: usize) -> bool {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut is_inside = false;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let ends = range.and_then(|(from, to)| {
                Some((usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?))
            });
            if let Some((from, to)) = ends {
                is_inside = (from..to).contains(&address);
            } else if let Some(flags) = line.strip_prefix("VmFlags:").filter(|_| is_inside) {
                return flags.split(' ').any(|flag| flag == "hg");
            }
        }
        false
    }

    #[test]
    fn large_memory_is_in_large_pages() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage/enabled").exists() {
            return;
        }
        let middle = LEAST_BYTES / 2;
        let room = with_room::<u8>(2 * LEAST_BYTES).unwrap();
        assert!(may_be_large(room.as_ptr().addr() + middle));
        let cleared = zeros::<f64>(LEAST_BYTES / 8 * 2).unwrap();
        assert!(may_be_large(cleared.as_ptr().addr() + middle));
        assert!(cleared.iter().all(|&x| x == 0.0));
    }
}
