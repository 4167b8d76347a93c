use super::*;

fn written(kind: Kind, of: TokenStream, item: TokenStream) -> std::result::Result<String, String> {
    match write(kind, of, item) {
        Ok(tokens) => Ok(tokens.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_patch_says_for_each_field_how_it_is_read() {
    let item = quote! {
        pub struct Change {
            pub party_size: Option<i32>,
            #[schema(max_length = 40)]
            pub phone: Clearable<String>,
            #[most(30)]
            pub tags: Clearable<Vec<String>>,
            #[schema(value_type = Option<String>, format = Uuid)]
            pub table_id: Clearable<TableId>,
            #[serde(alias = "number", deserialize_with = "text_or_number")]
            pub table_number: Option<String>,
            pub at: Option<DateTime<Utc>>,
            pub allow: bool,
        }
    };
    let expected = quote! {
        #[serde(rename_all = "camelCase", default)]
        pub struct Change {
            #[serde(
                alias = "party_size",
                deserialize_with = "crate::patch::present",
                skip_serializing_if = "Option::is_none"
            )]
            pub party_size: Option<i32>,
            #[schema(max_length = 40, value_type = Option<String>)]
            #[serde(
                deserialize_with = "crate::patch::clearable",
                skip_serializing_if = "Option::is_none"
            )]
            pub phone: Clearable<String>,
            #[serde(
                deserialize_with = "crate::lists::clearable::<30, _, _>",
                skip_serializing_if = "Option::is_none"
            )]
            #[schema(value_type = Option<Vec<String> >)]
            pub tags: Clearable<Vec<String>>,
            #[schema(value_type = Option<String>, format = Uuid)]
            #[serde(
                alias = "table_id",
                deserialize_with = "crate::patch::clearable",
                skip_serializing_if = "Option::is_none"
            )]
            pub table_id: Clearable<TableId>,
            #[serde(alias = "number", deserialize_with = "text_or_number")]
            #[serde(alias = "table_number", skip_serializing_if = "Option::is_none")]
            pub table_number: Option<String>,
            #[serde(
                deserialize_with = "crate::times::present_moment",
                skip_serializing_if = "Option::is_none"
            )]
            pub at: Option<DateTime<Utc>>,
            pub allow: bool,
        }
    };
    let plain = |text: String| text.replace(' ', "");
    let written = written(Kind::Patch, TokenStream::new(), item).map(plain);
    assert_eq!(written, Ok(plain(expected.to_string())));
}

#[test]
fn what_is_new_is_a_change_too() {
    let item = quote! {
        struct New {
            guest_name: Option<String>,
            #[most(10)]
            tags: Option<Vec<String>>,
            #[apart]
            hold: Option<i32>,
        }
    };
    let written = written(Kind::Create, quote!(Change), item).unwrap_or_default();
    for part in [
        "alias = \"guest_name\"",
        "crate::lists::optional::<10, _, _>",
        "From < New > for Change",
        "change . tags =",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
    assert!(!written.contains("change . hold"), "{written}");
}

#[test]
fn fields_of_several_structs_can_be_read_from_one_object() {
    let settings = quote! {
        struct Settings {
            aging_minutes: i32,
            hours: Option<Vec<Hours>>,
        }
    };
    let settings = written(Kind::Settings, quote!(), settings).unwrap_or_default();
    let settings = settings.replace(' ', "");
    let change = quote! {
        struct Change {
            aging_minutes: Option<i32>,
            #[most(50)]
            hours: Clearable<Vec<Hours>>,
        }
    };
    let change = written(Kind::Patch, quote!(Settings), change).unwrap_or_default();
    let change = change.replace(' ', "");
    for written in [&settings, &change] {
        for part in [
            "crate::settings::Fieldsfor",
            "\"agingMinutes\"|\"aging_minutes\"=>",
            "(rename_all=\"camelCase\",default)",
        ] {
            assert!(written.contains(part), "{part}: {written}");
        }
    }
    assert!(settings.contains("self.hours=from.next_value()?"));
    for part in [
        "crate::lists::clearable::<50,_,_>(deserializer)",
        "crate::settings::ChangeforChange",
    ] {
        assert!(change.contains(part), "{part}: {change}");
    }
}

#[test]
fn what_cannot_be_read_is_said_when_it_is_compiled() {
    for (kind, of, item, expected) in [
        (
            Kind::Patch,
            quote!(),
            quote!(
                struct Change {
                    tags: Option<Vec<String>>,
                }
            ),
            "is a list: say `#[most(…)]`, how many entries it is read to",
        ),
        (
            Kind::Create,
            quote!(),
            quote!(
                struct New {
                    phone: Clearable<String>,
                }
            ),
            "what is new has nothing to clear: an `Option` will do",
        ),
        (
            Kind::Patch,
            quote!(),
            quote!(
                struct Change {
                    at: Clearable<DateTime<Utc>>,
                }
            ),
            "how a moment is cleared is not known yet",
        ),
        (
            Kind::Settings,
            quote!(Other),
            quote!(
                struct Change {
                    name: Option<String>,
                }
            ),
            "is of nothing else",
        ),
        (
            Kind::Settings,
            quote!(),
            quote!(
                struct Settings {
                    #[serde(alias = "old")]
                    minutes: i32,
                }
            ),
            "`alias` is not seen where fields are read by their names",
        ),
        (
            Kind::Patch,
            quote!(),
            quote!(
                struct Change(Option<String>);
            ),
            "its fields have to have names",
        ),
    ] {
        assert_eq!(written(kind, of, item), Err(expected.to_owned()));
    }
}
