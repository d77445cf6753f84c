//! What the target array of a classifier may hold.

use std::cmp::Ordering;

use musher_array::Element;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A class label: a truth value or a number.
///
/// Labels have an order, which is the order of the classes (and of the columns of
/// [`predict_proba`](crate::FittedLogisticRegression::predict_proba)). NaN is no label.
pub trait Label: Element + Serialize + DeserializeOwned {
    /// The order of two labels; negative and positive zero are the same label.
    fn order(&self, other: &Self) -> Ordering;

    /// Whether the value can name a class.
    fn is_label(&self) -> bool {
        true
    }

    /// The label that prints as this text.
    fn from_text(text: &str) -> Option<Self>;
}

/// One line per type whose own order is total.
macro_rules! ordered_labels {
    ($($label:ty),*) => {$(
        impl Label for $label {
            fn order(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

/// One line per floating-point type.
macro_rules! float_labels {
    ($($label:ty),*) => {$(
        impl Label for $label {
            fn order(&self, other: &Self) -> Ordering {
                self.partial_cmp(other).unwrap_or_else(|| self.total_cmp(other))
            }

            fn is_label(&self) -> bool {
                !self.is_nan()
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok().filter(Self::is_label)
            }
        }
    )*};
}

ordered_labels!(bool, i8, i16, i32, i64, u8, u16, u32, u64);
float_labels!(f32, f64);
