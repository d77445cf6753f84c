//! Reductions of a part of the elements: those where a mask is true, counted beside their state.
//!
//! NaN is passed over in this way (the mask is `!is_nan(x)`), and so is whatever a user's own mask leaves out.

use super::SEGMENT;
use super::accumulate::Accumulate;
use super::groups::Plainly;
use crate::element::Plain;
use std::marker::PhantomData;

/// The algebra `C` over the elements that a mask lets through, with their number.
pub(crate) struct Counted<C>(PhantomData<C>);

/// A state, and how many elements went into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountedState<S> {
    /// The state.
    pub state: S,
    /// How many elements.
    pub count: u64,
}

impl<C: Accumulate> Counted<C> {
    /// Enters one more element, if it counts.
    #[inline(always)]
    pub(super) fn push_where(state: &mut CountedState<C::State>, value: C::Item, counts: bool, index: u64) {
        if !counts {
            return;
        }
        // Some states take their first element in another way than the following.
        match state.count {
            0 => state.state = C::one(value, index),
            _ => C::push(&mut state.state, value, index),
        }
        state.count += 1;
    }

    /// The state of those of at most [`SEGMENT`] neighbors that count.
    #[inline(always)]
    pub(super) fn segment_where(values: &[C::Item], mask: &[bool], index: u64) -> CountedState<C::State> {
        let mut state = Self::IDENTITY;
        let Some(neutral) = C::NEUTRAL else {
            for ((i, &value), &counts) in values.iter().enumerate().zip(mask) {
                Self::push_where(&mut state, value, counts, index + i as u64);
            }
            return state;
        };
        let mut chosen = [neutral; SEGMENT];
        for ((chosen, &value), &counts) in chosen.iter_mut().zip(values).zip(mask) {
            *chosen = if counts { value } else { neutral };
        }
        state.count = mask.iter().map(|&counts| u64::from(counts)).sum();
        if state.count > 0 {
            state.state = C::segment(&chosen[..values.len()], index);
        }
        state
    }
}

impl<C: Accumulate> Accumulate for Counted<C> {
    type Item = C::Item;
    type State = CountedState<C::State>;
    type Groups = Plainly<Self::State>;
    const NAME: &'static str = C::NAME;
    const IDENTITY: Self::State = CountedState { state: C::IDENTITY, count: 0 };
    const NOTHING_IS_AN_ANSWER: bool = C::NOTHING_IS_AN_ANSWER;

    #[inline(always)]
    fn one(value: C::Item, index: u64) -> Self::State {
        CountedState { state: C::one(value, index), count: 1 }
    }

    #[inline(always)]
    fn combine(a: Self::State, b: Self::State) -> Self::State {
        CountedState { state: C::combine(a.state, b.state), count: a.count + b.count }
    }

    fn relocate(state: &mut Self::State, place: &dyn Fn(u64) -> u64) {
        C::relocate(&mut state.state, place);
    }
}

/// Joins two texts while compiling; longer ones are cut.
const fn joined(first: &str, second: &str) -> ([u8; 48], usize) {
    let (first, second) = (first.as_bytes(), second.as_bytes());
    let mut bytes = [0; 48];
    let mut n = 0;
    while n < first.len() + second.len() && n < bytes.len() {
        bytes[n] = if n < first.len() { first[n] } else { second[n - first.len()] };
        n += 1;
    }
    (bytes, n)
}

/// A text of the bytes that `joined` made.
const fn text((bytes, n): &'static ([u8; 48], usize)) -> &'static str {
    match std::str::from_utf8(bytes.split_at(*n).0) {
        Ok(text) => text,
        Err(_) => panic!("kinds are ASCII and short"),
    }
}

/// The texts of a counted state.
struct Texts<S>(PhantomData<S>);

impl<S: Plain> Texts<S> {
    const NAME: ([u8; 48], usize) = joined("counted ", S::NAME);
    const KIND: ([u8; 48], usize) = joined("counted.", S::KIND);
}

impl<S: Plain> Plain for CountedState<S> {
    const BYTES: usize = S::BYTES + 8;
    const NAME: &'static str = text(&Texts::<S>::NAME);
    const KIND: &'static str = text(&Texts::<S>::KIND);
    fn store(self, out: &mut [u8]) {
        self.state.store(out);
        self.count.store(&mut out[S::BYTES..]);
    }
    fn load(bytes: &[u8]) -> Self {
        Self { state: S::load(bytes), count: u64::load(&bytes[S::BYTES..]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_differ_by_state() {
        assert_eq!(CountedState::<f64>::KIND, "counted.array.f64/1");
        assert_eq!(CountedState::<f64>::NAME, "counted f64");
        let mut bytes = [0; 16];
        CountedState { state: 2.5, count: 7 }.store(&mut bytes);
        assert_eq!(CountedState::load(&bytes), CountedState { state: 2.5, count: 7 });
    }
}
