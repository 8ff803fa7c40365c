//! The JSON Schema of scenario files, made from the types that read them.
//!
//! It is draft 7, which editors for TOML know. What it cannot say (that a host is there, that an address is free) the
//! reader says.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Scenario;

pub(super) const CIDR: &str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$";
pub(super) const ENDPOINT: &str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}:[0-9]{1,5}$";
pub(super) const PORTS: &str = r"^\s*[0-9]{1,5}\s*-\s*[0-9]{1,5}\s*$";
pub(super) const FORWARD: &str =
    r"^([tT][cC][pP]|[uU][dD][pP])/[0-9]{1,5}(-[0-9]{1,5})?=[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5})?$";
pub(super) const WIRE: &str =
    r"^(internet\.[A-Za-z0-9_-]+|[A-Za-z0-9_-]+\.wan|[A-Za-z0-9_-]+\.lan\.[A-Za-z0-9_-]+)$";
pub(super) const CONNECTION: &str =
    r"^(none|[0-9]{1,3}(\.[0-9]{1,3}){3}:([0-9]{1,5}|\*) > [0-9]{1,3}(\.[0-9]{1,3}){3}:([0-9]{1,5}|\*))$";
pub(super) const GATEWAY: &str = r"^(rewritten|silent|left alone: .+)(, (rewritten|left alone: .+))*$";

/// Names of hosts and networks; variables may stand in them.
const NAME: &str = r"^([A-Za-z0-9_-]|\$\{[A-Za-z0-9_-]+\})+$";
/// What a variable of the matrix looks like, in a text or as the whole of it.
const VARIABLE: &str = r"\$\{[A-Za-z0-9_-]+\}";
const VARIABLE_NAME: &str = "Variable";

/// What a step can do; it does one of them.
pub(in crate::scenario) const ACTIONS: [&str; 11] =
    ["ftp", "udp", "tcp", "ping", "packet", "run", "wait", "restart", "wan-address", "link", "parallel"];

/// The JSON Schema of a scenario file.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Scenario>().to_value();
    tidy(&mut schema);
    if let Some(definitions) = schema.get_mut("definitions").and_then(Value::as_object_mut) {
        definitions.values_mut().for_each(allow_variable);
        definitions.insert(
            VARIABLE_NAME.to_owned(),
            json!({
                "description": "a variable of the matrix, as in \"${port}\"",
                "type": "string",
                "pattern": VARIABLE,
            }),
        );
    }
    schema
}

/// A step has exactly one action.
pub(super) fn one_action(schema: &mut Schema) {
    let actions: Vec<Value> = ACTIONS.iter().map(|action| json!({ "required": [action] })).collect();
    schema.insert("oneOf".to_owned(), Value::Array(actions));
}

/// A table whose keys are names of hosts or networks.
pub(super) fn named(schema: &mut Schema) {
    schema.insert("propertyNames".to_owned(), json!({ "pattern": NAME }));
}

/// Walks over all schemas: takes out what TOML does not have, and lets variables stand where values do.
fn tidy(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    without_null(object);
    let is_number = |format: &Value| format.as_str().is_some_and(|format| format.contains("int"));
    if object.get("format").is_some_and(is_number) {
        object.remove("format");
    }
    for key in ["properties", "definitions"] {
        if let Some(Value::Object(inner)) = object.get_mut(key) {
            for schema in inner.values_mut() {
                tidy(schema);
                if key == "properties" {
                    allow_variable(schema);
                }
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(schema) = object.get_mut(key) {
            tidy(schema);
            allow_variable(schema);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(inner)) = object.get_mut(key) {
            inner.iter_mut().for_each(tidy);
        }
    }
}

/// TOML has no null: what may be left out is left out.
fn without_null(object: &mut Map<String, Value>) {
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(alternatives)) = object.get_mut("anyOf") else { return };
    let before = alternatives.len();
    alternatives.retain(|schema| schema.get("type").is_none_or(|kind| kind != "null"));
    if before > alternatives.len() && alternatives.len() == 1 {
        let only = std::mem::take(alternatives);
        object.remove("anyOf");
        // Draft 7 does not look at what stands beside a reference.
        object.insert("allOf".to_owned(), Value::Array(only));
    }
}

/// Where a number, a word or a list stands, a variable may stand. Tables have none, and any text may hold one.
fn allow_variable(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    let has = |key: &str| object.contains_key(key);
    let is_value = match object.get("type").and_then(Value::as_str) {
        Some("integer" | "number" | "boolean" | "array") => true,
        Some("string") => has("pattern") || has("format") || has("enum"),
        Some(_) => false,
        // One of several values; where there are references, a variable is among them already.
        None => {
            let alternatives = object.get("anyOf").or(object.get("oneOf")).and_then(Value::as_array);
            alternatives.is_some_and(|all| all.iter().all(|schema| schema.get("$ref").is_none()))
        }
    };
    if !is_value {
        return;
    }
    let mut inner = std::mem::take(object);
    for key in ["title", "description", "default"] {
        if let Some(value) = inner.remove(key) {
            object.insert(key.to_owned(), value);
        }
    }
    let mut alternatives = match inner.remove("anyOf") {
        Some(Value::Array(alternatives)) => alternatives,
        _ => vec![Value::Object(inner)],
    };
    alternatives.push(json!({ "$ref": format!("#/definitions/{VARIABLE_NAME}") }));
    object.insert("anyOf".to_owned(), Value::Array(alternatives));
}
