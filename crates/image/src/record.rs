//! The values of this crate that are chunks of their own: borders, tables of labels, regions.

use musher_graph_core::{AsRecord, Measure};

use crate::kernel::label::Border;
use crate::kernel::measure::{Extent, Region, Regions};
use crate::kernel::merge::Merged;

impl Measure for Border {
    fn nbytes(&self) -> usize {
        let faces: usize = self.faces.iter().flatten().map(Vec::len).sum();
        faces * size_of::<i32>() + self.firsts.len() * size_of::<u64>()
    }
}

impl AsRecord for Border {
    const KIND: &'static str = "image.border/2";

    fn is_sound(&self) -> bool {
        let pixels = |axis: usize| {
            let others = self.shape.iter().enumerate().filter(|&(other, _)| other != axis);
            others.map(|(_, &length)| length).try_fold(1_usize, usize::checked_mul)
        };
        let known = |&label: &i32| label >= 0 && label as usize <= self.firsts.len();
        let fits = |(axis, faces): (usize, &[Vec<i32>; 2])| {
            let whole = pixels(axis);
            let fit = |face: &Vec<i32>| face.is_empty() || whole == Some(face.len());
            faces.iter().all(|face| fit(face) && face.iter().all(known))
        };
        self.faces.len() == self.shape.len() && self.faces.iter().enumerate().all(fits)
    }
}

impl Measure for Merged {
    fn nbytes(&self) -> usize {
        self.tables.iter().map(|table| table.len() * size_of::<i32>()).sum::<usize>() + size_of::<u64>()
    }
}

impl AsRecord for Merged {
    const KIND: &'static str = "image.merged/2";
}

impl Measure for Regions {
    fn nbytes(&self) -> usize {
        let per_label = size_of::<i32>() + size_of::<Region>();
        let per_axis = self.extents.len() * size_of::<Extent>();
        self.labels.len() * per_label + per_axis + self.products.len() * size_of::<u128>()
    }
}

impl AsRecord for Regions {
    const KIND: &'static str = "image.regions/4";

    fn is_sound(&self) -> bool {
        let n = self.labels.len();
        let per_axis = n.checked_mul(self.ndim) == Some(self.extents.len());
        let of_pairs =
            self.ndim.checked_add(1).and_then(|next| self.ndim.checked_mul(next)).map(|pairs| pairs / 2);
        let per_pair = of_pairs.and_then(|pairs| n.checked_mul(pairs)) == Some(self.products.len());
        self.regions.len() == n && per_axis && per_pair
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use musher_graph_core::{AsRecord, Chunk, CodecError, Record};
    use musher_testkit::check_codec;

    use super::{Border, Merged, Regions};
    use crate::kernel::label::{BlockPlace, label_block};
    use crate::kernel::measure::measure_block;

    #[track_caller]
    fn check<T: AsRecord>(value: T) {
        let is_sound = |chunk: &dyn Chunk| {
            chunk.downcast_ref::<Record<T>>().is_some_and(|Record(value)| value.is_sound())
        };
        check_codec(&Record(value), is_sound, |work| allocation_counter::measure(work).bytes_max);
    }

    #[test]
    fn records_go_out_and_come_back_and_hostile_ones_are_refused() {
        let mask = ArrayD::from_shape_fn(IxDyn(&[3, 5]), |at| (at[0] * 5 + at[1]) % 3 > 0);
        let place = BlockPlace { origin: &[3, 0], image: &[9, 10] };
        let found = label_block(mask.view(), 1, place).unwrap();
        check(found.border);
        check(Border::default());
        check(Merged { tables: vec![vec![0, 4, 2], vec![0]], count: 4 });
        let values = mask.mapv(|set| if set { 2.5 } else { 0.0 });
        check(measure_block(values.view(), found.labels.view(), &[3, 0], &[9, 10]));
        check(Regions::default());
    }

    #[test]
    fn a_codec_refuses_chunks_of_another_kind() {
        let merged = Record(Merged::default());
        let codec = Record(Regions::default()).codec().unwrap();
        assert!(matches!(
            codec.encode(&merged, &mut Vec::new()),
            Err(CodecError::WrongKind { expected: "image.regions/4" })
        ));
    }
}
