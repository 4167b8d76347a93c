//! Database traits of ids and words, for the crate that reads and writes rows. What declares an id or
//! a word says with these macros how a column holds it.

/// A column of type `$sql` holds what is around a `$inner`.
macro_rules! column {
    ($name:ident, $sql:ident, $inner:ty) => {
        impl ::diesel::deserialize::FromSql<::diesel::sql_types::$sql, ::diesel::pg::Pg> for $name {
            fn from_sql(
                bytes: <::diesel::pg::Pg as ::diesel::backend::Backend>::RawValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                use ::diesel::deserialize::FromSql;
                <$inner as FromSql<::diesel::sql_types::$sql, ::diesel::pg::Pg>>::from_sql(bytes)
                    .map(Self)
            }
        }

        impl ::diesel::serialize::ToSql<::diesel::sql_types::$sql, ::diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                use ::diesel::serialize::ToSql;
                <$inner as ToSql<::diesel::sql_types::$sql, ::diesel::pg::Pg>>::to_sql(&self.0, out)
            }
        }
    };
}
pub(crate) use column;

/// A column of type `text` holds the word as it is on the wire.
macro_rules! word_column {
    ($name:ident) => {
        impl ::diesel::deserialize::FromSql<::diesel::sql_types::Text, ::diesel::pg::Pg> for $name {
            fn from_sql(
                bytes: <::diesel::pg::Pg as ::diesel::backend::Backend>::RawValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(bytes.as_bytes())?.parse()?)
            }
        }

        impl ::diesel::serialize::ToSql<::diesel::sql_types::Text, ::diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                use ::diesel::serialize::ToSql;
                <str as ToSql<::diesel::sql_types::Text, ::diesel::pg::Pg>>::to_sql(
                    self.as_str(),
                    out,
                )
            }
        }
    };
}
pub(crate) use word_column;
