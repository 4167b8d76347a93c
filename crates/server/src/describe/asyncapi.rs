//! `/asyncapi.json`: what is said on sockets and streams, as AsyncAPI 3, generated from the types.
//!
//! The tests hold every frame that any of their clients receives against it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Ready, ready};
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};
use wire::entities::{AuditEntity, EventKind, IdField, Payloads, Step};
use wire::live::frames::{ClientMessage, CloseCode, SessionFrame};
use wire::menu::dishes::DishStatus;

use crate::describe::sections;
use crate::live::admission::Follow;
use crate::rooms;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| Builder::default().document().to_string());

/// The document.
#[must_use]
pub fn document() -> &'static str {
    &DOCUMENT
}

/// What is said on sockets and streams (AsyncAPI 3).
#[utoipa::path(get, path = "/asyncapi.json", tag = "operations", responses((status = 200)))]
pub fn asyncapi() -> Ready<HttpResponse> {
    ready(
        HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
            .body(document()),
    )
}

const ABOUT: &str = "\
A client follows one restaurant. The first frame is `restaurant_connect`; then comes what was missed \
since the position that the client gave, then what happens. Events are numbered by `seq`, without \
gaps within an `epoch` (with `types`, what was not asked for is left out). A client's position is \
the last event that it has processed, or the `position` of a heartbeat if that is larger. After \
`resync_required` take a snapshot and drop frames up to its `seq`; the stream goes on without it.\n\n\
Ignore kinds of frames and fields that you do not know.";

/// What a session says to members only, or on streams only.
const NOT_ON_WS: [&str; 3] = ["closing", "full_sync", "presence"];

/// Collects what the document refers to.
#[derive(Default)]
struct Builder {
    messages: BTreeMap<String, Value>,
    schemas: BTreeMap<String, Value>,
}

