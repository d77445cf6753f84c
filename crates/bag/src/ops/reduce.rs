//! One number, or one answer, from all items.

use std::any::type_name;
use std::cmp::Ordering;

use musher_graph_core::{Delayed, FnIdentity, Grid, Moments, TaskError, Token};

use crate::bag::Bag;
use crate::error::Error;
use crate::fold::{Fold, Steps, named, value};
use crate::kernel::extreme::replaces;
use crate::kernel::sum::{Summand, Total};
use crate::pipe::{Flow, Item};

impl<T: Item> Bag<T> {
    /// A fold whose answer is a delayed value.
    #[track_caller]
    pub(crate) fn answered<R: Send + Sync + 'static>(&self, fold: impl Fold<T>) -> Delayed<R> {
        Delayed::from_port(self.folded(fold, Grid::scalar()))
    }

    /// Number of items.
    ///
    /// **Cost** one pass, fused; no item is copied.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence("hello".chars(), 2).filter(|c| *c == 'l').count().compute()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn count(&self) -> Delayed<u64> {
        self.answered(Steps {
            label: "count",
            token: named("bag.count/1"),
            start: || 0u64,
            look: |count: &mut u64, _: &T| {
                *count += 1;
                Flow::Continue(())
            },
            merge: |count: &mut u64, later| *count += later,
            finish: value,
        })
    }

    /// Whether `predicate` holds for some item; `false` for an empty bag.
    ///
    /// **Cost** at most one pass, fused; each partition stops at the first such item.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert!(Bag::from_sequence(0..10, 3).any(|x| *x == 7).compute()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn any<F>(&self, predicate: F) -> Delayed<bool>
    where
        F: Fn(&T) -> bool + Send + Sync + 'static,
    {
        let identity = FnIdentity::of::<F>();
        self.answered(Steps {
            label: "any",
            token: Box::new(move |tokenizer| identity.enter::<F>("bag.any/1", tokenizer)),
            start: || false,
            look: move |found: &mut bool, item: &T| {
                *found = predicate(item);
                if *found { Flow::Break(()) } else { Flow::Continue(()) }
            },
            merge: |found: &mut bool, later| *found |= later,
            finish: value,
        })
    }

    /// Whether `predicate` holds for every item; `true` for an empty bag.
    ///
    /// **Cost** at most one pass, fused; each partition stops at the first item for which it does not.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert!(!Bag::from_sequence(0..10, 3).all(|x| *x < 7).compute()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn all<F>(&self, predicate: F) -> Delayed<bool>
    where
        F: Fn(&T) -> bool + Send + Sync + 'static,
    {
        let identity = FnIdentity::of::<F>();
        self.answered(Steps {
            label: "all",
            token: Box::new(move |tokenizer| identity.enter::<F>("bag.all/1", tokenizer)),
            start: || true,
            look: move |holds: &mut bool, item: &T| {
                *holds = predicate(item);
                if *holds { Flow::Continue(()) } else { Flow::Break(()) }
            },
            merge: |holds: &mut bool, later| *holds &= later,
            finish: value,
        })
    }

    /// The least item, or `None` of an empty bag; the earliest among equals. NaN is least where there is one, as in NumPy.
    ///
    /// **Cost** one pass, fused; only items that become the least so far are copied.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([2.5, 1.5, 3.5], 2).min().compute()?, Some(1.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn min(&self) -> Delayed<Option<T>>
    where
        T: PartialOrd,
    {
        self.extreme("min", Ordering::Less)
    }

    /// The greatest item, or `None` of an empty bag; the earliest among equals. NaN is greatest where there is one, as in NumPy.
    ///
    /// **Cost** one pass, fused; only items that become the greatest so far are copied.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence(["b", "c", "a"], 2).max().compute()?, Some("c"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn max(&self) -> Delayed<Option<T>>
    where
        T: PartialOrd,
    {
        self.extreme("max", Ordering::Greater)
    }

    #[track_caller]
    fn extreme(&self, label: &'static str, wanted: Ordering) -> Delayed<Option<T>>
    where
        T: PartialOrd,
    {
        self.answered(Steps {
            label,
            token: Box::new(move |tokenizer| {
                tokenizer.name("bag.extreme/1");
                label.token(tokenizer);
            }),
            start: || None,
            look: move |best: &mut Option<T>, item: &T| {
                if best.as_ref().is_none_or(|best| replaces(item, best, wanted)) {
                    *best = Some(item.clone());
                }
                Flow::Continue(())
            },
            merge: move |best: &mut Option<T>, later: Option<T>| {
                if let Some(item) = later
                    && best.as_ref().is_none_or(|best| replaces(&item, best, wanted))
                {
                    *best = Some(item);
                }
            },
            finish: value,
        })
    }
}

