//! The layer under all functions that see an image between its pixels.
//!
//! Every block of the answer knows before anything is computed between which coordinates it looks, and reads the blocks of
//! the image that hold the coefficients there, and no others; only where coordinates are data without a bound is that all of
//! them.

use std::ops::Range;
use std::sync::Arc;

use musher_array::kernel::assemble::{Piece, assemble, blocks_read, offsets, pieces_of_range};
use musher_array::kernel::memory::zeros;
use musher_array::{Array, Block, Chunking, Element};
use musher_graph_core::{
    AxisMap, Facts, FnIdentity, FnTask, Inputs, Layer, Lists, Place, Port, Site, TaskError, Token, Tokenizer,
    Wiring,
};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Dimension, IxDyn};

use crate::error::Error;
use crate::kernel::label::advance;
use crate::kernel::resample::{Assembled, Knots, Support, rounded, weighted_sum};
use crate::kernel::widen::Widen;
use crate::pixel::Pixel;
use crate::spline::{Resolved, Samples};
use crate::wire::port_of;

/// A user's function from a place of the answer to coordinates of the image, behind a pointer.
type Function = Box<dyn Fn(&[usize], &mut [f64]) + Send + Sync>;

/// What enters a function into a fingerprint.
type Enter = Box<dyn Fn(&mut Tokenizer) + Send + Sync>;

/// Where along an axis of the image the places along the same axis of the answer lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) shift: f64,
    pub(crate) step: f64,
    /// Whether pixels are areas, whose centers lie half a pixel from their edges.
    pub(crate) is_of_areas: bool,
}

impl Stretch {
    fn at(self, place: usize) -> f64 {
        let place = place as f64 + self.shift;
        if self.is_of_areas { (place + 0.5) * self.step - 0.5 } else { place * self.step }
    }

    fn stays(self) -> bool {
        self.shift == 0.0 && self.step == 1.0
    }
}

/// Where in the image the places of the answer lie.
pub(crate) enum Coordinates {
    /// Along each axis by a number of its own.
    Stretched(Vec<Stretch>),
    /// By a matrix, row after row, and an offset for each row.
    Affine { matrix: Vec<f64>, offset: Vec<f64> },
    /// They are the elements of an array, whose first axis is the axes of the image.
    Given(Port),
    /// A user's function tells.
    Function(Function, Enter),
}

impl Token for Coordinates {
    fn token(&self, tokenizer: &mut Tokenizer) {
        match self {
            Self::Stretched(along) => {
                let values: Vec<_> = along.iter().map(|one| (one.shift, one.step, one.is_of_areas)).collect();
                (0_u8, values).token(tokenizer);
            }
            Self::Affine { matrix, offset } => (1_u8, &**matrix, &**offset).token(tokenizer),
            Self::Given(_) => 2_u8.token(tokenizer),
            Self::Function(_, enter) => enter(tokenizer),
        }
    }
}

impl Coordinates {
    /// What a user's function tells.
    pub(crate) fn of<F: Fn(&[usize], &mut [f64]) + Send + Sync + 'static>(function: F) -> Self {
        let identity = FnIdentity::of::<F>();
        let enter = move |tokenizer: &mut Tokenizer| {
            identity.enter::<F>("image.geometric_transform/1", tokenizer);
        };
        Self::Function(Box::new(function), Box::new(enter))
    }

    /// Along which axes of the image a place has its own number as coordinate.
    fn stay(&self, ndim: usize) -> Vec<bool> {
        (0..ndim)
            .map(|axis| match self {
                Self::Stretched(along) => along[axis].stays(),
                Self::Affine { matrix, offset } => {
                    let mut row = matrix[axis * ndim..][..ndim].iter().enumerate();
                    offset[axis] == 0.0 && row.all(|(at, &value)| value == f64::from(u8::from(at == axis)))
                }
                Self::Given(_) | Self::Function(..) => false,
            })
            .collect()
    }

    /// Between which coordinates a block of the answer looks along an axis of the image.
    fn between(&self, axis: usize, block: &[Range<usize>], reach: Option<&[usize]>) -> (f64, f64) {
        let ends = |range: &Range<usize>| (range.start as f64, range.end.saturating_sub(1) as f64);
        match self {
            Self::Stretched(along) => {
                let one = along[axis].at(block[axis].start);
                let other = along[axis].at(block[axis].end.saturating_sub(1));
                (one.min(other), one.max(other))
            }
            Self::Affine { matrix, offset } => {
                let row = matrix[axis * block.len()..][..block.len()].iter();
                row.zip(block).fold((offset[axis], offset[axis]), |(low, high), (&factor, range)| {
                    let (first, last) = ends(range);
                    let (one, other) = (factor * first, factor * last);
                    (low + one.min(other), high + one.max(other))
                })
            }
            Self::Given(_) | Self::Function(..) => match reach {
                None => (f64::NEG_INFINITY, f64::INFINITY),
                Some(reach) => {
                    let (first, last) = ends(&block[axis]);
                    (first - reach[axis] as f64, last + reach[axis] as f64)
                }
            },
        }
    }
}

