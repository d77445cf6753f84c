//! What identifies a user's function in a fingerprint.

use musher_graph_core::{Session, Token, Tokenizer};

/// A function that captures nothing is known by its type; one that captures something is like no other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FnIdentity(Option<(u64, u64)>);

impl FnIdentity {
    /// The identity of a function of type `F`, made once where the function enters a graph.
    pub(crate) fn of<F: 'static>() -> Self {
        Self((size_of::<F>() != 0).then(Session::fresh))
    }

    /// An identity like no other, whatever the function is.
    pub(crate) fn fresh() -> Self {
        Self(Some(Session::fresh()))
    }

    /// Enters the function, under the name of the operation that calls it.
    pub(crate) fn enter<F: 'static>(&self, operation: &str, tokenizer: &mut Tokenizer) {
        tokenizer.name(operation);
        match self.0 {
            Some(fresh) => {
                fresh.token(tokenizer);
                tokenizer.bind_to_process();
            }
            None => tokenizer.type_of::<F>(),
        }
    }
}