impl<A: Summand> Bag<A> {
    /// Σ xᵢ: integers widen to 64 bits and never wrap, floats carry their rounding errors along.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Errors
    /// When it is computed: [`Error::SumOverflow`] if the sum of integers does not fit into 64 bits (`i128` into 128).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([200u8, 200], 2).sum().compute()?, 400);
    /// assert_eq!(Bag::from_sequence([0.1f64; 10], 3).sum().compute()?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// **Source** A. Neumaier, *Zeitschrift für Angewandte Mathematik und Mechanik* 54 (1974) 39.
    #[track_caller]
    pub fn sum(&self) -> Delayed<A::Sum> {
        self.answered(Steps {
            label: "sum",
            token: named("bag.sum/1"),
            start: A::Total::default,
            look: |total: &mut A::Total, item: &A| {
                total.add(*item);
                Flow::Continue(())
            },
            merge: |total: &mut A::Total, later| total.merge(&later),
            finish: |total: A::Total| match total.finish() {
                Some(sum) => value(sum),
                None => Err(TaskError::new(Error::SumOverflow { of: type_name::<A::Sum>() })),
            },
        })
    }

    /// Σ xᵢ / n, or `None` of an empty bag.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([1, 2, 6], 2).mean().compute()?, Some(3.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn mean(&self) -> Delayed<Option<f64>> {
        self.moments("mean", 0.0, |moments| (moments.count > 0.0).then(|| moments.average()))
    }

    /// Σ (xᵢ − mean)² / (n − `ddof`), or `None` where n is not greater than `ddof`.
    ///
    /// `ddof` 0 is the variance of the items themselves, 1 the estimate for what they are a sample of.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Panics
    /// If `ddof` is negative or NaN.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([1.0, 3.0], 2).var(0.0).compute()?, Some(1.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// **Source** B. P. Welford, *Technometrics* 4 (1962) 419; joined by T. F. Chan, G. H. Golub and R. J. LeVeque, *The American
    /// Statistician* 37 (1983) 242.
    #[track_caller]
    pub fn var(&self, ddof: f64) -> Delayed<Option<f64>> {
        self.moments("var", ddof, move |moments| variance(moments, ddof))
    }

    /// The square root of [`var`](Bag::var).
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Panics
    /// As [`var`](Bag::var).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([1.0, 5.0], 2).std(0.0).compute()?, Some(2.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn std(&self, ddof: f64) -> Delayed<Option<f64>> {
        self.moments("std", ddof, move |moments| variance(moments, ddof).map(f64::sqrt))
    }

    #[track_caller]
    fn moments(
        &self,
        label: &'static str,
        ddof: f64,
        finish: impl Fn(&Moments) -> Option<f64> + Send + Sync + 'static,
    ) -> Delayed<Option<f64>> {
        assert!(ddof >= 0.0, "{label}: ddof is {ddof}; it must be a number that is not negative");
        self.answered(Steps {
            label,
            token: Box::new(move |tokenizer| {
                tokenizer.name("bag.moments/1");
                (label, ddof).token(tokenizer);
            }),
            start: Moments::default,
            look: |moments: &mut Moments, item: &A| {
                moments.add(item.to_f64());
                Flow::Continue(())
            },
            merge: |moments: &mut Moments, later| *moments = moments.combine(later),
            finish: move |moments: Moments| value(finish(&moments)),
        })
    }
}

/// The variance, or `None` when no degree of freedom is left.
fn variance(moments: &Moments, ddof: f64) -> Option<f64> {
    (moments.count > ddof).then(|| moments.variance(ddof))
}
