//! Debug of what carries a credential: the type's name, and nothing of its content.

/// Implements `Debug` for types that a password or a token is part of, so that no log line, panic
/// or test that prints one can tell it.
macro_rules! secretive {
    ($($type:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )+};
}

pub(crate) use secretive;

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use crate::live::frames::ClientMessage;
    use crate::people::auth::{ChangePassword, Login, Refresh, Register, Ticket, Tokens};
    use crate::people::invitations::{
        AcceptInvitation, Invitation, InvitationSecret, ResetLink, ResetPassword,
    };

    fn shown<T: DeserializeOwned + std::fmt::Debug>(value: Value) -> String {
        format!("{:#?}", serde_json::from_value::<T>(value).unwrap())
    }

    #[test]
    fn credentials_are_not_shown() {
        let secret = "hunter2hunter2";
        let id = "0190f3c0-0000-7000-8000-000000000001";
        for shown in [
            shown::<Register>(json!({"restaurantName": "x", "email": "x", "password": secret})),
            shown::<Login>(json!({"email": "x", "password": secret})),
            shown::<Tokens>(json!({
                "access_token": secret, "token_type": "bearer", "expires_in": 1,
                "refresh_token": secret, "restaurant_id": id, "user_id": id, "restaurants": [],
            })),
            shown::<Refresh>(json!({"refresh_token": secret})),
            shown::<ChangePassword>(json!({"currentPassword": secret, "newPassword": secret})),
            shown::<Ticket>(json!({"ticket": secret, "expiresIn": 1})),
            shown::<InvitationSecret>(json!({"secret": secret})),
            shown::<AcceptInvitation>(json!({"secret": secret, "password": secret})),
            shown::<Invitation>(json!({
                "id": id, "restaurantId": id, "role": "staff", "status": "open",
                "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-01-01T00:00:00Z",
                "link": secret,
            })),
            shown::<ResetLink>(json!({"link": secret, "expiresAt": "2026-01-01T00:00:00Z"})),
            shown::<ResetPassword>(json!({"secret": secret, "newPassword": secret})),
            shown::<ClientMessage>(json!({"type": "auth", "token": secret})),
        ] {
            assert!(!shown.contains(secret) && shown.ends_with('}'), "{shown}");
        }
    }
}
