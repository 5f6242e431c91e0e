//! The service described for programs: `OpenAPI`, from the types that it speaks.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::{
    Service, examples,
    protocols::{
        administration, explain, feedback, invocations, monitoring, open_inference, predict, state,
    },
};

/// The description of every path.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "massay",
        description = "Predictions with intervals, and what a service needs around them."
    ),
    paths(
        predict::predict,
        explain::explain,
        feedback::feedback,
        state::model,
        invocations::invocations,
        state::ping,
        state::health,
        state::version,
        open_inference::server,
        open_inference::live,
        open_inference::ready,
        open_inference::model,
        open_inference::version,
        open_inference::model_ready,
        open_inference::version_ready,
        open_inference::infer,
        open_inference::infer_version,
        state::live,
        state::ready,
        state::metrics,
        monitoring::page,
        monitoring::report,
        administration::reload,
        administration::rollback,
    ),
    modifiers(&Keys)
)]
pub struct Description;

impl Description {
    /// The description, which needs no key; with examples that the model answers where nothing does.
    pub(super) fn of(service: &Service) -> Document {
        let mut document = Self::openapi();
        if !service.access.needs_key() {
            examples::add(&mut document, &service.slot.current());
        }
        document
    }
}

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let bearer = || SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", key);
        components.add_security_scheme("admin", bearer());
    }
}
