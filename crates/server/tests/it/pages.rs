//! Pages for people who come by a link, and paths with a secret in them.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;
use server::routes;
use uuid::Uuid;

use crate::support::restaurant::{PASSWORD, login};
use crate::support::{Client, Reply, Restaurant, TestApp};

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn open(client: &Client, path: &str) -> Reply {
    client.send_raw(Method::GET, path, None, &[HTML]).await
}

fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| format!("{name}={}", escaped(value)));
    fields.collect::<Vec<_>>().join("&").into_bytes()
}

/// Posts a form, as a browser does.
async fn send(
    client: &Client,
    path: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Reply {
    let headers = [&[HTML, FORM], headers].concat();
    client
        .send_raw(Method::POST, path, Some(encoded(fields)), &headers)
        .await
}

fn escaped(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// That what was answered is kept and found by nobody, and runs nothing.
#[track_caller]
fn is_discreet(headers: &HeaderMap, is_page: bool) {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("x-robots-tag"), Some("noindex"));
    assert_eq!(header("set-cookie"), None);
    if is_page {
        assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
        let policy = header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'sha256-",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_without_script() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let name = json!({"name": "<b>Chez</b> & \"Nous\""});
    house.owner.put(&house.path(""), name).await.expect(200);
    let (invitation, secret) = house.invite(json!({"role": "manager"})).await;
    let (client, path) = (app.client(0), format!("/i/{secret}"));
    // Looked at as often as one likes: nothing changes.
    for _ in 0..2 {
        let page = open(&client, &path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        is_discreet(&page.headers, true);
        assert!(
            page.text
                .contains("&lt;b&gt;Chez&lt;/b&gt; &amp; &quot;Nous&quot;")
        );
        assert!(page.text.contains("a manager") && page.text.contains("lang=\"en\""));
        assert!(!page.text.contains("<b>") && !page.text.contains("<script"));
        assert!(!page.text.contains(&secret), "the form goes to where it is");
    }
    let mine = [
        ("account", "new"),
        ("firstName", "Sam \"<i>\""),
        ("email", "sam@example.com"),
        ("password", "short"),
    ];
    let refused = send(&client, &path, &mine, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    is_discreet(&refused.headers, true);
    assert!(refused.text.contains("role=\"alert\"") && refused.text.contains("8 and 72"));
    // What was typed is still there, but for the password.
    assert!(refused.text.contains("value=\"Sam &quot;&lt;i&gt;&quot;\""));
    assert!(!refused.text.contains("short"));
    let taken = [
        ("account", "new"),
        ("email", &house.email),
        ("password", PASSWORD),
    ];
    assert_eq!(send(&client, &path, &taken, &[]).await.status, 409);

    let mine = [
        ("account", "new"),
        ("email", "sam@example.com"),
        ("password", PASSWORD),
    ];
    let done = post(&client, &path, &mine).await;
    assert_eq!((done.0, done.1.as_deref()), (303, Some(path.as_str())));
    let page = open(&client, &path).await;
    assert!(page.text.contains("will confirm"), "{}", page.text);
    let shown = house.path(&format!("/invitations/{invitation}"));
    let shown = house.owner.get(&shown).await.expect(200);
    assert_eq!(shown["acceptedBy"]["email"], "sam@example.com");
    house
        .confirm(&invitation, shown["acceptedBy"]["userId"].as_str().unwrap())
        .await;
    assert!(open(&client, &path).await.text.contains("Welcome to"));
    let tokens = login(&client, "sam@example.com").await;
    assert_eq!(tokens["restaurant_id"], house.id.as_str());
    app.finish().await;
}

/// The status, and where it leads.
async fn post(client: &Client, path: &str, fields: &[(&str, &str)]) -> (u16, Option<String>) {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = http
        .post(format!("http://{}{path}", client.address))
        .header("accept", HTML.1)
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header(FORM.0, FORM.1)
        .body(encoded(fields))
        .send()
        .await
        .unwrap();
    is_discreet(answer.headers(), false);
    let place = answer.headers().get("location");
    let place = place.map(|place| place.to_str().unwrap().to_owned());
    (answer.status().as_u16(), place)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_account_that_is_there() {
    let app = TestApp::with(1, &[]).await;
    let (house, guest) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let (invitation, secret) = house.invite(json!({})).await;
    let (client, path) = (app.client(0), format!("/i/{secret}"));
    let with = |password| {
        [
            ("account", "mine"),
            ("email", guest.email.as_str()),
            ("password", password),
        ]
    };
    assert_eq!(
        send(&client, &path, &with("wrong one"), &[]).await.status,
        401
    );
    assert_eq!(post(&client, &path, &with(PASSWORD)).await.0, 303);
    let user = guest.owner_tokens["user_id"].as_str().unwrap();
    house.confirm(&invitation, user).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_without_script() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let email = staff.get("/auth/me").await.expect(200)["email"].clone();
    let link = house.path(&format!("/users/{id}/reset-link"));
    let link = house.owner.post(&link, json!({})).await.expect(201)["link"].clone();
    let path = link
        .as_str()
        .unwrap()
        .strip_prefix("https://door.example")
        .unwrap();
    let client = app.client(0);
    let page = open(&client, path).await;
    is_discreet(&page.headers, true);
    assert!(page.text.contains(email.as_str().unwrap()) && !page.text.contains(path));
    let short = send(&client, path, &[("password", "short")], &[]).await;
    assert_eq!(short.status, 422);
    staff.get("/auth/me").await.expect(200);
    let done = post(&client, path, &[("password", "entirely new")]).await;
    assert_eq!((done.0, done.1.as_deref()), (303, Some("/r/done")));
    let page = open(&client, "/r/done").await;
    is_discreet(&page.headers, true);
    assert!(page.text.contains("signed out"));
    staff
        .get("/auth/me")
        .await
        .expect_error(401, "unauthenticated");
    // Used up, and told to people as a page and to programs as they know it.
    let gone = open(&client, path).await;
    assert_eq!(gone.status, 404);
    is_discreet(&gone.headers, true);
    assert!(gone.text.contains("<main>"));
    let gone = client.get(path).await;
    is_discreet(&gone.headers, false);
    gone.expect_error(404, "not_found");
    app.finish().await;
}

/// Another site's page cannot send these forms, and no page can send what is not one.
#[tokio::test(flavor = "multi_thread")]
async fn forms_of_ones_own_and_nothing_else() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (_, secret) = house.invite(json!({})).await;
    let (client, path) = (app.client(0), format!("/i/{secret}"));
    let short = [
        ("account", "new"),
        ("email", "a@b.example"),
        ("password", "short"),
    ];
    for (headers, status) in [
        (&[][..], 422),
        (&[("origin", "https://door.example")][..], 422),
        (
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            422,
        ),
        (&[("origin", "https://evil.example")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
    ] {
        let reply = send(&client, &path, &short, headers).await;
        assert_eq!(reply.status, status, "{headers:?}");
    }
    for kind in [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
    ] {
        let headers = [("content-type", kind)];
        let body = Some(b"account=new&email=a&password=b".to_vec());
        let reply = client.send_raw(Method::POST, &path, body, &headers).await;
        reply.expect_error(415, "unsupported_media_type");
    }
    // And programs send JSON.
    for (path, status) in [
        ("/api/v1/invitations/accept", 415),
        ("/api/v1/auth/login", 415),
        ("/api/v1/auth/password/reset", 415),
    ] {
        let reply = send(&client, path, &[("secret", &secret)], &[]).await;
        assert_eq!(reply.status, status, "{path}");
    }
    app.finish().await;
}

/// Every page that there is, with what is no secret: at the root and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn pages_stand_at_the_root() {
    let app = TestApp::with(1, &[]).await;
    let client = app.client(0);
    let mut checked = 0;
    for row in routes().pages() {
        let method = Method::from_bytes(row.method.as_str().as_bytes()).unwrap();
        let path = row.path.replace("{secret}", &Uuid::now_v7().to_string());
        for mount in ["/api", "/api/v1"] {
            let reply = client
                .send_raw(method.clone(), &format!("{mount}{path}"), None, &[])
                .await;
            reply.expect_error(404, "not_found");
        }
        let reply = client.send_raw(method, &path, None, &[HTML]).await;
        is_discreet(&reply.headers, true);
        checked += 1;
    }
    assert_eq!(checked, 7);
    app.finish().await;
}

/// Whatever origins may call: never with what a browser has of its own accord.
#[tokio::test(flavor = "multi_thread")]
async fn no_origin_is_ever_allowed_credentials() {
    for origins in ["", "*", "https://app.example"] {
        let app = TestApp::with(1, &[("CORS_ORIGINS", origins)]).await;
        let asked = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "authorization,content-type",
            ),
        ];
        for (method, path, headers) in [
            (Method::OPTIONS, "/api/v1/auth/login", &asked[..]),
            (Method::GET, "/api/v1/auth/me", &asked[..1]),
            (Method::GET, "/health/live", &asked[..1]),
            (Method::POST, "/i/x", &asked[..1]),
        ] {
            let reply = app.client(0).send_raw(method, path, None, headers).await;
            assert_eq!(reply.header("access-control-allow-credentials"), None);
        }
        app.finish().await;
    }
}

/// A link is made of the one address that the operator gave, whatever the request says.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_not_made_of_what_a_request_says() {
    let app = TestApp::with(1, &[("TRUSTED_PROXIES", "private")]).await;
    let house = Restaurant::new(&app).await;
    let lies = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
    ];
    for number in 0..3 {
        house.guest(&format!("Guest {number}"), 2).await;
    }
    let owner = &house.owner;
    for (method, path, body) in [
        (Method::POST, house.path("/users"), Some(json!({}))),
        (
            Method::POST,
            house.path("/tables"),
            Some(crate::support::table("1", 2)),
        ),
        (Method::GET, house.path("/guests?limit=1"), None),
        (Method::GET, "/openapi.json".to_owned(), None),
        (Method::GET, "/docs".to_owned(), None),
    ] {
        let reply = owner.send(method, &path, body, &lies).await;
        assert!(reply.status < 400, "{path}: {}", reply.text);
        assert!(!reply.text.contains("evil.example"), "{path}");
        assert!(
            !format!("{:?}", reply.headers).contains("evil.example"),
            "{path}"
        );
        if let Some(link) = reply.body["link"].as_str() {
            assert!(link.starts_with("https://door.example/i/"), "{link}");
        }
    }
    app.finish().await;
}