/// How an answer is named and divided.
pub(crate) struct Plan {
    pub(crate) label: &'static str,
    pub(crate) chunks: Chunking,
    pub(crate) spline: Resolved,
    pub(crate) caller: Site,
}

impl Plan {
    /// The image seen at these coordinates.
    #[track_caller]
    pub(crate) fn resampled<A: Pixel, D: Dimension, E: Dimension>(
        self,
        image: &Array<A, D>,
        coordinates: Coordinates,
    ) -> Result<Array<A, E>, Error> {
        let stay = coordinates.stay(image.ndim());
        let chunks = self.chunks.clone();
        let port = match self.spline.samples(image, &stay)? {
            Samples::Pixels(pixels, knots) => self.layer::<A, A, D>(&pixels, knots, coordinates),
            Samples::Made(made, knots) => self.layer::<f64, A, D>(&made, knots, coordinates),
        };
        Ok(Array::from_port(port, chunks))
    }

    fn layer<C: Element + Widen, A: Pixel, D: Dimension>(
        self,
        coefficients: &Array<C, D>,
        knots: Vec<Knots>,
        coordinates: Coordinates,
    ) -> Port {
        let Self { label, chunks, spline, caller } = self;
        let given = match &coordinates {
            Coordinates::Given(port) => Some(port.clone()),
            _ => None,
        };
        let sampling = Arc::new(Sampling {
            starts: coefficients.chunks().axes().map(offsets).collect(),
            knots,
            target: chunks.clone(),
            coordinates,
            reach: spline.reach.clone(),
            constant: spline.mode.constant(),
        });
        let wiring = sampling.wiring();
        let orders: Vec<(usize, usize)> =
            sampling.knots.iter().map(|knots| (knots.order, knots.pad)).collect();
        let words = ((C::NAME, A::NAME), spline.mode, (spline.reach.unwrap_or_default(), orders));
        let (of_run, of_facts) = (Arc::clone(&sampling), Arc::clone(&sampling));
        let parameters = (words, &sampling.coordinates, (coefficients.chunks(), &chunks));
        let task = FnTask::new(label, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            of_run.block::<C, A>(&at.coords(), inputs)
        })
        .params("image.resample/1", &parameters)
        .facts(move |at, _| of_facts.facts::<C, A>(&at.coords()));
        let layer = Layer::build(task).caller(caller).input(&port_of(coefficients), wiring);
        let layer = match &given {
            None => layer,
            Some(given) => {
                let follow = (0..chunks.ndim()).map(AxisMap::follow);
                layer.input(given, Wiring::axes(std::iter::once(AxisMap::Fixed(0)).chain(follow)))
            }
        };
        Port::of(layer.finish(chunks.grid_shape().as_slice().into()))
    }
}

/// The work on each block of the answer.
struct Sampling {
    /// Where the blocks of the coefficients begin along each axis, and where the last one ends.
    starts: Vec<Vec<usize>>,
    knots: Vec<Knots>,
    target: Chunking,
    coordinates: Coordinates,
    reach: Option<Vec<usize>>,
    constant: f64,
}

impl Sampling {
    /// Where a block of the answer lies.
    fn place(&self, coords: &[usize]) -> Vec<Range<usize>> {
        let begin = self.target.block_start(coords);
        let shape = self.target.block_shape(coords);
        begin.into_iter().zip(shape).map(|(begin, length)| begin..begin + length).collect()
    }

    /// The coefficients that a block needs, along each axis.
    fn needed(&self, block: &[Range<usize>]) -> Vec<Vec<Range<usize>>> {
        let is_empty = block.iter().any(Range::is_empty);
        let of_axis = |(axis, knots): (usize, &Knots)| {
            let (low, high) = self.coordinates.between(axis, block, self.reach.as_deref());
            if is_empty { vec![] } else { knots.needed(low, high) }
        };
        self.knots.iter().enumerate().map(of_axis).collect()
    }