impl Builder {
    fn document(mut self) -> Value {
        let events: Vec<String> = EventKind::ALL
            .iter()
            .map(|kind| self.event(*kind))
            .collect();
        let own = self.own_events();
        let frames = self.variants::<SessionFrame>();
        let snapshot = sections::schemas(rooms::PARTS).into_iter();
        self.schemas
            .extend(snapshot.map(|(name, schema)| (name, json!(schema))));
        let said = self.variants::<ClientMessage>();
        let on_socket = events
            .iter()
            .chain(&own)
            .chain(&frames)
            .filter(|name| *name != "closing");
        let on_stream = events.iter().chain(&own).chain(&frames);
        let on_stream = on_stream.filter(|name| !["pong", "full_sync"].contains(&name.as_str()));
        let (on_socket, on_stream): (Vec<_>, Vec<_>) = (on_socket.collect(), on_stream.collect());
        let dishes = self.dish_status_changed();
        let of_sessions = frames
            .iter()
            .filter(|name| !NOT_ON_WS.contains(&name.as_str()));
        let on_ws: Vec<&String> = of_sessions.chain([&dishes]).collect();
        let security = json!([
            {"$ref": "#/components/securitySchemes/bearer"},
            {"$ref": "#/components/securitySchemes/ticket"},
        ]);
        let query = query();
        let operation = |action: &str, channel: &str, title: &str, names: &[&String]| {
            let messages: Vec<Value> = names
                .iter()
                .map(|name| json!({"$ref": format!("#/channels/{channel}/messages/{name}")}))
                .collect();
            json!({
                "action": action, "title": title, "security": security,
                "channel": {"$ref": format!("#/channels/{channel}")}, "messages": messages,
            })
        };
        let mut follow_stream = operation(
            "send",
            "events",
            "What happens, as server-sent events.",
            &on_stream,
        );
        let mut watch = operation("send", "ws", "Dishes are published and withdrawn.", &on_ws);
        if let Some(operation) = watch.as_object_mut() {
            // For everybody.
            operation.remove("security");
        }
        if let Some(operation) = follow_stream.as_object_mut() {
            let binding = json!({"method": "GET", "query": query, "bindingVersion": "0.3.0"});
            operation.insert("bindings".to_owned(), json!({"http": binding}));
        }
        json!({
            "asyncapi": "3.0.0",
            "info": {
                "title": "QTable live",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": {"name": "MIT OR Apache-2.0"},
            },
            "defaultContentType": "application/json",
            "channels": {
                "realtime": {
                    "address": "/api/v1/realtime",
                    "title": "A restaurant on a WebSocket",
                    "description": about_the_socket(),
                    "messages": references(on_socket.iter().copied().chain(&said)),
                    "bindings": {
                        "ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"},
                    },
                },
                "events": {
                    "address": "/api/v1/realtime/events",
                    "title": "A restaurant as server-sent events",
                    "description": ABOUT_THE_STREAM,
                    "messages": references(on_stream.iter().copied()),
                },
                "ws": {
                    "address": "/api/v1/ws",
                    "title": "The menu of a restaurant, for everybody, on a WebSocket",
                    "description": "`restaurant_id`, `since` and `epoch` as for `/realtime`; no \
                                    credential. Without `restaurant_id` the caller's restaurant, or \
                                    the installation's default one.",
                    "messages": references(on_ws.iter().copied()),
                },
            },
            "operations": {
                "follow": operation("send", "realtime", "What happens.", &on_socket),
                "say": operation(
                    "receive", "realtime", "What a client may say: at most 20 messages a second of \
                     at most 16 KiB.", &said.iter().collect::<Vec<_>>(),
                ),
                "followEvents": follow_stream,
                "watchMenu": watch,
            },
            "components": {
                "messages": self.messages,
                "schemas": self.schemas,
                "securitySchemes": {
                    "bearer": {
                        "type": "http", "scheme": "bearer",
                        "description": "The access token. Browsers pass it to a WebSocket as the \
                                        subprotocols `bearer, <token>`.",
                    },
                    "ticket": {
                        "type": "httpApiKey", "in": "query", "name": "token",
                        "description": "From `POST /realtime/tickets`, where no header can be sent: \
                                        for one socket within 30 s, or for streams until the access \
                                        token expires.",
                    },
                },
            },
        })
    }

    /// An event of the log, as [`wire::live::events::FrameParts`] writes it.
    fn event(&mut self, kind: EventKind) -> String {
        let mut fields = Map::from_iter([
            ("type".to_owned(), json!({"const": kind})),
            (
                "seq".to_owned(),
                json!({"type": "integer", "format": "int64", "minimum": 1}),
            ),
            ("restaurant_id".to_owned(), id("The restaurant.")),
            (
                "timestamp".to_owned(),
                json!({"type": "string", "format": "date-time"}),
            ),
        ]);
        let field = match kind.entity().map(AuditEntity::id_field) {
            Some(IdField::Uuid(name)) => Some((name, id("The entity."))),
            Some(IdField::Number(name)) => Some((name, number())),
            Some(IdField::Restaurant) | None => None,
        };
        fields.extend(field.map(|(name, id)| (name.to_owned(), id)));
        if let Some(data) = kind.show_payload(self) {
            fields.insert("action".to_owned(), json!({"enum": kind.actions()}));
            fields.insert("data".to_owned(), data);
        } else {
            let names = json!({"type": "array", "items": {"type": "string"}});
            fields.insert("affected_entities".to_owned(), names);
            fields.insert("transaction_id".to_owned(), id("The client's transaction."));
        }
        let required: Vec<String> = fields.keys().cloned().collect();
        for (name, what) in [
            ("actor_id", "Who did it; missing for the passing of time."),
            (
                "transaction_id",
                "The client's transaction of which it is part.",
            ),
        ] {
            fields.entry(name).or_insert_with(|| id(what));
        }
        let payload = json!({"type": "object", "required": required, "properties": fields});
        self.message(kind.as_str(), "An event of the log.", payload)
    }

    /// What those hear who follow a thing by itself: of each that can be followed its events, in
    /// their own form, and that it is theirs no more.
    fn own_events(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for entity in AuditEntity::ALL {
            let (Some(data), IdField::Uuid(field)) = (entity.show_own(self), entity.id_field())
            else {
                continue;
            };
            let mut envelope = Map::from_iter([
                (
                    "seq".to_owned(),
                    json!({"type": "integer", "format": "int64", "minimum": 1}),
                ),
                ("restaurant_id".to_owned(), id("The restaurant.")),
                (field.to_owned(), id("The entity.")),
                (
                    "timestamp".to_owned(),
                    json!({"type": "string", "format": "date-time"}),
                ),
            ]);
            let left = format!("{entity}_left");
            envelope.insert("type".to_owned(), json!({"const": left}));
            let required: Vec<String> = envelope.keys().cloned().collect();
            let payload = json!({
                "type": "object", "required": required, "properties": envelope.clone(),
            });
            let about = "To whoever follows it by itself: it is theirs no more.";
            names.push(self.message(&left, about, payload));
            let kinds = EventKind::ALL
                .iter()
                .filter(|kind| kind.entity() == Some(*entity));
            for kind in kinds.filter(|kind| kind.step() != Step::Ends) {
                let mut fields = envelope.clone();
                fields.insert("type".to_owned(), json!({"const": kind}));
                fields.insert("action".to_owned(), json!({"enum": kind.actions()}));
                fields.insert("data".to_owned(), data.clone());
                let required: Vec<String> = fields.keys().cloned().collect();
                let about = id("The client's transaction of which it is part.");
                fields.insert("transaction_id".to_owned(), about);
                let payload = json!({
                    "type": "object", "required": required, "properties": fields,
                });
                let about = "The same event, to whoever follows the thing by itself.";
                names.push(self.message(&format!("own_{kind}"), about, payload));
            }
        }
        names
    }

    /// What everybody hears of a dish.
    fn dish_status_changed(&mut self) -> String {
        let data = self.schema::<DishStatus>();
        let name = EventKind::DishUpdated.public_type();
        let kinds = EventKind::ALL.iter();
        let kinds = kinds.filter(|kind| kind.entity() == Some(AuditEntity::Dish));
        let actions: BTreeSet<_> = kinds.flat_map(|kind| kind.actions()).collect();
        let payload = json!({
            "type": "object",
            "required": ["type", "seq", "restaurant_id", "dish_id", "action", "timestamp", "data"],
            "properties": {
                "type": {"const": name},
                "seq": {"type": "integer", "format": "int64", "minimum": 1},
                "restaurant_id": id("The restaurant."),
                "dish_id": number(),
                "action": {"enum": actions},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": data,
                "transaction_id": id("The client's transaction of which it is part."),
            },
        });
        self.message(name, "A dish was published or withdrawn.", payload)
    }

    /// A message for each variant of an enum that serde tags with `type`.
    fn variants<T: ToSchema>(&mut self) -> Vec<String> {
        self.collect::<T>();
        let schema = json!(T::schema());
        let variants = schema.get("oneOf").and_then(Value::as_array);
        variants
            .into_iter()
            .flatten()
            .filter_map(|variant| {
                let kind = tag(variant)?;
                let summary = variant.get("description").and_then(Value::as_str);
                Some(self.message(&kind, summary.unwrap_or_default(), variant.clone()))
            })
            .collect()
    }

    fn message(&mut self, name: &str, summary: &str, payload: Value) -> String {
        let message = json!({"name": name, "summary": summary, "payload": payload});
        self.messages.insert(name.to_owned(), message);
        name.to_owned()
    }

    /// A reference to a type, which is described once.
    fn schema<T: ToSchema>(&mut self) -> Value {
        self.collect::<T>();
        let name = T::name();
        self.schemas.insert(name.to_string(), json!(T::schema()));
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    fn collect<T: ToSchema>(&mut self) {
        let mut referred: Vec<(String, RefOr<Schema>)> = Vec::new();
        T::schemas(&mut referred);
        let referred = referred.into_iter();
        self.schemas
            .extend(referred.map(|(name, schema)| (name, json!(schema))));
    }
}

