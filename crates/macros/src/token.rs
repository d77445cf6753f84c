//! `#[derive(Token)]`: hashes every field of a struct or enum into a fingerprint.
//!
//! Fields are hashed in the order of their declaration, each under the type's name and, for an enum, the variant's
//! name and position, so that two types with equal fields never give equal fingerprints.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Index, Path, Result};

/// Writes the `Token` implementation of one type.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let krate = crate_path(input)?;
    let name = &input.ident;
    let body = match &input.data {
        Data::Struct(data) => hash_struct(&krate, &data.fields),
        Data::Enum(data) if data.variants.is_empty() => quote!(match *self {}),
        Data::Enum(data) => {
            let arms = data.variants.iter().zip(0u32..).map(|(variant, position)| {
                let label = &variant.ident;
                let text = label.to_string();
                let (pattern, bound) = bind(&variant.fields);
                quote! {
                    Self::#label #pattern => {
                        #krate::Token::token(&#position, tokenizer);
                        tokenizer.name(#text);
                        #(#krate::Token::token(#bound, tokenizer);)*
                    }
                }
            });
            quote!(match self { #(#arms)* })
        }
        Data::Union(_) => {
            return Err(Error::new(
                name.span(),
                "a union has no fields that can be read safely: implement `Token` by hand",
            ));
        }
    };
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!(#krate::Token));
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let text = name.to_string();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #krate::Token for #name #type_generics #where_clause {
            fn token(&self, tokenizer: &mut #krate::Tokenizer) {
                tokenizer.name(::core::concat!(::core::module_path!(), "::", #text));
                #body
            }
        }
    })
}

/// The path under which the engine is known: `#[token(crate = path)]`, by default `::musher`.
fn crate_path(input: &DeriveInput) -> Result<Path> {
    let mut krate: Path = syn::parse_quote!(::musher);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("token")) {
        attribute.parse_nested_meta(|meta| match meta.path.is_ident("crate") {
            true => {
                krate = meta.value()?.call(Path::parse_mod_style)?;
                Ok(())
            }
            false => Err(meta.error("expected `crate = path`")),
        })?;
    }
    Ok(krate)
}

/// One hashing statement for each field of a struct.
fn hash_struct(krate: &Path, fields: &Fields) -> TokenStream {
    let members = fields.iter().enumerate().map(|(index, field)| match &field.ident {
        Some(name) => quote!(#name),
        None => {
            let index = Index::from(index);
            quote!(#index)
        }
    });
    quote!(#(#krate::Token::token(&self.#members, tokenizer);)*)
}

/// The pattern that binds the fields of a variant, and the names that it binds.
fn bind(fields: &Fields) -> (TokenStream, Vec<syn::Ident>) {
    let bound: Vec<_> = (0..fields.len()).map(|index| format_ident!("field{index}")).collect();
    let pattern = match fields {
        Fields::Unit => quote!(),
        Fields::Unnamed(_) => quote!((#(#bound),*)),
        Fields::Named(named) => {
            let names = named.named.iter().map(|field| &field.ident);
            quote!({ #(#names: #bound),* })
        }
    };
    (pattern, bound)
}