    /// Whether nothing says between which coordinates a block looks.
    fn reads_all(&self) -> bool {
        matches!(self.coordinates, Coordinates::Given(_) | Coordinates::Function(..)) && self.reach.is_none()
    }

    fn n_blocks(&self, axis: usize) -> usize {
        self.starts[axis].len() - 1
    }

    /// The stretches of blocks along each axis that make up what is needed.
    fn pieces<A>(&self, needed: &[Vec<Range<usize>>]) -> Vec<Vec<Piece<A>>> {
        let of_axis = |(ranges, starts): (&Vec<Range<usize>>, &Vec<usize>)| {
            let mut pieces = Vec::new();
            let mut at = 0;
            for range in ranges {
                pieces.extend(pieces_of_range(starts, range.clone(), at));
                at += range.len();
            }
            pieces
        };
        needed.iter().zip(&self.starts).map(of_axis).collect()
    }

    fn wiring(&self) -> Wiring {
        if self.reads_all() {
            return Wiring::All;
        }
        let mut lists = Lists::new();
        let (target, mut coords) = (self.target.grid_shape(), vec![0; self.target.ndim()]);
        for _ in 0..self.target.n_blocks() {
            let needed = self.needed(&self.place(&coords));
            let blocks: Vec<Vec<usize>> =
                self.pieces::<()>(&needed).iter().map(|own| blocks_read(own)).collect();
            let shape: Vec<usize> = blocks.iter().map(Vec::len).collect();
            let mut at = vec![0; shape.len()];
            let mut list = Vec::new();
            for _ in 0..shape.iter().product() {
                let number =
                    |number, (axis, &at): (usize, &usize)| number * self.n_blocks(axis) + blocks[axis][at];
                // A grid has at most u32::MAX tasks.
                list.push(at.iter().enumerate().fold(0, number) as u32);
                advance(&mut at, &shape);
            }
            lists.push(list);
            advance(&mut coords, &target);
        }
        Wiring::explicit(lists)
    }

    fn facts<C, A>(&self, coords: &[usize]) -> Facts {
        let needed = self.needed(&self.place(coords));
        let assembled: usize = needed.iter().map(|ranges| Assembled::len(ranges)).product();
        let shape = self.target.block_shape(coords);
        let pixels: usize = shape.iter().product();
        let taps: usize = self.knots.iter().map(|knots| knots.order + 1).product();
        // A support for each place along each axis, or of one pixel.
        let supports = shape.iter().sum::<usize>() * size_of::<Option<Support>>();
        Facts::bytes((pixels * size_of::<A>()) as u64)
            .scratch((assembled * size_of::<C>() + supports + (1 << 12)) as u64)
            .cost(2_000 + (assembled + pixels * (10 + 2 * taps)) as u64)
    }

