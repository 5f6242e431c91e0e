//! What identifies a request in answers and logs.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use axum::http::HeaderMap;

/// Header that carries the id.
pub(super) const HEADER: &str = "x-request-id";

/// Longest id that is taken from a request.
const LONGEST: usize = 64;

/// The id of the request at hand.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Gives ids that no other request has, of this process or another, and that nobody can guess: who knows an
/// id can ask what was predicted.
#[derive(Debug)]
pub(super) struct RequestIds {
    /// Keys that the system's source of chance gave to this process.
    keys: [RandomState; 2],
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        Self { keys: [RandomState::new(), RandomState::new()], next: AtomicU64::new(0) }
    }

    /// The id that a request brings, where it is a decent one, or a new one.
    pub(super) fn of(&self, headers: &HeaderMap) -> String {
        let brought = headers.get(HEADER).and_then(|value| value.to_str().ok());
        brought.filter(|id| is_decent(id)).map_or_else(|| self.next(), str::to_owned)
    }

    /// A new id: the milliseconds since 1970, then 80 bits of chance. Ids of one time stand side by side in the log's
    /// index; without that each row would write a page of its own.
    pub(super) fn next(&self) -> String {
        let number = (std::process::id(), self.next.fetch_add(1, Ordering::Relaxed));
        let [a, b] = self.keys.each_ref().map(|key| key.hash_one(number));
        let time = jiff::Timestamp::now().as_millisecond();
        format!("{time:012x}{:04x}{b:016x}", a as u16)
    }
}

fn is_decent(id: &str) -> bool {
    let decent = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    !id.is_empty() && id.len() <= LONGEST && id.chars().all(decent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decent_id_is_kept_and_another_replaced() {
        let ids = RequestIds::new();
        let of = |id: &str| {
            ids.of(&[(HEADER.parse().unwrap(), id.parse().unwrap())].into_iter().collect())
        };
        assert_eq!(of("job-7:3"), "job-7:3");
        let (a, b) = (of("with space"), of(&"x".repeat(65)));
        assert!(a != b && a.len() == 32 && b.len() == 32, "{a} {b}");
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(ids.next() > b, "ids grow with time");
    }
}
