//! `#[delayed]`: turns a plain function into one that builds a delayed call.
//!
//! The written function is kept, unchanged, inside the generated one, so that recursion, `super::` paths and error
//! positions stay those of the source. What cannot be a task (generics, `self`, `async`, mutable references) is
//! refused here, at the token that is to blame, rather than by a wall of trait errors at the call.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, ItemFn, Pat, Path, PathArguments, Result, ReturnType,
    Type,
};

/// A delayed function takes as many arguments as `graph_core` implements `call` for.
const MAX_PARAMETERS: usize = 4;

/// What stands between the parentheses of `#[delayed(..)]`.
pub(crate) struct Options {
    krate: Path,
    impure: bool,
    fallible: bool,
}

impl Options {
    /// Reads `crate = path`, `impure` and `fallible`, in any order.
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        let mut options = Self { krate: syn::parse_quote!(::musher), impure: false, fallible: false };
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("crate") {
                options.krate = meta.value()?.call(Path::parse_mod_style)?;
                Ok(())
            } else if meta.path.is_ident("impure") {
                options.impure = true;
                Ok(())
            } else if meta.path.is_ident("fallible") {
                options.fallible = true;
                Ok(())
            } else {
                Err(meta.error("expected `crate = path`, `impure` or `fallible`"))
            }
        });
        syn::parse::Parser::parse2(parser, arguments)?;
        Ok(options)
    }
}

/// One parameter of the generated function: its name, and the type of the value that it stands for.
struct Parameter {
    name: Ident,
    value: Type,
}