    /// One block of the answer.
    fn block<C: Element + Widen, A: Pixel>(
        &self,
        coords: &[usize],
        inputs: &mut Inputs<'_>,
    ) -> Result<Block<A>, TaskError> {
        let place = self.place(coords);
        let shape: Vec<usize> = place.iter().map(ExactSizeIterator::len).collect();
        let mut made = zeros::<A>(shape.iter().product())?;
        if !made.is_empty() {
            let needed = self.needed(&place);
            let elements = self.assembled::<C>(&needed, inputs)?;
            let mut stride = 1;
            let mut axes: Vec<Assembled> = Vec::with_capacity(needed.len());
            for (knots, ranges) in self.knots.iter().zip(needed).rev() {
                let n = Assembled::len(&ranges);
                axes.push(Assembled { knots: *knots, ranges, stride });
                stride *= n;
            }
            axes.reverse();
            self.fill(&elements, &axes, &place, inputs, &mut made)?;
        }
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), made)?))
    }

    /// The coefficients that a block needs, side by side.
    fn assembled<C: Element>(
        &self,
        needed: &[Vec<Range<usize>>],
        inputs: &Inputs<'_>,
    ) -> Result<Vec<C>, TaskError> {
        let axes = self.pieces::<C>(needed);
        if axes.iter().any(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let blocks = inputs.slot::<Block<C>>(0)?;
        let at_hand = |(axis, pieces): (usize, &Vec<Piece<C>>)| match self.reads_all() {
            true => (0..self.n_blocks(axis)).collect(),
            false => blocks_read(pieces),
        };
        let at_hand: Vec<Vec<usize>> = axes.iter().enumerate().map(at_hand).collect();
        let elements = assemble(&axes, |at| {
            let number = at.iter().zip(&at_hand).fold(0, |number, (at, at_hand)| {
                number * at_hand.len() + at_hand.partition_point(|block| block < at)
            });
            let block: &Block<C> = blocks[number];
            block.view()
        })?;
        Ok(elements.into_raw_vec_and_offset().0)
    }

    fn fill<C: Widen, A: Pixel>(
        &self,
        elements: &[C],
        axes: &[Assembled],
        place: &[Range<usize>],
        inputs: &Inputs<'_>,
        made: &mut [A],
    ) -> Result<(), TaskError> {
        let value = |supports: &[Option<Support>], own: &mut Vec<Support>| -> A {
            own.clear();
            own.extend(supports.iter().map_while(|support| *support));
            rounded(match own.len() == axes.len() {
                true => weighted_sum(elements, 0, own, self.constant),
                false => self.constant,
            })
        };
        let mut own = Vec::with_capacity(axes.len());
        let given = match &self.coordinates {
            Coordinates::Given(_) => inputs.slot::<Block<f64>>(1)?.first().map(|block| block.view()),
            _ => None,
        };
        let tables: Option<Vec<Vec<Option<Support>>>> = match &self.coordinates {
            Coordinates::Stretched(along) => Some(
                axes.iter()
                    .zip(along)
                    .zip(place)
                    .map(|((axis, along), range)| {
                        range.clone().map(|at| axis.support(along.at(at))).collect()
                    })
                    .collect(),
            ),
            _ => None,
        };
        let shape: Vec<usize> = place.iter().map(ExactSizeIterator::len).collect();
        let row = shape.last().copied().unwrap_or(1).max(1);
        let (mut at, mut x) = (vec![0; shape.len()], vec![0.0; axes.len()]);
        let mut global = vec![0; shape.len()];
        let mut supports: Vec<Option<Support>> = vec![None; axes.len()];
        for (number, made) in made.iter_mut().enumerate() {
            if number % row == 0 {
                check_cancelled()?;
            }
            if let Some(tables) = &tables {
                for (support, (table, &at)) in supports.iter_mut().zip(tables.iter().zip(&at)) {
                    *support = table[at];
                }
            } else {
                for (global, (range, at)) in global.iter_mut().zip(place.iter().zip(&at)) {
                    *global = range.start + at;
                }
                self.coordinates.tell(&global, &at, given.as_ref(), &mut x);
                self.check_reach(&global, &x)?;
                for (support, (axis, &x)) in supports.iter_mut().zip(axes.iter().zip(&x)) {
                    *support = axis.support(x);
                }
            }
            *made = value(&supports, &mut own);
            advance(&mut at, &shape);
        }
        Ok(())
    }

    /// Refuses coordinates that lie further than was promised: their coefficients are not here.
    fn check_reach(&self, place: &[usize], x: &[f64]) -> Result<(), Error> {
        let Some(reach) = &self.reach else { return Ok(()) };
        for (axis, ((&place, &x), &reach)) in place.iter().zip(x).zip(reach).enumerate() {
            if (x - place as f64).abs() > reach as f64 {
                return Err(Error::Reach { axis, place, coordinate: x, reach });
            }
        }
        Ok(())
    }
}

impl Coordinates {
    /// The coordinates of one place of the answer, which is at `at` in its block.
    fn tell(
        &self,
        global: &[usize],
        at: &[usize],
        given: Option<&ndarray::ArrayViewD<'_, f64>>,
        x: &mut [f64],
    ) {
        match self {
            Self::Stretched(along) => {
                x.iter_mut().zip(along.iter().zip(global)).for_each(|(x, (along, &at))| *x = along.at(at));
            }
            Self::Affine { matrix, offset } => {
                for (axis, x) in x.iter_mut().enumerate() {
                    let row = matrix[axis * global.len()..][..global.len()].iter();
                    *x = row.zip(global).fold(0.0, |sum, (factor, &at)| sum + factor * at as f64)
                        + offset[axis];
                }
            }
            Self::Given(_) => {
                let Some(given) = given else { return };
                let mut index = vec![0; at.len() + 1];
                index[1..].copy_from_slice(at);
                for (axis, x) in x.iter_mut().enumerate() {
                    index[0] = axis;
                    *x = given[index.as_slice()];
                }
            }
            Self::Function(function, _) => function(global, x),
        }
    }
}
