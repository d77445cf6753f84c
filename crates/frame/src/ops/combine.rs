//! Two tables at once.

use musher_graph_core::Site;
use polars::prelude::{Expr, JoinType};

use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::step::{JoinOn, PartitionStep};

/// Which rows a join keeps.
///
/// # Examples
/// ```
/// use musher_frame::{Frame, How, polars::prelude::*};
/// use musher_scheduler::Compute;
/// let left = Frame::from(df!("k" => [1, 2])?);
/// # let height = |how| -> Result<u64, Box<dyn std::error::Error>> {
/// #     Ok(left.join(df!("k" => [1, 1])?, [col("k")], [col("k")], how)?.len().compute()?)
/// # };
/// assert_eq!((height(How::Inner)?, height(How::Left)?, height(How::Semi)?, height(How::Anti)?), (2, 3, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// Those of the left side that have a match, once for each match.
    Inner,
    /// All of the left side; without a match the columns of the right side are missing.
    Left,
    /// Those of the left side that have a match, with the left side's columns only.
    Semi,
    /// Those of the left side that have no match, with the left side's columns only.
    Anti,
}

impl From<How> for JoinType {
    fn from(how: How) -> Self {
        match how {
            How::Inner => Self::Inner,
            How::Left => Self::Left,
            How::Semi => Self::Semi,
            How::Anti => Self::Anti,
        }
    }
}

impl Frame {
    /// Joins each partition with a small table: a polars `DataFrame`, or a frame of one partition.
    ///
    /// Rows keep the order of the left side, and several matches that of the right side. Columns of the right side whose
    /// names are taken get the suffix `_right`. A missing key has no match.
    ///
    /// **Cost** the right side is held whole, and hashed for each partition; nothing of the left side moves.
    ///
    /// # Errors
    /// [`Error::JoinTooWide`] if the right side has several partitions; [`Error::Expression`] and
    /// [`Error::NotRowWise`] for keys that do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, How, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let flights = Frame::from_polars(df!("carrier" => ["AA", "UA", "XX"], "delay" => [5, 7, 9])?, 2)?;
    /// let names = df!("code" => ["UA", "AA"], "name" => ["United", "American"])?;
    /// let named = flights.join(names, [col("carrier")], [col("code")], How::Inner)?;
    /// let expected = df!("carrier" => ["AA", "UA"], "delay" => [5, 7], "name" => ["American", "United"])?;
    /// assert_eq!(named.compute()?, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "merge")]
    pub fn join(
        &self,
        right: impl Into<Self>,
        left_on: impl AsRef<[Expr]>,
        right_on: impl AsRef<[Expr]>,
        how: How,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "join", caller: Site::caller() };
        let (right, left_on, right_on) =
            (right.into(), left_on.as_ref().to_vec(), right_on.as_ref().to_vec());
        if right.n_partitions() != 1 {
            return Err(Error::JoinTooWide { n_partitions: right.n_partitions(), caller: origin.caller });
        }
        for (frame, keys) in [(self, &left_on), (&right, &right_on)] {
            check::depth(keys, origin)?;
            check::row_wise(frame.nothing().select(keys), origin)?;
            check::types(&frame.schema, keys, origin, |lazy| lazy.select(keys))?;
        }
        let on = JoinOn {
            left: left_on,
            right: right_on,
            how: how.into(),
            suffix: "_right".into(),
            nulls_equal: false,
        };
        self.joined(&right, on, origin)
    }

    /// Each partition joined with a frame of one partition.
    pub(super) fn joined(&self, right: &Self, on: JoinOn, origin: Origin) -> Result<Self, Error> {
        let schema = Self::resolved(on.join(self.nothing(), right.nothing()), origin)?;
        Ok(self.then_with(PartitionStep::join(1, on), right, schema, origin))
    }
}
