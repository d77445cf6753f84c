//! How fitted models are saved: as a versioned twin of plain lists, which is checked when it becomes a model again.

use ndarray::{Array1, Array2};

use crate::exact::Exact;
use crate::label::Label;

/// A field of a model that is saved as an `F`.
pub(crate) trait Saved<F>: Sized {
    /// The form in which it is saved.
    fn save(&self) -> F;

    /// The field of a saved form.
    ///
    /// # Errors
    /// What is wrong with the form.
    fn load(form: F) -> Result<Self, &'static str>;
}

/// One line per type that is saved as it is.
macro_rules! saved_as_it_is {
    ($($plain:ty),*) => {$(
        impl Saved<$plain> for $plain {
            fn save(&self) -> $plain {
                *self
            }

            fn load(form: $plain) -> Result<Self, &'static str> {
                Ok(form)
            }
        }
    )*};
}
saved_as_it_is!(bool, u64, usize);

impl Saved<Exact> for f64 {
    fn save(&self) -> Exact {
        Exact(*self)
    }

    fn load(form: Exact) -> Result<Self, &'static str> {
        Ok(form.0)
    }
}

impl Saved<Vec<Exact>> for Array1<f64> {
    fn save(&self) -> Vec<Exact> {
        self.iter().copied().map(Exact).collect()
    }

    fn load(form: Vec<Exact>) -> Result<Self, &'static str> {
        Ok(form.into_iter().map(|value| value.0).collect())
    }
}

impl Saved<Vec<Vec<Exact>>> for Array2<f64> {
    fn save(&self) -> Vec<Vec<Exact>> {
        self.rows().into_iter().map(|row| row.iter().copied().map(Exact).collect()).collect()
    }

    fn load(form: Vec<Vec<Exact>>) -> Result<Self, &'static str> {
        let shape = (form.len(), form.first().map_or(0, Vec::len));
        if form.iter().any(|row| row.len() != shape.1) {
            return Err("its lists are not of one length");
        }
        let values = form.into_iter().flatten().map(|value| value.0).collect();
        Array2::from_shape_vec(shape, values).map_err(|_| "its lists are not of one length")
    }
}

/// Labels stand as text.
impl<L: Label> Saved<Vec<String>> for Vec<L> {
    fn save(&self) -> Vec<String> {
        self.iter().map(L::to_string).collect()
    }

    fn load(form: Vec<String>) -> Result<Self, &'static str> {
        form.iter().map(|text| L::from_text(text)).collect::<Option<_>>().ok_or("a class is no label")
    }
}

/// `Serialize` and `Deserialize` of a fitted model, by a twin that begins with its version.
///
/// ```text
/// saved! {
///     "Name" version 1: [L: Label] FittedName<L> as SavedName
///     { labels: L::NAME, else "its labels are of another type"; }      texts that must be the same when read back
///     { classes: Vec<String>, iterations: usize, }                     fields of the model, and the form of each
/// }
/// ```
///
/// The model says by `fn check(&self) -> Result<(), &'static str>` whether its fields belong together. A field that older
/// versions of a model lack has `#[serde(default)]`; the order of the fields is part of the format.
macro_rules! saved {
    (
        $name:literal version $version:literal: [$($generics:tt)*] $model:ty as $saved:ident
        { $( $fixed:ident: $text:expr, else $reason:literal; )* }
        { $( $(#[$attribute:meta])* $field:ident: $form:ty, )* }
    ) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct $saved {
            version: u32,
            $( $fixed: String, )*
            $( $(#[$attribute])* $field: $form, )*
        }

        impl<$($generics)*> serde::Serialize for $model {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let saved = $saved {
                    version: $version,
                    $( $fixed: String::from($text), )*
                    $( $field: $crate::saved::Saved::save(&self.$field), )*
                };
                saved.serialize(serializer)
            }
        }

        impl<'de, $($generics)*> serde::Deserialize<'de> for $model {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let saved = $saved::deserialize(deserializer)?;
                let load = || {
                    if saved.version != $version {
                        return Err("its version is unknown");
                    }
                    $( if saved.$fixed != $text {
                        return Err($reason);
                    } )*
                    let model = Self { $( $field: $crate::saved::Saved::load(saved.$field)?, )* };
                    model.check().map(|()| model)
                };
                load().map_err(|reason| {
                    serde::de::Error::custom($crate::error::Error::Malformed { model: $name, reason })
                })
            }
        }
    };
}
pub(crate) use saved;
