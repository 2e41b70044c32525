//! What a JSON body may look like (RFC 8259), as data: every field that a service documents, and nothing else.
//! It knows no service. The way in: [`Shape::faults`], which names every place where a value differs.
//! An unknown field, a missing one and a wrong type are faults alike.

use serde_json::Value;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Anything, where a service takes values of its customers.
    Any,
    /// Octets in base64.
    Base64,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A list of so many at most.
    List(&'static Self, usize),
    /// An object with free names.
    Map(&'static Self),
    /// An object with these fields.
    Object(&'static [Field]),
    /// One of several.
    Either(&'static [Self]),
    /// A text.
    Text,
    /// One of a few words.
    Word(&'static [&'static str]),
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    name: &'static str,
    shape: Shape,
    needed: bool,
}

/// A field that may be left out.
pub(crate) const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, needed: false }
}

/// A field that must be there.
pub(crate) const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, needed: true }
}

/// Where a value differs, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShapeFault {
    /// Such as `personalizations[0].to`.
    pub(crate) field: String,
    /// What is wrong there.
    pub(crate) what: String,
}

impl Shape {
    /// Every difference; empty when the value fits.
    pub(crate) fn faults(self, value: &Value) -> Vec<ShapeFault> {
        let mut faults = Vec::new();
        self.judge(value, "", &mut faults);
        faults
    }

    fn judge(self, value: &Value, field: &str, faults: &mut Vec<ShapeFault>) {
        let wrong = |what: &str| ShapeFault { field: field.to_owned(), what: what.to_owned() };
        match (self, value) {
            (Self::Any, _) | (Self::Bool, Value::Bool(_)) | (Self::Text, Value::String(_)) => {}
            (Self::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {}
            (Self::Base64, Value::String(text)) => {
                use base64::Engine as _;
                if base64::engine::general_purpose::STANDARD.decode(text).is_err() {
                    faults.push(wrong("not base64"));
                }
            }
            (Self::Word(words), Value::String(text)) => {
                if !words.contains(&text.as_str()) {
                    faults.push(wrong(&format!("{text:?} is none of {words:?}")));
                }
            }
            (Self::List(shape, most), Value::Array(items)) => {
                if items.len() > most {
                    faults.push(wrong(&format!("{} entries, at most {most}", items.len())));
                }
                for (place, item) in items.iter().enumerate() {
                    shape.judge(item, &format!("{field}[{place}]"), faults);
                }
            }
            (Self::Map(shape), Value::Object(members)) => {
                for (name, member) in members {
                    shape.judge(member, &below(field, name), faults);
                }
            }
            (Self::Object(fields), Value::Object(members)) => {
                for (name, member) in members {
                    match fields.iter().find(|known| known.name == name) {
                        Some(known) => known.shape.judge(member, &below(field, name), faults),
                        None => faults.push(ShapeFault {
                            field: below(field, name),
                            what: "unknown field".into(),
                        }),
                    }
                }
                let missing =
                    fields.iter().filter(|known| known.needed && !members.contains_key(known.name));
                faults.extend(missing.map(|known| ShapeFault {
                    field: below(field, known.name),
                    what: "missing".into(),
                }));
            }
            (Self::Either(shapes), _) => {
                if !shapes.iter().any(|shape| shape.faults(value).is_empty()) {
                    faults.push(wrong("fits none of the forms allowed here"));
                }
            }
            (
                Self::Base64
                | Self::Bool
                | Self::Integer
                | Self::List(..)
                | Self::Map(_)
                | Self::Object(_)
                | Self::Text
                | Self::Word(_),
                _,
            ) => faults.push(wrong("of another type")),
        }
    }
}

fn below(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_named() {
        const ADDRESS: Shape =
            Shape::Object(&[must("email", Shape::Text), may("name", Shape::Text)]);
        const BODY: Shape = Shape::Object(&[
            must("to", Shape::List(&ADDRESS, 2)),
            may("on", Shape::Bool),
            may("data", Shape::Base64),
            may("mode", Shape::Word(&["a", "b"])),
            may("headers", Shape::Map(&Shape::Text)),
            may("from", Shape::Either(&[Shape::Text, ADDRESS])),
            may("at", Shape::Integer),
        ]);
        let fine = serde_json::json!({
            "to": [{"email": "a"}], "on": true, "data": "YQ==", "mode": "a", "headers": {"x": "y"},
            "from": {"email": "b"}, "at": 1,
        });
        assert_eq!(BODY.faults(&fine), []);
        let cases = [
            (serde_json::json!({}), "to", "missing"),
            (serde_json::json!({"to": [{"email": 1}]}), "to[0].email", "of another type"),
            (serde_json::json!({"to": [{"email": "a", "mail": 1}]}), "to[0].mail", "unknown field"),
            (serde_json::json!({"to": [], "extra": 1}), "extra", "unknown field"),
            (serde_json::json!({"to": [], "data": "?"}), "data", "not base64"),
            (serde_json::json!({"to": [], "mode": "c"}), "mode", r#""c" is none of ["a", "b"]"#),
            (serde_json::json!({"to": [], "headers": {"x": 1}}), "headers.x", "of another type"),
            (
                serde_json::json!({"to": [], "from": 1}),
                "from",
                "fits none of the forms allowed here",
            ),
            (serde_json::json!({"to": [], "at": 1.5}), "at", "of another type"),
            (serde_json::json!({"to": [], "on": null}), "on", "of another type"),
            (
                serde_json::json!({"to": [{"email": "a"}, {"email": "a"}, {"email": "a"}]}),
                "to",
                "3 entries, at most 2",
            ),
            (serde_json::json!([]), "", "of another type"),
        ];
        for (value, field, what) in cases {
            let fault = ShapeFault { field: field.into(), what: what.into() };
            assert_eq!(BODY.faults(&value), [fault], "{value}");
        }
    }
}
