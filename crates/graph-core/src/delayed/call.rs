//! How a function takes its parameters: by value or by reference, up to four of them.
//!
//! Written out, the implementation for one parameter by value reads
//! `impl<F, R, A, S> Call<(ByValue<A>,), (For<A, S>,)> for F where F: Fn(A) -> R, S: Arg<A>`; the macro below makes
//! the combinations of it.
//!
//! To the compiler `fn(&T)` is also a function of one parameter by value, of type `&T`. What tells the two apart is
//! the argument: no argument stands for a `&T`. So [`CallWith`] looks at function and arguments together.

use std::any::Any;
use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::delayed::{Arg, IntoArg};
use crate::key::Tokenizer;
use crate::layer::Port;
use crate::task::{Inputs, TaskError};

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
    /// What the function returns.
    type Output;

    /// Calls the function with the arguments kept in `args` and `inputs`.
    ///
    /// # Errors
    /// If an input chunk is of another kind than its parameter.
    fn call(&self, args: &S, inputs: &mut Inputs<'_>) -> Result<Self::Output, TaskError>;
}

/// A function that can be called with arguments `X`: one stands alone, several in a tuple, none is `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called with the arguments `{X}`",
    note = "a delayed function has up to four parameters, each by value (`T: Clone`) or by shared reference",
    note = "an argument is a plain value (`Token`), a `Delayed`, a vector of `Delayed`s or `opaque(value)`",
    note = "a closure needs its parameter types written out: `|x: f64| x + 1.0`"
)]
pub trait CallWith<P, X>: Call<P, Self::Stored> {
    /// How the task keeps the arguments.
    type Stored: StoredArgs;

    /// Adds the ports that the arguments read and returns what the task keeps.
    fn store(args: X, ports: &mut SmallVec<[Port; 4]>) -> Self::Stored;
}

/// The arguments of a call as its task keeps them.
pub trait StoredArgs: Send + Sync + 'static {
    /// Enters them into the fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);
}

/// An argument kept for a parameter of type `T`.
#[derive(Debug)]
pub struct For<T, S>(S, PhantomData<fn() -> T>);

// A kind is named by the bound that it needs: `Clone` is taken by value, `Any` (which every type is) by reference.
macro_rules! kind_marker {
    (Clone $t:ident) => { ByValue<$t> };
    (Any $t:ident) => { ByRef<$t> };
}

macro_rules! call_bound {
    (Clone $t:ident) => {
        $t
    };
    (Any $t:ident) => {
        &$t
    };
}

macro_rules! hand_over {
    (Clone $received:ident) => {
        $received.into_value()
    };
    (Any $received:ident) => {
        $received.as_ref()
    };
}

macro_rules! calls {
    ($([$($kind:ident $t:ident $s:ident),*])*) => {$(
        impl<F, R, $($t, $s),*> Call<($(kind_marker!($kind $t),)*), ($(For<$t, $s>,)*)> for F
        where
            F: Fn($(call_bound!($kind $t)),*) -> R + Send + Sync + 'static,
            $($t: $kind + Send + Sync + 'static, $s: Arg<$t>,)*
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

        impl<F, R, $($t, $s),*> CallWith<($(kind_marker!($kind $t),)*), tuple_or_one!($($s),*)> for F
        where
            F: Fn($(call_bound!($kind $t)),*) -> R + Send + Sync + 'static,
            $($t: $kind + Send + Sync + 'static, $s: IntoArg<$t>,)*
        {
            type Stored = ($(For<$t, $s::Stored>,)*);

            #[allow(non_snake_case, reason = "the type's letter names the argument, where there is one")]
            #[allow(clippy::unused_unit, reason = "what is kept of no arguments is `()`")]
            fn store(args: tuple_or_one!($($s),*), ports: &mut SmallVec<[Port; 4]>) -> Self::Stored {
                let tuple_or_one!($($s),*) = args;
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
    [Clone A SA]
    [Any A SA]
    [Clone A SA, Clone B SB]
    [Clone A SA, Any B SB]
    [Any A SA, Clone B SB]
    [Any A SA, Any B SB]
    [Clone A SA, Clone B SB, Clone C SC]
    [Clone A SA, Clone B SB, Any C SC]
    [Clone A SA, Any B SB, Clone C SC]
    [Clone A SA, Any B SB, Any C SC]
    [Any A SA, Clone B SB, Clone C SC]
    [Any A SA, Clone B SB, Any C SC]
    [Any A SA, Any B SB, Clone C SC]
    [Any A SA, Any B SB, Any C SC]
    [Clone A SA, Clone B SB, Clone C SC, Clone D SD]
    [Clone A SA, Clone B SB, Clone C SC, Any D SD]
    [Clone A SA, Clone B SB, Any C SC, Clone D SD]
    [Clone A SA, Clone B SB, Any C SC, Any D SD]
    [Clone A SA, Any B SB, Clone C SC, Clone D SD]
    [Clone A SA, Any B SB, Clone C SC, Any D SD]
    [Clone A SA, Any B SB, Any C SC, Clone D SD]
    [Clone A SA, Any B SB, Any C SC, Any D SD]
    [Any A SA, Clone B SB, Clone C SC, Clone D SD]
    [Any A SA, Clone B SB, Clone C SC, Any D SD]
    [Any A SA, Clone B SB, Any C SC, Clone D SD]
    [Any A SA, Clone B SB, Any C SC, Any D SD]
    [Any A SA, Any B SB, Clone C SC, Clone D SD]
    [Any A SA, Any B SB, Clone C SC, Any D SD]
    [Any A SA, Any B SB, Any C SC, Clone D SD]
    [Any A SA, Any B SB, Any C SC, Any D SD]
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
