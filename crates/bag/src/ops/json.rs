//! Items of JSON-lines files, and fields of JSON items.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use musher_graph_core::{Facts, Place, TaskError, Tokenizer, Touch};
use musher_scheduler::check_cancelled;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bag::{Bag, from_source};
use crate::error::Error;
use crate::kernel::json::parse;
use crate::kernel::lines::for_each_line;
use crate::ops::text::{Blocks, TextOptions};
use crate::origin::Origin;
use crate::pipe::{Feed, Flow, Item, Pipe, Rewire, Selection, Stage, Upstream};

impl<T: Item + DeserializeOwned> Bag<T> {
    /// The items of JSON-lines files: one value a line, blank lines aside.
    ///
    /// `T` is any type that serde can read, or `serde_json::Value`. Files, blocks and order are those of
    /// [`read_text`](Bag::read_text).
    ///
    /// **Cost** one pass, fused; no line is stored.
    ///
    /// # Errors
    /// Those of `read_text`; when it is computed [`Error::Json`] with file, line and column, too.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("points.jsonl");
    /// std::fs::write(&path, "[1, 2]\n[3, 4]\n")?;
    /// let points = Bag::<(f64, f64)>::read_json_lines(&path)?;
    /// assert_eq!(points.compute()?, [(1.0, 2.0), (3.0, 4.0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "ndjson")]
    pub fn read_json_lines(files: impl Into<TextOptions>) -> Result<Self, Error> {
        let origin = Origin::new("read_json_lines");
        let blocks = Arc::new(Blocks::find(&files.into(), origin)?);
        let n = blocks.blocks.len();
        let pipe = JsonLines { blocks, selection: Selection::default(), origin, item: PhantomData };
        Ok(from_source(Upstream::Pipe(Arc::new(pipe)), n))
    }
}

impl Bag<Value> {
    /// The field of this name of each item, which is an object.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Errors
    /// When it is computed: [`Error::NoField`] for an item that has no such field; [`pluck_or`](Bag::pluck_or) has a default instead.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// use serde_json::json;
    /// let ages = Bag::from_sequence([json!({"age": 3}), json!({"age": 5})], 2).pluck("age");
    /// assert_eq!(ages.filter_map(|age| age.as_i64()).sum().compute()?, 8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn pluck(&self, field: impl Into<String>) -> Self {
        self.staged(Pluck { field: field.into(), default: None, origin: Origin::new("pluck") })
    }

    /// The field of this name of each item, or `default` where there is none.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// use serde_json::json;
    /// let ages = Bag::from_sequence([json!({"age": 3}), json!({})], 2).pluck_or("age", 0);
    /// assert_eq!(ages.compute()?, [json!(3), json!(0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn pluck_or(&self, field: impl Into<String>, default: impl Into<Value>) -> Self {
        self.staged(Pluck {
            field: field.into(),
            default: Some(default.into()),
            origin: Origin::new("pluck"),
        })
    }
}

/// The values of one block.
struct JsonLines<T> {
    blocks: Arc<Blocks>,
    selection: Selection,
    origin: Origin,
    item: PhantomData<fn() -> T>,
}

impl<T: Item + DeserializeOwned> Pipe<T> for JsonLines<T> {
    fn owned(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(T) -> Flow) -> Result<Flow, TaskError> {
        let (mut failure, mut asked) = (None, Ok(()));
        let index = self.selection.index(feed.at);
        let flow = self.blocks.for_each_run(index, &mut |offset, run| {
            asked = check_cancelled();
            if asked.is_err() {
                return Flow::Break(());
            }
            for_each_line(offset, run, &mut |offset, line| match parse(line) {
                Ok(Some(item)) => sink(item),
                Ok(None) => Flow::Continue(()),
                Err(json) => {
                    failure = Some((offset, json));
                    Flow::Break(())
                }
            })
        });
        asked?;
        if let Some((offset, json)) = failure {
            let failed = |(path, line)| Error::Json { path, line, offset, json };
            return Err(self
                .origin
                .error(self.blocks.place(index, offset).map_or_else(|error| error, failed)));
        }
        flow.map_err(|error| self.origin.error(error))
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        into.push(self.origin.label().into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.read_json_lines/2");
        tokenizer.type_of::<T>();
        self.blocks.token(tokenizer);
    }

    fn depth(&self) -> usize {
        1
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        self.blocks.facts(self.selection.index(at))
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![self.blocks.touch(self.selection.index(at))]
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<T>>> {
        let selection = self.selection.rewired(rewire);
        let blocks = Arc::clone(&self.blocks);
        Some(Arc::new(Self { blocks, selection, origin: self.origin, item: PhantomData }))
    }
}

/// One field of each object.
struct Pluck {
    field: String,
    default: Option<Value>,
    origin: Origin,
}

impl Stage<Value, Value> for Pluck {
    fn label(&self) -> Cow<'static, str> {
        format!("pluck {}", self.field).into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.pluck/1");
        tokenizer.name(&self.field);
        tokenizer.name(&self.default.as_ref().map_or_else(String::new, Value::to_string));
    }

    fn owned(
        &self,
        source: &Upstream<Value>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(Value) -> Flow,
    ) -> Result<Flow, TaskError> {
        self.lent(source, feed, &mut |value| sink(value.clone()))
    }

    fn lent(
        &self,
        source: &Upstream<Value>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&Value) -> Flow,
    ) -> Result<Flow, TaskError> {
        let mut missing = false;
        let flow = source.lent(feed, &mut |item| match item.get(&self.field).or(self.default.as_ref()) {
            Some(value) => sink(value),
            None => {
                missing = true;
                Flow::Break(())
            }
        })?;
        match missing {
            true => Err(self.origin.error(Error::NoField { field: self.field.clone() })),
            false => Ok(flow),
        }
    }

    fn lends(&self, _source: &Upstream<Value>, _feed: &Feed<'_, '_>) -> bool {
        true
    }
}
