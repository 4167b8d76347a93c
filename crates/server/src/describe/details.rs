//! What rooms tell beside the sentences of their errors, in the description of the envelope.

use utoipa::openapi::schema::{OneOfBuilder, Schema, Type};
use utoipa::openapi::{ObjectBuilder, OpenApi, Ref, RefOr};
use wire::Detail;

/// Adds the field of a detail to the envelope.
pub fn describe<D: Detail>(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![(D::name().into_owned(), D::schema())];
    D::schemas(&mut schemas);
    components.schemas.extend(schemas);
    if let Some(RefOr::T(Schema::Object(envelope))) = components.schemas.get_mut("ErrorBody") {
        let mut told = Ref::from_schema_name(D::name());
        told.description = D::MEANING.to_owned();
        let field = OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .item(told);
        let fields = &mut envelope.properties;
        fields.insert(D::FIELD.to_owned(), RefOr::T(field.into()));
    }
}