/// Writes the function that builds the call around the function that is called.
pub(crate) fn expand(options: &Options, function: &ItemFn) -> Result<TokenStream> {
    refuse_signature(function)?;
    let parameters = parameters(function)?;
    let output = output(options, &function.sig.output)?;
    let (outer_attributes, inner_attributes) = split_attributes(&function.attrs);

    let krate = &options.krate;
    let visibility = &function.vis;
    let name = &function.sig.ident;
    let signature = &function.sig;
    let body = &function.block;
    let names = parameters.iter().map(|parameter| &parameter.name);
    let arguments =
        parameters.iter().map(|Parameter { name, value }| quote!(#name: impl #krate::IntoArg<#value>));
    let fallible = options.fallible.then(|| quote!(.fallible()));
    let impure = options.impure.then(|| quote!(.impure()));
    // One argument stands alone, several stand in a tuple, none is `()`.
    let passed = match parameters.as_slice() {
        [Parameter { name, .. }] => quote!(#name),
        _ => quote!((#(#names),*)),
    };
    Ok(quote! {
        #(#outer_attributes)*
        #[track_caller]
        #visibility fn #name(#(#arguments),*) -> #krate::Delayed<#output> {
            #[allow(clippy::ptr_arg, reason = "an argument is stored by value, and so cannot be a slice")]
            #(#inner_attributes)*
            #signature #body
            // The first of these traits that the result's type fits says how the result is kept.
            use #krate::by_type::{AsKnown as _, AsSerde as _, AsValue as _};
            (&&&#krate::by_type::ByType::<#output>::new()).by_type(#krate::delayed(#name) #fallible) #impure .call(#passed)
        }
    })
}

/// Refuses what a task cannot be, at the token that says so.
fn refuse_signature(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    let refuse = |span: Span, reason: &str| Err(Error::new(span, reason));
    if let Some(generic) = signature.generics.params.first() {
        return refuse(
            generic.span(),
            "a delayed function cannot be generic, because one task is one function: \
             write it for one type, or pass a closure to `delayed(..)` inside a generic function",
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        return refuse(
            clause.span(),
            "a delayed function takes no where clause, because it cannot be generic",
        );
    }
    if let Some(token) = &signature.asyncness {
        return refuse(
            token.span(),
            "a delayed function cannot be async: tasks run on compute threads and never wait",
        );
    }
    if let Some(token) = &signature.unsafety {
        return refuse(token.span(), "a delayed function cannot be unsafe: the scheduler calls it, not you");
    }
    if let Some(token) = &signature.constness {
        return refuse(token.span(), "a delayed function cannot be const: calling it builds a graph");
    }
    if let Some(token) = &signature.abi {
        return refuse(token.span(), "a delayed function cannot have a foreign ABI");
    }
    if let Some(token) = &signature.variadic {
        return refuse(token.span(), "a delayed function cannot be variadic");
    }
    if let Some(extra) = signature.inputs.iter().nth(MAX_PARAMETERS) {
        return refuse(
            extra.span(),
            "a delayed function takes up to four parameters: put more into a struct",
        );
    }
    Ok(())
}

/// The parameters of the generated function, with `&T` taken as a value of type `T`.
fn parameters(function: &ItemFn) -> Result<Vec<Parameter>> {
    let mut parameters = Vec::with_capacity(function.sig.inputs.len());
    for (index, input) in function.sig.inputs.iter().enumerate() {
        let typed = match input {
            FnArg::Receiver(receiver) => {
                return Err(Error::new(
                    receiver.span(),
                    "a delayed function cannot be a method: name the receiver's type in a parameter",
                ));
            }
            FnArg::Typed(typed) => typed,
        };
        let name = match typed.pat.as_ref() {
            // A parameter that is named like the function would be hidden by it.
            Pat::Ident(pattern) if pattern.subpat.is_none() && pattern.ident != function.sig.ident => {
                Ident::new(&pattern.ident.to_string(), pattern.ident.span())
            }
            pattern => format_ident!("argument{index}", span = pattern.span()),
        };
        parameters.push(Parameter { name, value: value_type(&typed.ty)? });
    }
    Ok(parameters)
}

/// The owned type that an argument is stored as.
fn value_type(parameter: &Type) -> Result<Type> {
    match parameter {
        Type::Paren(inner) => value_type(&inner.elem),
        Type::Group(inner) => value_type(&inner.elem),
        Type::ImplTrait(inner) => Err(Error::new(
            inner.span(),
            "a delayed function cannot be generic: write the parameter's type instead of `impl Trait`",
        )),
        Type::Reference(reference) if reference.mutability.is_some() => Err(Error::new(
            reference.span(),
            "a delayed function cannot change its arguments, because other tasks may read them: \
             take the parameter by value and return it",
        )),
        Type::Reference(reference) => {
            if let Some(lifetime) = &reference.lifetime {
                return Err(Error::new(
                    lifetime.span(),
                    "a delayed function borrows its argument for the length of the call only: leave out the lifetime",
                ));
            }
            match reference.elem.as_ref() {
                Type::Path(path) if path.path.is_ident("str") => {
                    Err(Error::new(reference.span(), "an argument is stored by value: write `&String`"))
                }
                Type::Slice(slice) => {
                    Err(Error::new(slice.span(), "an argument is stored by value: write `&Vec<..>`"))
                }
                Type::TraitObject(object) => Err(Error::new(
                    object.span(),
                    "an argument is stored by value: write a sized type, for example `&Box<dyn ..>`",
                )),
                Type::Reference(inner) => {
                    Err(Error::new(inner.span(), "an argument is stored by value: one `&` is enough"))
                }
                sized => Ok(sized.clone()),
            }
        }
        sized => Ok(sized.clone()),
    }
}

/// The type of the delayed value: what the function returns, or for a fallible one what its `Ok` holds.
fn output(options: &Options, output: &ReturnType) -> Result<Type> {
    let returned = match output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, returned) => (**returned).clone(),
    };
    if let Type::ImplTrait(inner) = &returned {
        return Err(Error::new(
            inner.span(),
            "a delayed function returns a value that is stored: write its type instead of `impl Trait`",
        ));
    }
    if let Type::Reference(reference) = &returned {
        return Err(Error::new(
            reference.span(),
            "a delayed function returns a value that is stored: return an owned value",
        ));
    }
    if !options.fallible {
        return Ok(returned);
    }
    ok_type(&returned).ok_or_else(|| {
        Error::new(
            returned.span(),
            "`fallible` needs a function that returns `Result<T, E>`, written so in its signature",
        )
    })
}

/// The `T` of `Result<T, E>`, under whatever path it is written (`io::Result<T>` has one argument).
fn ok_type(returned: &Type) -> Option<Type> {
    let Type::Path(path) = returned else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(value)) if last.ident == "Result" => Some(value.clone()),
        _ => None,
    }
}

/// Which attributes go to the function that is seen, and which to the one that runs.
///
/// Documentation and notes to the caller belong outside, code generation (`inline`, `cold`) inside; conditions and
/// lint levels hold for both, except `expect`, which is fulfilled only where the body is.
fn split_attributes(attributes: &[Attribute]) -> (Vec<&Attribute>, Vec<&Attribute>) {
    let is = |attribute: &Attribute, names: &[&str]| names.iter().any(|name| attribute.path().is_ident(name));
    let outer = |attribute: &&Attribute| {
        !is(attribute, &["inline", "cold", "expect", "track_caller", "target_feature", "optimize"])
    };
    let inner = |attribute: &&Attribute| !is(attribute, &["doc", "must_use", "deprecated"]);
    (attributes.iter().filter(outer).collect(), attributes.iter().filter(inner).collect())
}

#[cfg(test)]
mod tests {
    use super::{Options, expand};
    use quote::quote;

    fn expanded(arguments: proc_macro2::TokenStream, function: proc_macro2::TokenStream) -> String {
        let options = Options::parse(arguments).unwrap();
        expand(&options, &syn::parse2(function).unwrap()).unwrap().to_string()
    }

    fn refused(arguments: proc_macro2::TokenStream, function: proc_macro2::TokenStream) -> String {
        match Options::parse(arguments) {
            Err(error) => error.to_string(),
            Ok(options) => expand(&options, &syn::parse2(function).unwrap()).unwrap_err().to_string(),
        }
    }

    #[test]
    fn values_and_references_become_arguments() {
        let written = expanded(
            quote!(),
            quote! {
                #[doc = "Adds."]
                #[inline]
                pub fn add(mut a: i64, b: &Vec<f64>) -> f64 { a as f64 + b[0] }
            },
        );
        let expected = quote! {
            #[doc = "Adds."]
            #[track_caller]
            pub fn add(a: impl ::musher::IntoArg<i64>, b: impl ::musher::IntoArg<Vec<f64> >) -> ::musher::Delayed<f64> {
                #[allow(clippy::ptr_arg, reason = "an argument is stored by value, and so cannot be a slice")]
                #[inline]
                fn add(mut a: i64, b: &Vec<f64>) -> f64 { a as f64 + b[0] }
                use ::musher::by_type::{AsKnown as _, AsSerde as _, AsValue as _};
                (&&&::musher::by_type::ByType::<f64>::new()).by_type(::musher::delayed(add)).call((a, b))
            }
        };
        assert_eq!(written, expected.to_string());
    }

    #[test]
    fn options_choose_crate_purity_and_error() {
        let written = expanded(
            quote!(crate = crate::engine, impure, fallible),
            quote!(
                fn now() -> std::io::Result<u64> {
                    Ok(1)
                }
            ),
        );
        let expected = quote! {
            #[track_caller]
            fn now() -> crate::engine::Delayed<u64> {
                #[allow(clippy::ptr_arg, reason = "an argument is stored by value, and so cannot be a slice")]
                fn now() -> std::io::Result<u64> { Ok(1) }
                use crate::engine::by_type::{AsKnown as _, AsSerde as _, AsValue as _};
                (&&&crate::engine::by_type::ByType::<u64>::new())
                    .by_type(crate::engine::delayed(now).fallible())
                    .impure()
                    .call(())
            }
        };
        assert_eq!(written, expected.to_string());
    }

    #[test]
    fn a_parameter_named_like_the_function_is_renamed_outside() {
        let written = expanded(
            quote!(),
            quote!(
                fn x(x: u8, (y, z): (u8, u8)) {}
            ),
        );
        assert!(written.contains("argument0 : impl :: musher :: IntoArg < u8 >"), "{written}");
        assert!(written.contains(". call ((argument0 , argument1))"), "{written}");
        assert!(written.contains("Delayed < () >"), "{written}");
    }

    #[test]
    fn what_cannot_be_a_task_is_refused_with_the_reason() {
        for (function, reason) in [
            ("fn f<T>(x: T) {}", "cannot be generic"),
            ("fn f(x: [f64; 3]) where f64: Copy {}", "where clause"),
            ("fn f(x: impl Copy) {}", "cannot be generic"),
            ("fn f<'a>(x: &'a u8) {}", "cannot be generic"),
            ("fn f(x: &'static u8) {}", "leave out the lifetime"),
            ("fn f(&self) {}", "cannot be a method"),
            ("async fn f() {}", "cannot be async"),
            ("unsafe fn f() {}", "cannot be unsafe"),
            ("const fn f() {}", "cannot be const"),
            ("extern \"C\" fn f() {}", "foreign ABI"),
            ("fn f(x: &mut u8) {}", "cannot change its arguments"),
            ("fn f(x: &str) {}", "write `&String`"),
            ("fn f(x: &[u8]) {}", "write `&Vec<..>`"),
            ("fn f(x: &dyn Copy) {}", "sized type"),
            ("fn f(x: &&u8) {}", "one `&` is enough"),
            ("fn f(a: u8, b: u8, c: u8, d: u8, e: u8) {}", "up to four parameters"),
            ("fn f() -> impl Copy {}", "write its type"),
            ("fn f(x: &u8) -> &u8 { x }", "return an owned value"),
        ] {
            let message = refused(quote!(), function.parse().unwrap());
            assert!(message.contains(reason), "{function}: {message}");
        }
    }

    #[test]
    fn unknown_options_and_infallible_functions_are_refused() {
        assert!(
            refused(
                quote!(pure),
                quote!(
                    fn f() {}
                )
            )
            .contains("expected `crate = path`")
        );
        assert!(
            refused(
                quote!(fallible),
                quote!(
                    fn f() -> u8 {
                        1
                    }
                )
            )
            .contains("needs a function that returns")
        );
        assert!(
            refused(
                quote!(fallible),
                quote!(
                    fn f() {}
                )
            )
            .contains("needs a function that returns")
        );
    }
}
