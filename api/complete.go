package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

// complete says of every operation what follows from its form: how it is
// repeated and paged, every status with the codes that come with it, and an
// example of what is sent.
func (s *server) complete() {
	document := s.huma.OpenAPI()
	problem := document.Components.Schemas.Schema(typeOf[Problem](), true, "Problem")
	proposal := document.Components.Schemas.Schema(typeOf[wire.Proposal](), true, "Proposal")
	for _, item := range document.Paths {
		for method, op := range methodsOf(item) {
			if op == nil {
				continue
			}
			op.Description = strings.Join(slices.DeleteFunc(append([]string{op.Description}, formOf(op)...), func(text string) bool { return text == "" }), " ")
			declareCodes(op, method, problem)
			if slices.Contains(twoPersonOperations, op.OperationID) {
				op.Responses["202"] = &huma.Response{Description: "A proposal, which another operator approves.", Content: map[string]*huma.MediaType{"application/json": {Schema: proposal}}}
			}
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Content {
					if media.Example == nil {
						media.Example = s.exampleOf(media.Schema, "")
					}
				}
			}
		}
	}
	all := map[string]any{}
	for _, code := range problemCodes() {
		all[code.Code] = map[string]any{"status": code.Status, "detail": code.Detail}
	}
	document.Components.Schemas.Map()["Problem"].Extensions = map[string]any{"x-codes": all}
}

// formOf says in words what the parameters of an operation mean.
func formOf(op *huma.Operation) (sentences []string) {
	roles, _ := op.Extensions["x-roles"].([]string)
	if slices.Contains(roles, "public") {
		sentences = append(sentences, "Needs no key.")
	} else {
		sentences = append(sentences, "For credentials of: "+strings.Join(roles, ", ")+".")
	}
	has := func(name string) bool {
		return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == name })
	}
	if has("Idempotency-Key") {
		sentences = append(sentences, "Sent again under the same Idempotency-Key it is done once, and the first answer comes again.")
	}
	if has("cursor") {
		sentences = append(sentences, "A page at a time: next_cursor of the answer is the cursor of the next page, and is absent on the last.")
	}
	return sentences
}

// examples are what members of messages may be, by their names.
var examples = map[string]any{
	"world": "cafe", "person": "7ba0d9e6550c5f760d7e8c9aa1c52c17", "asset": "GOLD", "account": "12", "from": "12", "to": "17", "beneficiary": "17",
	"amount": "2.5", "price": "1.5", "max_price": "1.5", "max_total": "3", "quantity": 2, "reference": "order-1", "user_id": "alice", "anonymous_id": "device-1",
	"product": "sword", "label": "laptop", "code": "ab_claim_…", "policy": "name: cafe\nalpha_per_hour: 30\n", "rules": "name: first\nrules: []\n", "url": "https://world.example/hook",
	"currency": "EUR", "iban": "DE89370400440532013000", "paid": "0.07", "per": "0.3", "min_paid": "0.2",
	"report": `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">…</Document>`,
	"lambda": "0.016667", "budget": "1000000", "daily": "5", "floor": "0", "credit_limit": "0", "key_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "tokens": []any{"eyJ….eyJ….…", "eyJ….eyJ….…"}, "keys": []any{},
}

// exampleOf makes a value that a schema allows, of the members that must be
// there and those of which there is an example.
func (s *server) exampleOf(schema *huma.Schema, name string) any {
	if schema.Ref != "" {
		return s.exampleOf(s.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref), name)
	}
	if len(schema.Enum) > 0 {
		return schema.Enum[0]
	}
	if deref(schema.MinLength) == 32 && deref(schema.MaxLength) == 32 {
		return examples["person"] // a person under another name, such as to
	}
	if value, known := examples[name]; known && (schema.Type == "string") == (fmt.Sprintf("%T", value) == "string") && schema.Format == "" {
		return value
	}
	switch schema.Type {
	case "object":
		object := map[string]any{}
		for _, member := range slices.Sorted(maps.Keys(schema.Properties)) {
			if slices.Contains(schema.Required, member) {
				object[member] = s.exampleOf(schema.Properties[member], member)
			}
		}
		return object
	case "array":
		return []any{s.exampleOf(schema.Items, name)}
	case "integer", "number":
		return max(1, int64(deref(schema.Minimum)))
	case "boolean":
		return true
	}
	switch schema.Format {
	case "date":
		return "2026-02-01"
	case "date-time":
		return "2026-02-01T12:00:00Z"
	}
	return "1"
}

func deref[N int | float64](number *N) N {
	if number == nil {
		return 0
	}
	return *number
}
