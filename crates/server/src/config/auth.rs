//! Keys, tokens, passwords, and who may register.

use std::collections::HashSet;
use std::time::Duration;

use domain::address;
use domain::passwords::KNOWN_TO_ALL;

use super::vars::Vars;
use super::{Environment, Secret};

/// Everything about credentials.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// Signs the access tokens.
    pub secret_key: Secret,
    /// Signed them before; still accepted.
    pub previous_secret_key: Option<Secret>,
    /// How long an access token is good for.
    pub access_token: Duration,
    /// How long a device stays logged in without being used.
    pub refresh_token: Duration,
    /// The cost of a password's hash.
    pub bcrypt_cost: u32,
    /// Whether strangers may make a restaurant.
    pub registration: Registration,
    /// The platform's first administrator, made at start if there is none of this address.
    pub admin: Option<AdminConfig>,
}

/// Whether strangers may make a restaurant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// They may.
    Open,
    /// Only the platform's administration may.
    Closed,
}

/// The platform's first administrator.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// The address.
    pub email: String,
    /// The password.
    pub password: Secret,
}

const KEY: &str = "$(openssl rand -base64 48)";
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "a-long-password-of-your-own";
const DAY: u64 = 24 * 60 * 60;

pub(super) fn read(vars: &Vars<'_>, environment: Environment) -> AuthConfig {
    let cheapest = match environment {
        Environment::Test => 4,
        Environment::Development | Environment::Production => 10,
    };
    AuthConfig {
        secret_key: Secret::new(key(vars, environment)),
        previous_secret_key: vars.parsed("SECRET_KEY_PREVIOUS", KEY, |key| {
            // It opens every door as well, as long as it is accepted.
            weakness(key, environment).map_or(Ok(Secret::new(key)), Err)
        }),
        access_token: Duration::from_secs(
            60 * vars.number("ACCESS_TOKEN_MINUTES", "15", 1..=1440, 15),
        ),
        refresh_token: Duration::from_secs(
            DAY * vars.number("REFRESH_TOKEN_DAYS", "30", 1..=365, 30),
        ),
        bcrypt_cost: vars.number("BCRYPT_COST", "10", cheapest..=12, 10),
        registration: vars.word(
            "REGISTRATION",
            &[
                ("open", Registration::Open),
                ("closed", Registration::Closed),
            ],
            Registration::Open,
        ),
        admin: admin(vars, environment),
    }
}

fn key(vars: &Vars<'_>, environment: Environment) -> String {
    let key = vars.required("SECRET_KEY", KEY);
    if !key.is_empty()
        && let Some(problem) = weakness(&key, environment)
    {
        vars.fault("SECRET_KEY", problem, KEY);
    }
    key
}

/// What is wrong with a key.
fn weakness(key: &str, environment: Environment) -> Option<String> {
    let least = if environment.is_production() { 32 } else { 8 };
    if key.len() < least {
        return Some(format!("is to have at least {least} bytes"));
    }
    if !environment.is_production() {
        return None;
    }
    let plain: String = key
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let known = [
        "secretkey",
        "changeme",
        "changethis",
        "changeinproduction",
        "jwtsecret",
        "password",
    ];
    if known.iter().any(|word| plain.contains(word)) {
        return Some("is a default that everybody knows".to_owned());
    }
    if key.bytes().collect::<HashSet<_>>().len() < 10 {
        return Some("repeats itself too much to be random".to_owned());
    }
    None
}

fn admin(vars: &Vars<'_>, environment: Environment) -> Option<AdminConfig> {
    let (email, password) = match (vars.text("ADMIN_EMAIL"), vars.text("ADMIN_PASSWORD")) {
        (None, None) => return None,
        (Some(email), Some(password)) => (email, password),
        (Some(_), None) => {
            vars.fault("ADMIN_PASSWORD", "is required beside ADMIN_EMAIL", PASSWORD);
            return None;
        }
        (None, Some(_)) => {
            vars.fault("ADMIN_EMAIL", "is required beside ADMIN_PASSWORD", EMAIL);
            return None;
        }
    };
    if let Err(fault) = address::read(&email) {
        vars.fault("ADMIN_EMAIL", fault, EMAIL);
    }
    let least = if environment.is_production() { 12 } else { 8 };
    if !(least..=72).contains(&password.len()) {
        // bcrypt reads no more than 72 bytes.
        let problem = format!("is to have from {least} to 72 bytes");
        vars.fault("ADMIN_PASSWORD", problem, PASSWORD);
    }
    if environment.is_production() {
        if address::key(&email).as_deref() == Some("test@restaurant.com") {
            vars.fault("ADMIN_EMAIL", "is a default that everybody knows", EMAIL);
        }
        let is_known = KNOWN_TO_ALL.contains(&password.as_str());
        if is_known || password.to_lowercase().starts_with("password123") {
            vars.fault(
                "ADMIN_PASSWORD",
                "is a default that everybody knows",
                PASSWORD,
            );
        }
    }
    Some(AdminConfig {
        email,
        password: Secret::new(password),
    })
}
