// SPDX-License-Identifier: Apache-2.0
#include "serve/http/schemas.hpp"

namespace hg::serve {

nlohmann::json schemas() {
    return nlohmann::json::parse(R"json({
"Error": {"type": "object", "required": ["code", "message", "hint"], "properties": {
  "code": {"type": "string"}, "message": {"type": "string"}, "hint": {"type": "string"}}},
"Event": {"type": "object", "additionalProperties": false,
  "required": ["event_id", "user_id", "item_id", "event"], "properties": {
  "event_id": {"type": "string", "minLength": 1, "maxLength": 256,
    "description": "the same id and body again is a duplicate (fine), another body a conflict"},
  "user_id": {"type": "string", "minLength": 1, "maxLength": 256},
  "item_id": {"type": "string", "minLength": 1, "maxLength": 256},
  "event": {"type": "string", "minLength": 1, "maxLength": 64, "example": "click"},
  "value": {"type": "number", "nullable": true, "description": "rating, price, seconds"},
  "timestamp": {"type": "integer", "format": "int64", "nullable": true,
    "description": "milliseconds since 1970; the time of arrival when absent"},
  "recommendation_id": {"type": "string", "nullable": true, "maxLength": 64},
  "position": {"type": "integer", "minimum": 0, "nullable": true},
  "context": {"type": "object", "nullable": true}}},
"EventBatch": {"type": "object", "additionalProperties": false, "required": ["events"], "properties": {
  "events": {"type": "array", "minItems": 1, "maxItems": 10000, "items": {"$ref": "#/components/schemas/Event"}}}},
"EventResults": {"type": "object", "required": ["results"], "properties": {
  "results": {"type": "array", "items": {"type": "object", "required": ["event_id", "status"], "properties": {
    "event_id": {"type": "string"},
    "status": {"type": "string", "enum": ["stored", "duplicate", "conflict", "invalid"]},
    "error": {"$ref": "#/components/schemas/Error"}}}}}},
"Fields": {"type": "object", "additionalProperties": true,
  "description": "texts, numbers, true or false, or lists of texts; \"title\" names an item",
  "example": {"title": "Toy Story", "genres": ["Animation", "Comedy"], "year": 1995}},
"Filter": {"type": "object", "description": "every condition must hold",
  "additionalProperties": {"oneOf": [
    {"type": "string"}, {"type": "number"}, {"type": "array", "items": {"type": "string"}},
    {"type": "object", "additionalProperties": false,
     "properties": {"min": {"type": "number"}, "max": {"type": "number"}}}]},
  "example": {"genres": ["Comedy", "Drama"], "year": {"min": 1990}}},
"RecommendRequest": {"type": "object", "additionalProperties": false, "properties": {
  "user_id": {"type": "string", "minLength": 1, "maxLength": 256},
  "history": {"type": "array", "maxItems": 10000, "description": "instead of user_id: item ids or events, oldest first",
    "items": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["item_id"], "additionalProperties": false,
      "properties": {"item_id": {"type": "string"}, "event": {"type": "string"}, "value": {"type": "number"},
                     "timestamp": {"type": "integer", "format": "int64"}}}]}},
  "fields": {"$ref": "#/components/schemas/Fields"},
  "k": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
  "context": {"type": "object"},
  "filter": {"$ref": "#/components/schemas/Filter"},
  "exclude": {"type": "array", "maxItems": 10000, "items": {"type": "string"}},
  "seen": {"type": "string", "enum": ["hide", "allow"], "default": "hide"},
  "explain": {"type": "boolean", "default": false}}},
"Recommendation": {"type": "object", "required": ["recommendation_id", "policy", "items"], "properties": {
  "recommendation_id": {"type": "string", "description": "send it back with the events this slate causes"},
  "policy": {"type": "string"}, "model": {"type": "string"},
  "items": {"type": "array", "items": {"type": "object",
    "required": ["item_id", "title", "score", "propensity", "reason"], "properties": {
    "item_id": {"type": "string"}, "title": {"type": "string"}, "score": {"type": "number"},
    "propensity": {"type": "number", "description": "P(this item here | the slots above, the candidates)"},
    "explore": {"type": "boolean", "description": "the ranker alone would not have shown it among these k"},
    "reason": {"type": "string"},
    "because": {"type": "string", "description": "item of the history; without it the score is lower"}}}}}},
"ItemList": {"type": "object", "required": ["items"], "properties": {
  "items": {"type": "array", "items": {"type": "object", "required": ["item_id"], "properties": {
    "item_id": {"type": "string"}, "title": {"type": "string"}, "score": {"type": "number"},
    "events": {"type": "integer"}}}}}},
"Item": {"type": "object", "required": ["item_id", "fields"], "properties": {
  "item_id": {"type": "string"}, "title": {"type": "string"}, "fields": {"$ref": "#/components/schemas/Fields"},
  "events": {"type": "integer"}, "in_model": {"type": "boolean"}}},
"User": {"type": "object", "required": ["user_id", "events"], "properties": {
  "user_id": {"type": "string"}, "fields": {"$ref": "#/components/schemas/Fields"},
  "events": {"type": "array", "items": {"type": "object"}},
  "history": {"type": "array", "items": {"type": "object"}}, "history_size": {"type": "integer"},
  "belief": {"type": "object", "nullable": true},
  "knobs": {"allOf": [{"$ref": "#/components/schemas/Knobs"}, {"type": "object", "properties": {
    "chosen_by": {"type": "string"}, "by_hand": {"type": "boolean"}}}]}}},
"Knobs": {"type": "object", "properties": {
  "exploration": {"type": "number", "minimum": -5, "maximum": 5, "description": "of the belief's uncertainty; 0 = greedy"},
  "novelty": {"type": "number", "minimum": -5, "maximum": 5, "description": "of being little known"},
  "content": {"type": "number", "minimum": -5, "maximum": 5, "description": "of content like what was liked"},
  "diversity": {"type": "number", "minimum": 0, "maximum": 5, "description": "of being unlike the items above"}}},
"Wishes": {"type": "object", "additionalProperties": false, "required": ["traits"], "properties": {
  "traits": {"type": "array", "maxItems": 50, "items": {"type": "object", "additionalProperties": false,
    "required": ["field", "name", "preference"], "properties": {
    "field": {"type": "string", "example": "genres"}, "name": {"type": "string", "example": "Comedy"},
    "preference": {"type": "number", "minimum": -3, "maximum": 3,
      "description": "more (> 0) or less (< 0), in standard deviations of the user's scores"}}}}}},
"Stored": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
"Status": {"type": "object"},
"ReloadRequest": {"type": "object", "additionalProperties": false, "required": ["run"],
  "properties": {"run": {"type": "string", "description": "folder of the run on the server's machine"}}}
})json");
}

}  // namespace hg::serve
