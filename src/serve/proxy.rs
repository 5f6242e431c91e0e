//! The proxies that are believed.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The address of a proxy, or of a network of them: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Proxy(IpNet);

impl Proxy {
    /// Whether this address is its own.
    pub(super) fn has(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<String> for Proxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| {
            format!("`{text}` is no address, expected one such as `10.0.0.7` or `10.0.0.0/8`")
        })
    }
}

impl From<Proxy> for String {
    fn from(own: Proxy) -> Self {
        let Proxy(network) = own;
        if network.prefix_len() == network.max_prefix_len() {
            return network.addr().to_string();
        }
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read_and_written_alike() {
        for (text, own, other) in [
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.0/8", "10.200.0.1", "11.0.0.1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
        ] {
            let proxy = Proxy::try_from(text.to_owned()).unwrap();
            assert!(proxy.has(own.parse().unwrap()) && !proxy.has(other.parse().unwrap()));
            assert_eq!(String::from(proxy), text);
        }
        let error = Proxy::try_from("proxy".to_owned()).unwrap_err();
        assert!(error.contains("10.0.0.0/8"), "{error}");
    }
}
