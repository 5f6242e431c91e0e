//! How often each client may ask.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Fault;

/// Requests after which clients that have not come for long are forgotten.
const TIDY: u32 = 10_000;

/// A limit for each client, by its address; or none.
pub(super) struct ClientRate {
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    asked: AtomicU32,
}

impl ClientRate {
    /// At most `rate` requests per second and client (0: no limit), `burst` of them at once.
    pub(super) fn new(rate: u32, burst: u32) -> Self {
        let quota = |rate| {
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(rate).allow_burst(burst)
        };
        let limiter = NonZeroU32::new(rate).map(|rate| RateLimiter::keyed(quota(rate)));
        Self { limiter, asked: AtomicU32::new(0) }
    }

    /// Lets a client ask, or says that it asks too often.
    pub(super) fn check(&self, client: IpAddr) -> Result<(), Fault> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY == TIDY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&network(client)).map_err(|_| {
            let message = format!("{client} asks more often than it may");
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
                .hint("come again in a second, or send several rows in one request")
        })
    }
}

/// What one client can change of its address: nothing of IPv4, the lower half of IPv6.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(own) => Ipv6Addr::from_bits(own.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_burst_of_its_own() {
        let rate = ClientRate::new(1, 3);
        let [a, b]: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|own| own.parse().unwrap());
        assert_eq!((0..5).filter(|_| rate.check(a).is_ok()).count(), 3);
        assert_eq!(rate.check(a).unwrap_err().status, 429);
        assert!(rate.check(b).is_ok());
        let own: [IpAddr; 4] = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff", "2001:db8::9"]
            .map(|own| own.parse().unwrap());
        assert_eq!(own.iter().filter(|own| rate.check(**own).is_ok()).count(), 3);
        assert!(rate.check("2001:db8:0:1::1".parse().unwrap()).is_ok());
        let free = ClientRate::new(0, 0);
        assert!((0..100).all(|_| free.check(a).is_ok()));
    }
}
