//! How a function takes its parameters: by value or by reference, up to four of them.
//!
//! Written out, the implementation for one parameter by value reads
//! `impl<F, R, A, S> Call<(ByValue<A>,), (S,)> for F where F: Fn(A) -> R, S: Arg<A>, A: Clone`; the macro below makes
//! the thirty combinations of it.

use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::{Arg, Inputs, IntoArg, Port, TaskError, Tokenizer};

/// A parameter taken by value.
#[derive(Debug)]
pub struct ByValue<T>(PhantomData<fn() -> T>);

/// A parameter taken by reference.
#[derive(Debug)]
pub struct ByRef<T>(PhantomData<fn() -> T>);

/// A function that takes parameters of the kinds `P` from arguments kept as `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called with these arguments",
    note = "a delayed function has up to four parameters, each by value (`T: Clone`) or by shared reference",
    note = "a closure needs its parameter types written out: `|x: f64| x + 1.0`"
)]
pub trait Call<P, S>: Send + Sync + 'static {
    /// What the function gives back.
    type Output;

    /// Calls the function with the arguments kept in `args` and `inputs`.
    ///
    /// # Errors
    /// If an input chunk is of another kind than its parameter.
    fn call(&self, args: &S, inputs: &mut Inputs<'_>) -> Result<Self::Output, TaskError>;
}

/// Arguments for parameters of the kinds `P`: one stands alone, several in a tuple, none is `()`.
pub trait IntoArgs<P> {
    /// How the task keeps them.
    type Stored: StoredArgs;

    /// Adds the ports they read and gives back what the task keeps.
    fn into_args(self, ports: &mut SmallVec<[Port; 4]>) -> Self::Stored;
}

/// The arguments of a call as its task keeps them.
pub trait StoredArgs: Send + Sync + 'static {
    /// Enters them into the fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);
}

/// An argument kept for a parameter of type `T`.
#[derive(Debug)]
pub struct For<T, S>(S, PhantomData<fn() -> T>);

macro_rules! kind_marker {
    (value $t:ident) => { ByValue<$t> };
    (reference $t:ident) => { ByRef<$t> };
}

macro_rules! call_bound {
    (value $t:ident) => {
        $t
    };
    (reference $t:ident) => {
        &$t
    };
}

macro_rules! hand_over {
    (value $received:ident) => {
        $received.into_value()
    };
    (reference $received:ident) => {
        $received.as_ref()
    };
}

macro_rules! calls {
    ($([$($kind:ident $t:ident $s:ident),*])*) => {$(
        impl<F, R, $($t, $s),*> Call<($(kind_marker!($kind $t),)*), ($(For<$t, $s>,)*)> for F
        where
            F: Fn($(call_bound!($kind $t)),*) -> R + Send + Sync + 'static,
            $($t: Clone + Send + Sync + 'static, $s: Arg<$t>,)*
        {
            type Output = R;

            #[allow(non_snake_case, reason = "the type's letter names the argument, where there is one")]
            fn call(&self, args: &($(For<$t, $s>,)*), inputs: &mut Inputs<'_>) -> Result<R, TaskError> {
                #[allow(unused_mut, unused_variables, reason = "a function without parameters takes nothing")]
                let mut next = 0;
                let ($($t,)*) = args;
                $(let $t = $t.0.receive(inputs, &mut next)?;)*
                let _ = inputs;
                Ok(self($(hand_over!($kind $t)),*))
            }
        }

        impl<$($t, $s),*> IntoArgs<($(kind_marker!($kind $t),)*)> for tuple_or_one!($($s),*)
        where
            $($t: Send + Sync + 'static, $s: IntoArg<$t>,)*
        {
            type Stored = ($(For<$t, $s::Stored>,)*);

            #[allow(non_snake_case, reason = "the type's letter names the argument, where there is one")]
            fn into_args(self, ports: &mut SmallVec<[Port; 4]>) -> Self::Stored {
                let tuple_or_one!($($s),*) = self;
                let _ = &ports;
                ($(For($s.into_arg(ports), PhantomData),)*)
            }
        }
    )*};
}

macro_rules! tuple_or_one {
    ($one:ident) => { $one };
    ($($many:ident),*) => { ($($many,)*) };
}

calls! {
    []
    [value A SA]
    [reference A SA]
    [value A SA, value B SB]
    [value A SA, reference B SB]
    [reference A SA, value B SB]
    [reference A SA, reference B SB]
    [value A SA, value B SB, value C SC]
    [value A SA, value B SB, reference C SC]
    [value A SA, reference B SB, value C SC]
    [value A SA, reference B SB, reference C SC]
    [reference A SA, value B SB, value C SC]
    [reference A SA, value B SB, reference C SC]
    [reference A SA, reference B SB, value C SC]
    [reference A SA, reference B SB, reference C SC]
    [value A SA, value B SB, value C SC, value D SD]
    [value A SA, value B SB, value C SC, reference D SD]
    [value A SA, value B SB, reference C SC, value D SD]
    [value A SA, value B SB, reference C SC, reference D SD]
    [value A SA, reference B SB, value C SC, value D SD]
    [value A SA, reference B SB, value C SC, reference D SD]
    [value A SA, reference B SB, reference C SC, value D SD]
    [value A SA, reference B SB, reference C SC, reference D SD]
    [reference A SA, value B SB, value C SC, value D SD]
    [reference A SA, value B SB, value C SC, reference D SD]
    [reference A SA, value B SB, reference C SC, value D SD]
    [reference A SA, value B SB, reference C SC, reference D SD]
    [reference A SA, reference B SB, value C SC, value D SD]
    [reference A SA, reference B SB, value C SC, reference D SD]
    [reference A SA, reference B SB, reference C SC, value D SD]
    [reference A SA, reference B SB, reference C SC, reference D SD]
}

macro_rules! stored {
    ($(($($t:ident $s:ident),*))*) => {$(
        impl<$($t, $s),*> StoredArgs for ($(For<$t, $s>,)*)
        where
            $($t: 'static, $s: Arg<$t>,)*
        {
            #[allow(non_snake_case, reason = "the type's letter names the argument, where there is one")]
            fn token(&self, tokenizer: &mut Tokenizer) {
                let _ = &tokenizer;
                let ($($s,)*) = self;
                $($s.0.token(tokenizer);)*
            }
        }
    )*};
}

stored! { () (A SA) (A SA, B SB) (A SA, B SB, C SC) (A SA, B SB, C SC, D SD) }
