//! Assembles the tool calls of a Chat Completions stream. Servers number the pieces in many ways, and a call is
//! complete only at the end of the answer.

use serde_json::Value;

use crate::decoder::{arguments, text};
use crate::{LlmError, ToolCall};

/// The most calls in one answer.
const CALLS_MAX: usize = 256;

/// A call that is being assembled.
#[derive(Debug, Default)]
struct Slot {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    end: ObjectEnd,
}

/// Tracks the braces of a JSON object, byte by byte. Parsing the object again after every piece would take quadratic
/// time.
#[derive(Debug, Default)]
struct ObjectEnd {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    is_closed: bool,
}

impl ObjectEnd {
    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if std::mem::take(&mut self.is_escaped) {
                continue;
            }
            match byte {
                b'\\' => self.is_escaped = self.in_text,
                b'"' => self.in_text = !self.in_text,
                b'{' | b'[' if !self.in_text => self.depth += 1,
                b'}' | b']' if !self.in_text => {
                    self.depth = self.depth.saturating_sub(1);
                    self.is_closed |= self.depth == 0;
                }
                _ => {}
            }
        }
    }
}

/// The calls of one answer.
#[derive(Debug, Default)]
pub(crate) struct ToolCalls {
    slots: Vec<Slot>,
}

impl ToolCalls {
    /// Adds a piece of a call.
    pub(crate) fn push(&mut self, delta: &Value) -> Result<(), LlmError> {
        let index = delta.get("index").and_then(Value::as_u64);
        let id = text(delta, "id");
        let function = &delta["function"];
        let name = text(function, "name");
        let at = match self.find(index, id, name) {
            Some(at) => at,
            None if self.slots.len() >= CALLS_MAX => {
                return Err(LlmError::AnswerInvalid("it has too many tool calls"));
            }
            None => {
                self.slots.push(Slot {
                    index,
                    ..Slot::default()
                });
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[at];
        if slot.id.is_empty() {
            id.clone_into(&mut slot.id);
        }
        if slot.name.is_empty() {
            name.clone_into(&mut slot.name);
        }
        match &function["arguments"] {
            Value::String(more) => {
                slot.end.push(more);
                slot.arguments.push_str(more);
            }
            // Some servers send the arguments as an object instead of a text.
            whole @ Value::Object(_) => {
                slot.arguments = whole.to_string();
                slot.end.is_closed = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// The call that a piece belongs to; `None` where it begins a new one.
    fn find(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        if !id.is_empty()
            && let Some(at) = self.slots.iter().rposition(|slot| slot.id == id)
        {
            return Some(at);
        }
        let last = match index {
            Some(_) => self.slots.iter().rposition(|slot| slot.index == index)?,
            None => self.slots.len().checked_sub(1)?,
        };
        let slot = &self.slots[last];
        // Another id at the same index is another call: the server has reused the index.
        let is_other_id = !id.is_empty() && !slot.id.is_empty();
        // A second name after arguments that may be complete is also another call. Without a second name more arguments
        // may follow.
        let has_other_name = name != slot.name && slot.arguments.is_empty();
        let has_names = !name.is_empty() && !slot.name.is_empty();
        let is_other_name = has_names && (slot.end.is_closed || has_other_name);
        (!is_other_id && !is_other_name).then_some(last)
    }

    /// Returns all calls, in the order in which they began. `is_cut` says that a limit ended the answer: a broken call
    /// is then left out.
    pub(crate) fn finish(&mut self, is_cut: bool, seed: &str) -> Result<Vec<ToolCall>, LlmError> {
        let mut calls = Vec::new();
        for (at, slot) in std::mem::take(&mut self.slots).into_iter().enumerate() {
            let given = arguments(&slot.arguments).or_else(|| {
                // Some servers send an empty object first, and the arguments after it.
                arguments(slot.arguments.trim_start().strip_prefix("{}")?)
            });
            match given {
                Some(arguments) if !slot.name.is_empty() => calls.push(ToolCall {
                    id: match slot.id.as_str() {
                        "" => format!("call-{seed}-{}", at + 1),
                        _ => slot.id,
                    },
                    name: slot.name,
                    arguments,
                    signature: None,
                }),
                _ if is_cut => {}
                _ => return Err(LlmError::ToolCallInvalid),
            }
        }
        Ok(calls)
    }
}
