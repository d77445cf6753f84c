//! Filters of windows of any form, as kernels of [`neighborhood`](musher_array::neighborhood).

use std::marker::PhantomData;

use musher_array::Element;
use musher_array::neighborhood::{Band, Kernel};
use musher_graph_core::{TaskError, Token, Tokenizer};

use crate::kernel::taps::{Extreme, Form, Heights, Offsets, Sum, Taps, row, rows};

impl Token for Form {
    fn token(&self, tokenizer: &mut Tokenizer) {
        let (shape, taps) = self.parts();
        shape.token(tokenizer);
        taps.token(tokenizer);
    }
}

impl Token for Sum {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.0.token(tokenizer);
    }
}

impl<const IS_LEAST: bool> Token for Extreme<IS_LEAST> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        IS_LEAST.token(tokenizer);
    }
}

impl<const IS_LEAST: bool> Token for Heights<IS_LEAST> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        (IS_LEAST, &*self.0).token(tokenizer);
    }
}

/// A filter whose window has a form.
pub(crate) struct Tapped<A, T> {
    label: &'static str,
    name: &'static str,
    form: Form,
    taps: T,
    marker: PhantomData<fn() -> A>,
}

impl<A, T> Tapped<A, T> {
    /// `name` is that of the operation with its version. Where no place of the form counts, answers are 0.
    pub(crate) fn new(label: &'static str, name: &'static str, form: Form, taps: T) -> Self {
        Self { label, name, form, taps, marker: PhantomData }
    }
}

impl<A: Element, T: Taps<A> + Token> Kernel for Tapped<A, T> {
    type In = A;
    type Out = A;
    type Scratch = ();

    fn label(&self) -> &'static str {
        self.label
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name(self.name);
        self.form.token(tokenizer);
        self.taps.token(tokenizer);
    }

    fn cost(&self, elements: u64) -> Option<u64> {
        Some(1_000 + elements.saturating_mul(1 + self.form.len() as u64) / 4)
    }

    fn scratch(&self, _: usize) -> usize {
        self.form.len() * size_of::<usize>()
    }

    fn run(&self, band: &Band<'_, A>, (): &mut (), out: &mut [A]) -> Result<(), TaskError> {
        let offsets = Offsets::new(band.shape);
        let begins = self.form.begins(&offsets)?;
        rows(band, &offsets, out, |elements, out| row(elements, &begins, &self.taps, out));
        Ok(())
    }
}
