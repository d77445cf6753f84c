//! Keys: stable 128-bit fingerprints of work, and the [`Token`] trait by which parameters enter them.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

use crate::scope::Identity;

/// Fingerprint of a piece of work: equal work has an equal key and is computed once.
///
/// # Examples
/// ```
/// use musher_graph_core::{Key, Tokenizer};
/// assert_eq!(Key::of(&("scale", 2.0)), Key::of(&("scale", 2.0)));
/// assert_ne!(Key::of(&0.0), Key::of(&-0.0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    /// Fingerprint of one value.
    pub fn of<T: Token + ?Sized>(value: &T) -> Self {
        let mut tokenizer = Tokenizer::new();
        value.token(&mut tokenizer);
        tokenizer.finish()
    }

    /// The 128 bits.
    pub fn to_bits(self) -> u128 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The key is a good hash already; tables use it as it is.
        state.write_u64(self.0 as u64);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for Key {
    /// The first eight hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", (self.0 >> 96) as u32)
    }
}

/// Where a fingerprint means the same.
///
/// # Examples
/// ```
/// use musher_graph_core::{Reach, Collection, delayed};
/// fn double(x: f64) -> f64 { 2.0 * x }
/// let factor = 3.0;
/// assert_eq!(delayed(double).call(1.0).port().layer.reach(), Reach::Program);
/// assert_eq!(delayed(move |x: f64| factor * x).call(1.0).port().layer.reach(), Reach::Run);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Reach {
    /// In every process, also of later versions of the program: names of operations and their parameters.
    #[default]
    Anywhere,
    /// In processes of the same program: the type of a function.
    Program,
    /// Where the same scope made the same identities: see [`Scope`](crate::Scope).
    Run,
    /// Nowhere: identities had to come from a scope, and there was none.
    Nowhere,
}

impl Reach {
    /// The reach that `as u8` made a number of.
    pub fn of_rank(rank: u8) -> Self {
        [Self::Anywhere, Self::Program, Self::Run].get(usize::from(rank)).copied().unwrap_or(Self::Nowhere)
    }
}

/// Collects what identifies a piece of work and condenses it into a [`Key`].
///
/// # Examples
/// ```
/// use musher_graph_core::{Token, Tokenizer};
/// let mut tokenizer = Tokenizer::new();
/// tokenizer.name("gaussian/1");
/// 1.5_f64.token(&mut tokenizer);
/// let key = tokenizer.finish();
/// assert_eq!(key.to_string().len(), 8);
/// ```
#[derive(Debug)]
pub struct Tokenizer {
    buffer: [u8; Self::ROOM],
    len: usize,
    reach: Reach,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self { buffer: [0; Self::ROOM], len: 0, reach: Reach::Anywhere }
    }
}

impl Tokenizer {
    /// A full buffer is condensed into its digest, which the rest then follows.
    const ROOM: usize = 256;
    /// Longer pieces enter as their own digest.
    const LONG: usize = 128;

    /// An empty tokenizer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters at most `LONG` bytes as they are.
    fn put(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// The same for as many bytes as the compiler knows: a move and not a call.
    fn put_array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.make_room(N);
        if let Some(room) = self.buffer[self.len..].first_chunk_mut() {
            *room = bytes;
        }
        self.len += N;
    }

    fn make_room(&mut self, n: usize) {
        if self.len + n > Self::ROOM {
            let digest = xxh3_128(&self.buffer[..self.len]).to_le_bytes();
            self.buffer[..digest.len()].copy_from_slice(&digest);
            self.len = digest.len();
        }
    }

    /// Enters the name and version of an operation, such as `"array.add/1"`.
    pub fn name(&mut self, name: &str) {
        self.bytes(name.as_bytes());
    }

    /// Enters raw bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        if bytes.len() > Self::LONG {
            self.put(&xxh3_128(bytes).to_le_bytes());
        } else {
            self.put(bytes);
        }
    }

    /// Enters a number of fixed width.
    pub fn word(&mut self, word: u64) {
        self.put_array(word.to_le_bytes());
    }

    /// Enters another key.
    pub fn key(&mut self, key: Key) {
        self.put_array(key.0.to_le_bytes());
    }

    /// Enters the identity of a type.
    ///
    /// It holds within this program only: editing a function's body leaves its type unchanged.
    pub fn type_of<T: ?Sized + 'static>(&mut self) {
        struct Words<'a>(&'a mut Tokenizer);
        impl Hasher for Words<'_> {
            fn finish(&self) -> u64 {
                0
            }
            fn write(&mut self, bytes: &[u8]) {
                self.0.put(bytes);
            }
            fn write_u64(&mut self, word: u64) {
                self.0.word(word);
            }
        }
        TypeId::of::<T>().hash(&mut Words(self));
        self.narrow(Reach::Program);
    }

    /// Enters an identity that nothing else has, so that this work is never merged with other work.
    pub fn fresh(&mut self) {
        Identity::fresh().token(self);
    }

    /// Says where what was entered holds.
    pub fn narrow(&mut self, reach: Reach) {
        self.reach = self.reach.max(reach);
    }

    /// Where all that was entered holds.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The fingerprint of all that was entered.
    pub fn finish(&self) -> Key {
        Key(xxh3_128(&self.buffer[..self.len]))
    }
}

