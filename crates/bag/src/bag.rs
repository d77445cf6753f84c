//! `Bag<T>`: the collection.

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use musher_graph_core::{ChunkRef, Collection, Grid, Inputs, Layer, Port, Task, TaskError, Wiring};

use crate::coding::Coding;
use crate::drain::{Collect, Drain};
use crate::partition::Partition;
use crate::pipe::{Item, Stage, Staged, Upstream};

/// A lazy sequence of items of any type, cut into partitions that are worked on in parallel.
///
/// Order is kept: item 0 of partition 0 comes first. An operation reads nothing and runs nothing until `compute()`, which
/// gives back a `Vec<T>`. Operations that follow each other run as one pass over each partition. Cheap to clone.
///
/// # Examples
/// ```
/// use musher_bag::{Bag, prelude::*};
/// let squares = Bag::from_sequence(1..=5, 2).map(|x: i32| x * x).filter(|x| x % 2 == 1);
/// assert_eq!(squares.compute()?, [1, 9, 25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "dask.bag.Bag")]
pub struct Bag<T: 'static> {
    port: Port,
    /// How items are written, where the user said so.
    pub(crate) coding: Option<Coding<T>>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Bag<T> {
    fn clone(&self) -> Self {
        Self { port: self.port.clone(), coding: self.coding, marker: PhantomData }
    }
}

impl<T> fmt::Debug for Bag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (label, n) = (self.port.layer.label(), self.port.grid().n_tasks());
        write!(f, "Bag<{}>({label}, {n} partitions)", type_name::<T>())
    }
}

impl<T: Item> Bag<T> {
    /// The bag whose partitions are the chunks of this port, each a [`Partition<T>`].
    ///
    /// # Panics
    /// If the port's grid does not have one axis with at least one task.
    pub fn from_port(port: Port) -> Self {
        assert!(port.grid().ndim() == 1 && port.grid().n_tasks() > 0, "a bag has one axis of partitions");
        Self { port, coding: None, marker: PhantomData }
    }

    /// Number of partitions, at least one.
    #[doc(alias = "npartitions")]
    pub fn n_partitions(&self) -> usize {
        self.port.grid().n_tasks()
    }

    /// The same bag, whose partitions were made to be written like this.
    pub(crate) fn with_coding(self, coding: Option<Coding<T>>) -> Self {
        Self { coding, ..self }
    }

    /// The same bag, whose partitions are made anew where they are to be written like this.
    #[track_caller]
    pub(crate) fn recoded(self, coding: Option<Coding<T>>) -> Self {
        match coding {
            None => self,
            Some(_) => self.with_coding(coding).piped(Upstream::Slot(0)),
        }
    }

    /// How items of a type are written, where the user said so of the items of this bag.
    fn coding_of<U: Item>(&self) -> Option<Coding<U>> {
        let own: &dyn Any = &self.coding;
        own.downcast_ref::<Option<Coding<U>>>().copied().flatten()
    }

    /// A layer of one task for each partition.
    #[track_caller]
    pub(crate) fn layer(&self, task: impl Task) -> Port {
        let layer = Layer::build(task).input(&self.port, Wiring::one_to_one(1));
        Port::of(layer.finish(Grid::from([self.n_partitions()])))
    }

    /// The bag of what a stage makes of these items.
    #[track_caller]
    pub(crate) fn staged<U: Item>(&self, stage: impl Stage<T, U>) -> Bag<U> {
        self.piped(Staged::first(stage))
    }

    /// The bag of what a source pushes whose slot 0 is a partition of this bag.
    #[track_caller]
    pub(crate) fn piped<U: Item>(&self, source: Upstream<U>) -> Bag<U> {
        let coding = self.coding_of();
        Bag::from_port(self.layer(Drain::new(source, Collect::<U>::of(coding)))).with_coding(coding)
    }
}

/// The bag of what a source pushes at each of `n` places.
#[track_caller]
pub(crate) fn from_source<T: Item>(source: Upstream<T>, n: usize) -> Bag<T> {
    let layer = Layer::build(Drain::new(source, Collect::<T>::of(None)));
    Bag::from_port(Port::of(layer.finish(Grid::from([n]))))
}

impl<T: Item> Collection for Bag<T> {
    type Output = Vec<T>;

    fn port(&self) -> &Port {
        &self.port
    }

    /// The items of all partitions, moved where nobody else holds them.
    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Vec<T>, TaskError> {
        let mut chunks: Vec<_> = chunks.into_iter().map(Some).collect();
        let mut inputs = Inputs::new(&mut chunks, &[]);
        let mut items = Vec::new();
        for index in 0..inputs.len() {
            let partition = inputs.take::<Partition<T>>(index)?;
            match Arc::try_unwrap(partition) {
                Ok(partition) if items.is_empty() => items = partition.into_items(),
                Ok(partition) => items.extend(partition.into_items()),
                Err(shared) => items.extend_from_slice(shared.items()),
            }
        }
        Ok(items)
    }

    fn with_port(&self, port: Port) -> Self {
        Self::from_port(port).with_coding(self.coding)
    }
}
