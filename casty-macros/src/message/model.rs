//! What the user wrote under `#[message]`.

use proc_macro2::TokenStream;
use syn::{Attribute, Data, DeriveInput, Field, Type};

use crate::attr::{self, Args};

/// A message type.
pub(crate) struct Model {
    /// The struct or enum, as written.
    pub(crate) item: DeriveInput,
    /// What stands in the brackets.
    pub(crate) args: Args,
}

impl Model {
    /// Parses the item.
    pub(crate) fn parse(item: TokenStream, args: Args) -> syn::Result<Self> {
        let refused = |error: syn::Error| {
            syn::Error::new(error.span(), format!("`#[message]` stands on a struct or an enum: {error}"))
        };
        Ok(Self { item: syn::parse2(item).map_err(refused)?, args })
    }

    /// The types of all fields, in order.
    pub(crate) fn field_types(&self) -> Vec<&Type> {
        self.fields().into_iter().map(|field| &field.ty).collect()
    }

    /// Whether serde or the compiler is told more about this item than `#[message]` can know of.
    pub(crate) fn has_attributes_of_serde(&self) -> bool {
        let told = |attrs: &[Attribute]| attr::find(attrs, &["serde", "cfg", "cfg_attr"]).is_some();
        let variants = match &self.item.data {
            Data::Enum(data) => data.variants.iter().any(|variant| told(&variant.attrs)),
            _ => false,
        };
        variants || told(&self.item.attrs) || self.fields().iter().any(|field| told(&field.attrs))
    }

    fn fields(&self) -> Vec<&Field> {
        match &self.item.data {
            Data::Struct(data) => data.fields.iter().collect(),
            Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
            Data::Union(data) => data.fields.named.iter().collect(),
        }
    }
}