/// A value that can enter a fingerprint: equal values give equal tokens in every process.
///
/// Floats enter by their bits, maps and sets free of order. `#[derive(Token)]` writes it for a struct or enum.
/// A value that cannot be tokenized enters a call as [`opaque`](crate::opaque).
///
/// # Examples
/// ```
/// use musher_graph_core::{Key, Token, Tokenizer};
/// struct Window { width: usize }
/// impl Token for Window {
///     fn token(&self, tokenizer: &mut Tokenizer) {
///         tokenizer.name("Window");
///         self.width.token(tokenizer);
///     }
/// }
/// assert_ne!(Key::of(&Window { width: 1 }), Key::of(&Window { width: 2 }));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot enter a fingerprint",
    label = "implement or derive `Token`, or pass the value as `opaque(value)`"
)]
pub trait Token {
    /// Enters this value into the tokenizer.
    fn token(&self, tokenizer: &mut Tokenizer);
}

macro_rules! token_of_words {
    ($($t:ty),*) => {$(
        impl Token for $t {
            fn token(&self, tokenizer: &mut Tokenizer) {
                tokenizer.put_array(self.to_le_bytes());
            }
        }
    )*};
}
token_of_words!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

impl Token for usize {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(*self as u64);
    }
}

impl Token for isize {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(*self as u64);
    }
}

impl Token for bool {
    fn token(&self, tokenizer: &mut Tokenizer) {
        u8::from(*self).token(tokenizer);
    }
}

impl Token for char {
    fn token(&self, tokenizer: &mut Tokenizer) {
        u32::from(*self).token(tokenizer);
    }
}

impl Token for str {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.bytes(self.as_bytes());
    }
}

impl Token for String {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.as_str().token(tokenizer);
    }
}

impl Token for Path {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.bytes(self.as_os_str().as_encoded_bytes());
    }
}

impl Token for PathBuf {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.as_path().token(tokenizer);
    }
}

impl Token for Duration {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.as_nanos().token(tokenizer);
    }
}

impl Token for Key {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.key(*self);
    }
}

impl<T: Token + ?Sized> Token for &T {
    fn token(&self, tokenizer: &mut Tokenizer) {
        (**self).token(tokenizer);
    }
}

impl<T: Token + ?Sized> Token for Box<T> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        (**self).token(tokenizer);
    }
}

impl<T: Token + ?Sized> Token for Arc<T> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        (**self).token(tokenizer);
    }
}

impl<T: Token> Token for Option<T> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.is_some().token(tokenizer);
        if let Some(value) = self {
            value.token(tokenizer);
        }
    }
}

impl<T: Token> Token for [T] {
    fn token(&self, tokenizer: &mut Tokenizer) {
        // A digest of its own: a long list of parameters does not grow the caller's buffer.
        let mut inner = Tokenizer::new();
        for value in self {
            value.token(&mut inner);
        }
        tokenizer.word(self.len() as u64);
        tokenizer.key(inner.finish());
        tokenizer.narrow(inner.reach);
    }
}

impl<T: Token> Token for Vec<T> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.as_slice().token(tokenizer);
    }
}

impl<T: Token, const N: usize> Token for [T; N] {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.as_slice().token(tokenizer);
    }
}

/// Enters members free of their order: the sum of their digests.
fn token_unordered<'a, T: Token + 'a>(members: impl Iterator<Item = T>, tokenizer: &mut Tokenizer) {
    let (mut sum, mut count) = (0u128, 0u64);
    for member in members {
        let mut inner = Tokenizer::new();
        member.token(&mut inner);
        tokenizer.narrow(inner.reach);
        sum = sum.wrapping_add(inner.finish().0);
        count += 1;
    }
    tokenizer.word(count);
    sum.token(tokenizer);
}

impl<K: Token, V: Token, S> Token for HashMap<K, V, S> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        token_unordered(self.iter(), tokenizer);
    }
}

impl<K: Token, V: Token> Token for BTreeMap<K, V> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        token_unordered(self.iter(), tokenizer);
    }
}

impl<K: Token, S> Token for HashSet<K, S> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        token_unordered(self.iter(), tokenizer);
    }
}

impl<K: Token> Token for BTreeSet<K> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        token_unordered(self.iter(), tokenizer);
    }
}

macro_rules! token_of_tuples {
    ($(($($name:ident),*)),*) => {$(
        impl<$($name: Token),*> Token for ($($name,)*) {
            fn token(&self, tokenizer: &mut Tokenizer) {
                #[expect(non_snake_case, reason = "the type's letter names the member")]
                let ($($name,)*) = self;
                $($name.token(tokenizer);)*
            }
        }
    )*};
}
token_of_tuples!((A), (A, B), (A, B, C), (A, B, C, D), (A, B, C, D, E), (A, B, C, D, E, F));

impl Token for () {
    fn token(&self, _tokenizer: &mut Tokenizer) {}
}
