//! A restaurant with its staff.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Client, Socket, TestApp};

/// A restaurant, and clients of its staff at the first worker.
pub struct Restaurant {
    pub id: String,
    pub owner: Client,
    pub owner_tokens: Value,
    pub email: String,
}

pub const PASSWORD: &str = "correct horse battery";

impl Restaurant {
    /// Registers one at the first worker.
    pub async fn new(app: &TestApp) -> Self {
        Self::of(&app.client(0)).await
    }

    /// Registers one at any worker.
    pub async fn of(client: &Client) -> Self {
        let email = format!("owner-{}@example.com", Uuid::new_v4().simple());
        let tokens = client
            .post(
                "/api/v1/auth/register",
                json!({
                    "restaurantName": "Chez Nous", "email": email, "password": PASSWORD,
                    "firstName": "Ada", "lastName": "Byron",
                }),
            )
            .await
            .expect(201);
        Self {
            id: tokens["restaurant_id"].as_str().unwrap().to_owned(),
            owner: client.with_token(tokens["access_token"].as_str().unwrap()),
            owner_tokens: tokens,
            email,
        }
    }

    /// The owner, at another worker.
    pub fn at(&self, worker: &Client) -> Client {
        self.owner.at(worker)
    }

    /// A path below the restaurant.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/restaurants/{}{rest}", self.id)
    }

    /// A new member and its client, at the first worker.
    pub async fn member(&self, app: &TestApp, role: &str) -> Client {
        self.member_with_id(app, role).await.1
    }

    /// The same, with the account's id.
    pub async fn member_with_id(&self, app: &TestApp, role: &str) -> (String, Client) {
        let email = format!("{role}-{}@example.com", Uuid::new_v4().simple());
        let (invitation, secret) = self.invite(json!({"role": role})).await;
        let body = json!({
            "secret": secret, "email": email, "password": PASSWORD, "firstName": role,
        });
        let made = app.client(0).post("/invitations/accept", body).await;
        let id = made.expect(201)["user_id"].as_str().unwrap().to_owned();
        self.confirm(&invitation, &id).await;
        let tokens = login(&app.client(0), &email).await;
        let client = app
            .client(0)
            .with_token(tokens["access_token"].as_str().unwrap());
        (id, client)
    }

    /// A party that waits, and a client that has its link.
    pub async fn followed_guest(&self, app: &TestApp) -> (String, Client) {
        let body = json!({"guestName": "Ann", "partySize": 2, "phone": "+49 30 1234567"});
        let made = self.owner.post(&self.path("/guests"), body).await;
        let id = made.expect(201)["id"].as_str().unwrap().to_owned();
        let secret = self.link(&format!("/guests/{id}")).await;
        (id, app.client(0).with_token(&secret))
    }

    /// The secret of a new link of a party or booking.
    pub async fn link(&self, thing: &str) -> String {
        let made = self
            .owner
            .post(&self.path(&format!("{thing}/link")), json!({}))
            .await;
        let made = made.expect(201);
        let (_, secret) = made["link"].as_str().unwrap().rsplit_once("/w/").unwrap();
        secret.to_owned()
    }

    /// Invites: the invitation, and the secret of its link.
    pub async fn invite(&self, body: Value) -> (String, String) {
        let made = self.owner.post(&self.path("/users"), body).await;
        let made = made.expect(201);
        let (_, secret) = made["link"].as_str().unwrap().rsplit_once('/').unwrap();
        (made["id"].as_str().unwrap().to_owned(), secret.to_owned())
    }

    /// Makes whoever accepted a member, who is to be this one.
    pub async fn confirm(&self, invitation: &str, user: &str) {
        let path = self.path(&format!("/invitations/{invitation}/confirm"));
        let confirmed = self.owner.post(&path, json!({"userId": user})).await;
        assert_eq!(confirmed.expect(200)["status"], "confirmed");
    }

    /// Adds a table.
    pub async fn table(&self, number: &str, capacity: i32) -> String {
        id(self
            .owner
            .post(&self.path("/tables"), table(number, capacity))
            .await
            .expect(201))
    }

    /// Takes a party down.
    pub async fn guest(&self, name: &str, size: i32) -> String {
        id(self
            .owner
            .post(&self.path("/guests"), guest(name, size))
            .await
            .expect(201))
    }

    /// A socket of the owner at a worker.
    pub async fn socket(&self, app: &TestApp, worker: usize) -> Socket {
        Socket::open(&self.owner.at(&app.client(worker)), &self.id, "").await
    }
}

/// Logs in.
pub async fn login(client: &Client, email: &str) -> Value {
    client
        .post(
            "/api/v1/auth/login",
            json!({"email": email, "password": PASSWORD}),
        )
        .await
        .expect(200)
}

pub fn guest(name: &str, size: i32) -> Value {
    json!({"guestName": name, "partySize": size})
}

pub fn table(number: &str, capacity: i32) -> Value {
    json!({"tableNumber": number, "capacity": capacity})
}

fn id(resource: Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

/// A day that is far enough ahead for every clock.
pub fn day() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are where the time is handed in"
    )]
    let ahead = chrono::Utc::now() + chrono::TimeDelta::days(20);
    ahead.format("%Y-%m-%d").to_string()
}
