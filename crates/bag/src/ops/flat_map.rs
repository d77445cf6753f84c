//! Any number of items from one item; words from text.

use std::borrow::Cow;

use musher_graph_core::{FnIdentity, TaskError, Tokenizer};

use crate::bag::Bag;
use crate::kernel::words::for_each_word;
use crate::origin::Origin;
use crate::pipe::{Feed, Flow, Item, Stage, Upstream};

impl<T: Item> Bag<T> {
    /// All items that `function` makes of each item.
    ///
    /// **Cost** one pass, fused. Text is cut faster by [`split_with`](Bag::split_with) and [`words`](Bag::words).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let letters = Bag::from_sequence(["ab", "c"], 1).flat_map(|word: &str| word.chars().collect::<Vec<_>>());
    /// assert_eq!(letters.compute()?, ['a', 'b', 'c']);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn flat_map<I, F>(&self, function: F) -> Bag<I::Item>
    where
        I: IntoIterator + 'static,
        I::Item: Item,
        F: Fn(T) -> I + Send + Sync + 'static,
    {
        self.stage_fn("flat_map", "bag.flat_map/1", function, |function, source, feed, sink| {
            source.owned(feed, &mut |item| function.many(|function| function(item), sink))
        })
    }

    /// The items of all items, one after the other.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([vec![1, 2], vec![], vec![3]], 2).flatten().compute()?, [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn flatten(&self) -> Bag<T::Item>
    where
        T: IntoIterator,
        T::Item: Item,
    {
        self.flat_map(|items: T| items)
    }
}

impl Bag<String> {
    /// Each piece that `split` hands to its second argument, for each text.
    ///
    /// This is `flat_map` for pieces that borrow from the text: where they are only counted or looked at, none of them is
    /// allocated.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let fields = Bag::from_sequence(["a;b".to_string(), "c".to_string()], 2)
    ///     .split_with(|line, piece| line.split(';').for_each(piece));
    /// assert_eq!(fields.compute()?, ["a", "b", "c"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn split_with<F>(&self, split: F) -> Self
    where
        F: Fn(&str, &mut dyn FnMut(&str)) + Send + Sync + 'static,
    {
        self.staged(SplitWith { split, origin: Origin::new("split_with"), identity: FnIdentity::of::<F>() })
    }

    /// The words of each text: runs of characters that are not white space.
    ///
    /// **Cost** one pass, fused; nothing is allocated for a word that is only counted.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let words = Bag::from_sequence(["to be".to_string(), " or\tnot".to_string()], 2).words();
    /// assert_eq!(words.compute()?, ["to", "be", "or", "not"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "split_whitespace")]
    pub fn words(&self) -> Self {
        self.staged(Words)
    }
}

/// Hands pieces of text on as strings, all in one buffer.
struct Lender<'s> {
    buffer: String,
    sink: &'s mut dyn FnMut(&String) -> Flow,
}

impl Lender<'_> {
    fn lend(&mut self, piece: &str) -> Flow {
        self.buffer.clear();
        self.buffer.push_str(piece);
        (self.sink)(&self.buffer)
    }
}

struct SplitWith<F> {
    split: F,
    origin: Origin,
    identity: FnIdentity,
}

impl<F: Fn(&str, &mut dyn FnMut(&str)) + Send + Sync + 'static> Stage<String, String> for SplitWith<F> {
    fn label(&self) -> Cow<'static, str> {
        self.origin.label().into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("bag.split_with/1", tokenizer);
    }

    fn owned(
        &self,
        source: &Upstream<String>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(String) -> Flow,
    ) -> Result<Flow, TaskError> {
        self.lent(source, feed, &mut |piece| sink(piece.clone()))
    }

    fn lent(
        &self,
        source: &Upstream<String>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&String) -> Flow,
    ) -> Result<Flow, TaskError> {
        let mut lender = Lender { buffer: String::new(), sink };
        source.lent(feed, &mut |text| {
            // The user's function cannot be stopped; once nothing more is wanted, its pieces fall to the floor.
            let mut flow = Flow::Continue(());
            self.origin.call(|| {
                (self.split)(text, &mut |piece| {
                    if flow.is_continue() {
                        flow = lender.lend(piece);
                    }
                });
            });
            flow
        })
    }

    fn lends(&self, _source: &Upstream<String>, _feed: &Feed<'_, '_>) -> bool {
        true
    }
}

struct Words;

impl Stage<String, String> for Words {
    fn label(&self) -> Cow<'static, str> {
        "words".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.words/1");
    }

    fn owned(
        &self,
        source: &Upstream<String>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(String) -> Flow,
    ) -> Result<Flow, TaskError> {
        self.lent(source, feed, &mut |word| sink(word.clone()))
    }

    fn lent(
        &self,
        source: &Upstream<String>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&String) -> Flow,
    ) -> Result<Flow, TaskError> {
        let mut lender = Lender { buffer: String::new(), sink };
        // A line end is white space, so that whole runs of lines can be cut at once.
        let runs = source.text(feed, &mut |run| for_each_word(run, &mut |word| lender.lend(word)));
        match runs {
            Some(flow) => flow,
            None => source.lent(feed, &mut |text| for_each_word(text, &mut |word| lender.lend(word))),
        }
    }

    fn lends(&self, _source: &Upstream<String>, _feed: &Feed<'_, '_>) -> bool {
        true
    }
}
