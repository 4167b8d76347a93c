//! The macro that makes an enum of words: one spelling on the wire, in the database and in logs.

/// Declares an enum whose variants are words, with the other spellings that are read as the same.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal $(| $alias:literal)*),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        #[cfg_attr(
            feature = "diesel",
            derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow),
            diesel(sql_type = ::diesel::sql_types::Text)
        )]
        pub enum $name {
            $(
                $(#[$variant_meta])*
                #[serde(rename = $word $(, alias = $alias)*)]
                $variant,
            )+
        }

        #[cfg(feature = "diesel")]
        $crate::diesel::word_column!($name);

        impl $name {
            /// Every word, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is written on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        // By hand: utoipa's derive does not see the spelling of a word that a macro hands on.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::errors::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err($crate::errors::UnknownWord {
                        kind: stringify!($name),
                        known: &[$($word),+],
                    }),
                }
            }
        }
    };
}

pub(crate) use words;
