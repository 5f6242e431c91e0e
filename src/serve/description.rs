//! The service described for programs: `OpenAPI`, from the types that it speaks.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document, RefOr,
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
    modifiers(&Keys, &Words)
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

/// Names every operation by its path, and says of each kind of answer what it is, where nothing was said.
struct Words;

impl Modify for Words {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
            let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
            let operations = [&mut item.get, &mut item.post].into_iter().flatten();
            operations.for_each(|own| own.operation_id = Some(name.clone()));
        }
        let items = document.paths.paths.values_mut();
        let operations = items.flat_map(|item| [&mut item.get, &mut item.post]).flatten();
        for (status, answer) in operations.flat_map(|own| &mut own.responses.responses) {
            let RefOr::T(answer) = answer else { continue };
            if answer.description.is_empty() {
                let words = match status.as_str() {
                    "200" => "What was asked for",
                    "503" => "Not now: too much to do, or no model or log to do it with",
                    _ => "What is wrong with the request",
                };
                words.clone_into(&mut answer.description);
            }
        }
    }
}

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let bearer = || SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", key);
        components.add_security_scheme("admin", bearer());
    }
}
