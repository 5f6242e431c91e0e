//! Alarms on their way to people.

use std::{thread::sleep, time::Duration};

use serde_json::json;
use ureq::{
    Agent,
    tls::{RootCerts, TlsConfig},
};

use super::{Alarm, WatchedModel};

/// Pauses between attempts.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_mins(1),
];
const TIMEOUT: Duration = Duration::from_secs(10);

/// An address that is told of alarms.
#[derive(Clone, Debug)]
pub struct Webhook {
    agent: Agent,
    url: String,
}

impl Webhook {
    /// The address `url`; `None` where it is empty.
    #[must_use]
    pub fn new(url: &str) -> Option<Self> {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            // A post that is led elsewhere arrives there as a question.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("massay/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls);
        (!url.is_empty()).then(|| Self { agent: config.build().into(), url: url.to_owned() })
    }

    /// Tells of an alarm, several times where that is needed: `POST` of an object with the alarm in words as
    /// `text`, which chat services show, and its parts. Waits between attempts.
    ///
    /// # Errors
    /// What was wrong with the last attempt, without the address, which may be a secret.
    pub fn tell(&self, alarm: &Alarm, model: &WatchedModel) -> Result<(), String> {
        let body = json!({
            "text": format!("massay, {}: {}", model.version, alarm.message),
            "model": model.version,
            "kind": alarm.kind,
            "window": alarm.window,
            "column": alarm.column,
            "message": alarm.message,
            "time": alarm.time,
        });
        let mut pauses = PAUSES.into_iter();
        loop {
            let wrong = match self.agent.post(&self.url).send_json(&body) {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => format!("it answers with status {}", answer.status().as_u16()),
                Err(ureq::Error::StatusCode(status)) => {
                    format!("it answers with status {status}")
                }
                Err(error) => error.to_string(),
            };
            match pauses.next() {
                Some(pause) => sleep(pause),
                None => return Err(wrong),
            }
        }
    }
}