const ABOUT_THE_STREAM: &str = "\
One message per frame, all without a name. `id:` is `<epoch>:<seq>`; a client that comes back with it \
as `Last-Event-ID` gets exactly what it missed (`since` is then not looked at). The last message is \
`closing`, with the close code of the socket. Answered with 401, 403, 404, 429 or 503 instead of a \
stream where the socket would be refused.";

impl Payloads for Builder {
    type Shown = Value;

    fn one<T: ToSchema>(&mut self) -> Value {
        self.schema::<T>()
    }

    fn either<T: ToSchema, U: ToSchema>(&mut self) -> Value {
        json!({"anyOf": [self.schema::<T>(), self.schema::<U>()]})
    }
}

fn about_the_socket() -> String {
    let codes = CloseCode::ALL.map(|code| format!("- {}: {}", code.number(), code.meaning()));
    format!(
        "Refused before the upgrade with 401, 403, 404, 429 or 503. The server sends protocol pings; \
         any bytes of the client are a sign of life.\n\nClose codes:\n{}",
        codes.join("\n")
    )
}

fn references<'n>(names: impl Iterator<Item = &'n String>) -> Value {
    names
        .map(|name| {
            let reference = json!({"$ref": format!("#/components/messages/{name}")});
            (name.clone(), reference)
        })
        .collect()
}

/// The parameters of the address, as a schema.
fn query() -> Value {
    let mut properties = Map::new();
    for parameter in Follow::into_params(|| None) {
        let mut schema = json!(parameter.schema);
        if let (Some(schema), Some(text)) = (schema.as_object_mut(), parameter.description) {
            schema.insert("description".to_owned(), text.into());
        }
        properties.insert(parameter.name, schema);
    }
    json!({"type": "object", "required": ["restaurant_id"], "properties": properties})
}

/// The number of a thing that has no UUID.
fn number() -> Value {
    json!({"type": "integer", "format": "int64", "description": "Its number."})
}

fn id(what: &str) -> Value {
    json!({"type": "string", "format": "uuid", "description": what})
}

/// The word of a variant's `type`.
fn tag(variant: &Value) -> Option<String> {
    let parts = variant.get("allOf").and_then(Value::as_array);
    let word = |part: &Value| {
        let word = part.pointer("/properties/type/enum/0")?.as_str()?;
        Some(word.to_owned())
    };
    parts.into_iter().flatten().chain([variant]).find_map(word)
}
