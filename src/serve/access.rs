//! Who may ask.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Fault;

/// Keys that open the service.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Hashes of the keys of clients; none: everybody may ask.
    clients: Vec<[u8; 32]>,
    /// Hash of the token of whoever changes the model; none: nobody may.
    admin: Option<[u8; 32]>,
}

impl Access {
    /// Access with the keys of clients and the token of the administrator.
    #[must_use]
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>, admin: Option<&str>) -> Self {
        let hash_of = |key: &str| hash(key.as_bytes());
        Self { clients: keys.into_iter().map(hash_of).collect(), admin: admin.map(hash_of) }
    }

    /// Whether clients need a key.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Lets a client in.
    pub(super) fn check_client(&self, headers: &HeaderMap) -> Result<(), Fault> {
        if self.clients.is_empty() || offered(headers).any(|key| one_of(key, &self.clients)) {
            return Ok(());
        }
        let fault = Fault::new(StatusCode::UNAUTHORIZED, "no_access", "a valid key is needed");
        Err(fault.hint("send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"))
    }

    /// Lets the administrator in.
    pub(super) fn check_admin(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let Some(admin) = self.admin else {
            let message = "this service was started without a token for its administration";
            let fault = Fault::new(StatusCode::FORBIDDEN, "no_administration", message);
            return Err(fault.hint("set MASSAY_ADMIN_TOKEN where it is started"));
        };
        if offered(headers).any(|key| one_of(key, &[admin])) {
            return Ok(());
        }
        let message = "the token of the administration is needed";
        let fault = Fault::new(StatusCode::UNAUTHORIZED, "no_access", message);
        Err(fault.hint("send it as `Authorization: Bearer TOKEN`"))
    }
}

/// The keys that a request offers: a proxy may add one of its own.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    // Bytes: a key may have letters that are not ASCII.
    let key = headers.get("x-api-key").map(HeaderValue::as_bytes);
    let bearer = headers.get(header::AUTHORIZATION).and_then(|own| {
        let (scheme, key) = own.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(key.trim_ascii())
    });
    key.into_iter().chain(bearer)
}

/// Whether a key is one of those with these hashes, in a time that says neither which nor how nearly.
fn one_of(key: &[u8], hashes: &[[u8; 32]]) -> bool {
    let own = hash(key);
    let found = hashes.iter().fold(Choice::from(0), |found, other| found | own.ct_eq(other));
    found.into()
}

fn hash(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        [(header::HeaderName::from_static(name), value)].into_iter().collect()
    }

    #[test]
    fn every_key_opens_and_nothing_else_does() {
        let access = Access::new(["one", "two", "schlüssel"], None);
        for (name, value, opens) in [
            ("x-api-key", "one", true),
            ("x-api-key", "two", true),
            ("authorization", "Bearer two", true),
            ("authorization", "bearer two", true),
            ("x-api-key", "schlüssel", true),
            ("authorization", "Bearer schlüssel", true),
            ("authorization", "Bearer", false),
            ("authorization", "Basic two", false),
            ("x-api-key", "tw", false),
            ("x-api-key", "", false),
            ("accept", "one", false),
        ] {
            assert_eq!(access.check_client(&headers(name, value)).is_ok(), opens, "{name} {value}");
        }
        assert!(Access::default().check_client(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn without_a_token_nobody_administers() {
        let own = headers("authorization", "Bearer t");
        assert_eq!(Access::default().check_admin(&own).unwrap_err().status, 403);
        let access = Access::new(["k"], Some("t"));
        assert!(access.check_admin(&own).is_ok());
        assert_eq!(access.check_admin(&headers("x-api-key", "k")).unwrap_err().status, 401);
        let mut both = headers("x-api-key", "k");
        both.extend(own);
        assert!(access.check_admin(&both).is_ok() && access.check_client(&both).is_ok());
    }
}
