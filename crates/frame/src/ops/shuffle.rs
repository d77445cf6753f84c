//! Rows to other partitions by their keys.

use musher_graph_core::Site;
use polars::prelude::Expr;

use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::row_keys::can_be_key;
use crate::origin::Origin;

impl Frame {
    /// The same rows in `n_partitions` partitions, those with equal keys in one.
    ///
    /// `keys` are row-wise expressions. Which partition a row goes to depends on its key and on `n_partitions` alone, the
    /// same in every process and on every platform. As in [`group_by`](Frame::group_by), missing keys are equal to each
    /// other, NaN is equal to NaN, and -0.0 to 0.0. Integers and truth values of equal value go to one partition whatever
    /// their width and sign, floats whatever their width, and categories go where their text goes; so frames whose keys
    /// differ in these ways are shuffled alike. A float goes elsewhere than the integer of its value, and so do times in
    /// other units.
    ///
    /// **Shape** within a partition rows stand in the order of the partitions that they come from, then in their order
    /// there. Partitions can be empty, and they are only as even as the keys are.
    /// **Cost** one pass all to all: tasks and edges grow with the *sum* of old and new partitions. Rows wait on the disk
    /// if they do not fit into memory; a task holds one partition.
    ///
    /// # Errors
    /// [`Error::Zero`] for no partitions or no keys, [`Error::NoHash`] for keys that are lists, arrays or structs;
    /// [`Error::Expression`] and [`Error::NotRowWise`] as [`group_by`](Frame::group_by).
    ///
    /// **Source** of the hash: XXH3, see [`Scatter`](musher_graph_core::Scatter).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("key" => ["a", "b", "a", "c"], "x" => [1, 2, 3, 4])?, 2)?;
    /// let shuffled = frame.shuffle([col("key")], 3)?;
    /// assert_eq!((shuffled.n_partitions(), shuffled.len().compute()?), (3, 4));
    /// // All rows of a key are in one partition, so each partition may be grouped apart.
    /// let sums = |table: DataFrame| table.lazy().group_by_stable([col("key")]).agg([col("x").sum()]).collect();
    /// let sums = shuffled.map_partitions(sums, frame.schema().clone()).sort([col("key")], musher_frame::Order::Ascending)?;
    /// assert_eq!(sums.compute()?, df!("key" => ["a", "b", "c"], "x" => [4, 2, 4])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.dataframe.DataFrame.shuffle")]
    #[doc(alias = "partition_by")]
    #[doc(alias = "repartition_by")]
    pub fn shuffle(&self, keys: impl AsRef<[Expr]>, n_partitions: usize) -> Result<Self, Error> {
        let origin = Origin { operation: "shuffle", caller: Site::caller() };
        let keys = keys.as_ref();
        for (n, what) in [(n_partitions, "n_partitions"), (keys.len(), "the number of keys")] {
            if n == 0 {
                return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
            }
        }
        check::depth(keys, origin)?;
        check::row_wise(self.nothing().select(keys), origin)?;
        check::types(&self.schema, keys, origin, |lazy| lazy.select(keys))?;
        self.check_hashed(keys, origin)?;
        Ok(self.exchanged_by(keys.to_vec(), n_partitions, origin))
    }

    /// Fails unless these keys are of types that are hashed.
    pub(super) fn check_hashed(&self, keys: &[Expr], origin: Origin) -> Result<(), Error> {
        let types = Self::resolved(self.nothing().select(keys), origin)?;
        match types.iter().find(|(_, dtype)| !can_be_key(dtype)) {
            Some((name, dtype)) => Err(Error::NoHash {
                operation: origin.operation,
                expression: name.to_string(),
                dtype: dtype.clone(),
                caller: origin.caller,
            }),
            None => Ok(()),
        }
    }
}
