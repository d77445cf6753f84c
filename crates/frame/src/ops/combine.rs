//! Two tables at once.

use std::sync::Arc;

use musher_graph_core::Site;
use polars::prelude::{DataType, Expr, JoinType, NULL, PlSmallStr, Schema, SchemaExt, SchemaRef, col, lit};

use crate::check::{self, empty};
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
    /// All of the right side; without a match the columns of the left side are missing.
    Right,
    /// All of both sides, in order of the left side, then those of the right side without a match. The keys of both sides
    /// are columns.
    Full,
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
            How::Right => Self::Right,
            How::Full => Self::Full,
            How::Semi => Self::Semi,
            How::Anti => Self::Anti,
        }
    }
}

impl Frame {
    /// Joins with a polars `DataFrame`, or a frame of any number of partitions.
    ///
    /// A right side of one partition goes whole to each partition of the left side, unless `how` keeps its rows. Otherwise
    /// the rows of both sides go to partitions by the hash of their keys, as [`shuffle`](Frame::shuffle) moves them.
    /// Columns of the right side whose names are taken get the suffix `_right`. A missing key has no match.
    ///
    /// **Shape** with a right side of one partition the partitions and the order of the left side, several matches in the
    /// order of the right side. Otherwise as many partitions as the side that has more; each is in the order that its rows
    /// have on the left side (for [`How::Right`] on the right side), and which rows it holds only the keys say.
    /// **Cost** the right side is held whole, and hashed for each partition; nothing of the left side moves. Otherwise one
    /// pass all to all of both sides, and a task holds a partition of each.
    ///
    /// # Errors
    /// [`Error::Expression`] and [`Error::NotRowWise`] for keys that do not fit; [`Error::NoHash`] for keys that are lists,
    /// arrays or structs where rows move.
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
        let keeps_right = matches!(how, How::Right | How::Full);
        if right.n_partitions() == 1 && (!keeps_right || self.n_partitions() == 1) {
            return self.joined(&right, on, origin);
        }
        self.check_hashed(&on.left, origin)?;
        right.check_hashed(&on.right, origin)?;
        let schema = Self::resolved(on.join(self.nothing(), right.nothing()), origin)?;
        let n = self.n_partitions().max(right.n_partitions());
        let [left, right] = [(self, &on.left), (&right, &on.right)]
            .map(|(frame, keys)| frame.exchanged_by(keys.clone(), n, origin));
        Ok(left.then_with_each(PartitionStep::join(1, on), &right, schema, origin))
    }

    /// Every row with every row of a polars `DataFrame`, or of a frame of any number of partitions.
    ///
    /// Columns of the right side whose names are taken get the suffix `_right`.
    ///
    /// **Shape** the partitions of the left side; the rows that come from one of its rows stand together, in the order of the
    /// right side.
    /// **Cost** the right side is held whole.
    ///
    /// # Errors
    /// [`Error::Expression`] where a name stands twice even with the suffix.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2])?, 2)?;
    /// let pairs = frame.cross_join(df!("y" => ["a", "b"])?)?;
    /// assert_eq!(pairs.compute()?, df!("x" => [1, 1, 2, 2], "y" => ["a", "b", "a", "b"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn cross_join(&self, right: impl Into<Self>) -> Result<Self, Error> {
        let origin = Origin { operation: "cross_join", caller: Site::caller() };
        let right = right.into();
        let how = JoinType::Cross;
        let (left, none) = (Vec::new(), Vec::new());
        let on = JoinOn { left, right: none, how, suffix: "_right".into(), nulls_equal: false };
        self.joined(&right, on, origin)
    }

    /// Each partition joined with all of another frame.
    pub(super) fn joined(&self, right: &Self, on: JoinOn, origin: Origin) -> Result<Self, Error> {
        let gathered = (right.n_partitions() != 1).then(|| right.gathered(Vec::new(), origin));
        let right = gathered.as_ref().unwrap_or(right);
        let schema = Self::resolved(on.join(self.nothing(), right.nothing()), origin)?;
        let keeps_order = !matches!(on.how, JoinType::Right | JoinType::Full);
        let made = self.then_with(PartitionStep::join(1, on), right, schema, origin);
        Ok(if keeps_order { self.keep_sorted(made, &[]) } else { made })
    }

    /// Stacks frames vertically, columns going together by name: a column that a frame does not have is missing there.
    ///
    /// Columns stand in order of their first appearance. Of one name all must be of one type.
    ///
    /// **Shape** the partitions of all, one after the other.
    /// **Cost** none but for the missing columns.
    ///
    /// # Errors
    /// [`Error::Schemas`] where types differ, [`Error::Zero`] for no frames.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let (a, b) = (Frame::from(df!("x" => [1])?), Frame::from(df!("y" => [2], "x" => [3])?));
    /// let both = Frame::concat_diagonal([&a, &b])?;
    /// assert_eq!(both.compute()?, df!("x" => [1, 3], "y" => [None, Some(2)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn concat_diagonal<'a>(frames: impl IntoIterator<Item = &'a Self>) -> Result<Self, Error> {
        let origin = Origin { operation: "concat_diagonal", caller: Site::caller() };
        let frames: Vec<&Self> = frames.into_iter().collect();
        let mut schema = Schema::default();
        for frame in &frames {
            for (name, dtype) in
                frame.schema.iter().filter(|(name, _)| !schema.contains(name.as_str())).collect::<Vec<_>>()
            {
                schema.with_column(name.clone(), dtype.clone());
            }
        }
        let whole = |frame: &&Self| {
            let column = |(name, dtype): (&PlSmallStr, &DataType)| match frame.schema.contains(name.as_str())
            {
                true => col(name.clone()),
                false => lit(NULL).cast(dtype.clone()).alias(name.clone()),
            };
            let columns: Vec<Expr> = schema.iter().map(column).collect();
            let of_frame = Self::resolved(frame.nothing().with_columns(&columns), origin)?;
            let fields = schema.iter_names().filter_map(|name| of_frame.get_field(name));
            let of_frame: SchemaRef = Arc::new(fields.collect());
            // Missing columns need rows to stand beside, which a selection of nothing else would not have.
            let filled =
                frame.then(PartitionStep::with_columns(columns), Arc::clone(&of_frame), true, origin);
            let names = schema.iter_names().cloned().map(col).collect();
            Ok(filled.then(PartitionStep::select(names), of_frame, true, origin))
        };
        let wholes = frames.iter().map(whole).collect::<Result<Vec<Self>, Error>>()?;
        Self::concat_at(&wholes.iter().collect::<Vec<_>>(), origin)
    }

    /// Puts the columns of frames side by side; all must have as many rows.
    ///
    /// **Shape** the partitions of the first; where others have known [`lengths`](Frame::lengths) that differ from known
    /// ones of the first, their rows are cut anew.
    /// **Cost** one copy of what is cut anew.
    ///
    /// # Errors
    /// [`Error::Zero`] for no frames, [`Error::Expression`] for a name that stands twice, [`Error::Heights`] where known
    /// numbers of rows differ, or numbers of partitions of frames whose lengths are not known; on computing
    /// [`Error::Heights`] where partitions have different numbers of rows.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let a = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// let b = Frame::from_polars(df!("y" => [4, 5, 6])?, 3)?;
    /// assert_eq!(Frame::concat_horizontal([&a, &b])?.compute()?, df!("x" => [1, 2, 3], "y" => [4, 5, 6])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "hstack")]
    pub fn concat_horizontal<'a>(frames: impl IntoIterator<Item = &'a Self>) -> Result<Self, Error> {
        let origin = Origin { operation: "concat_horizontal", caller: Site::caller() };
        let mut frames = frames.into_iter();
        let Some(first) = frames.next() else {
            let what = "the number of frames";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        };
        let mut whole = first.clone();
        for frame in frames {
            let names: Vec<Expr> = whole.columns().into_iter().chain(frame.columns()).map(col).collect();
            let mut schema = Schema::clone(&whole.schema);
            schema.merge(Schema::clone(&frame.schema));
            // Fails where a name stands twice.
            Self::resolved(empty(&schema).select(names), origin)?;
            let frame = match (whole.lengths(), frame.lengths()) {
                (Some(left), Some(right)) if left != right => {
                    let heights = [left, right].map(|lengths| lengths.iter().sum::<usize>());
                    if heights[0] != heights[1] {
                        return Err(Error::Heights { left: heights[0], right: heights[1] });
                    }
                    frame.recut(left.to_vec(), origin)
                }
                _ if whole.n_partitions() != frame.n_partitions() => {
                    return Err(Error::Heights { left: whole.n_partitions(), right: frame.n_partitions() });
                }
                _ => frame.clone(),
            };
            let made = whole.then_with_each(PartitionStep::zip(1), &frame, schema.into(), origin);
            whole = Self { lengths: whole.lengths.or(frame.lengths), ..made };
        }
        Ok(whole)
    }
}
