package api

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// apiDocument is what tests read of the OpenAPI document.
type apiDocument struct {
	Paths      map[string]map[string]apiOperation
	Components struct{ Schemas map[string]*apiSchema }
}

type apiOperation struct {
	OperationID          string `json:"operationId"`
	Summary, Description string
	Tags                 []string
	Roles                []string `json:"x-roles"`
	Parameters           []apiParameter
	RequestBody          *struct {
		Content map[string]struct {
			Schema  *apiSchema
			Example any
		}
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct {
			Schema   *apiSchema
			Example  any
			Examples map[string]any
		}
	}
	method, path string
}

type apiParameter struct {
	Name, In, Description string
	Required              bool
	Schema                *apiSchema
}

type apiSchema struct {
	Ref              string `json:"$ref"`
	Type             any
	Format           string
	Description      string
	Enum             []any
	Required         []string
	Properties       map[string]*apiSchema
	Items            *apiSchema
	Minimum, Maximum *float64
	MinItems         int `json:"minItems"`
	Examples         []any
	MinLength        int `json:"minLength"`
}

func (op apiOperation) isStream() bool {
	_, is := op.Responses["200"].Content["text/event-stream"]
	return is
}

// operations returns the operations of the document, in the order of their
// paths.
func (s *stack) operations() (list []apiOperation) {
	s.Helper()
	s.document = apiDocument{}
	if err := json.Unmarshal(s.do("GET", "/openapi.json", "", "").Body.Bytes(), &s.document); err != nil {
		s.Fatal(err)
	}
	for path, methods := range s.document.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			list = append(list, op)
		}
	}
	slices.SortFunc(list, func(a, b apiOperation) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return list
}

// example returns a value that a schema allows, with what must be there. name is
// the member whose value it is; members that are named in own have that value.
func (d *apiDocument) example(schema *apiSchema, name string, own belonging) any {
	if schema == nil {
		return map[string]any{}
	}
	if schema.Ref != "" {
		return d.example(d.Components.Schemas[strings.TrimPrefix(schema.Ref, "#/components/schemas/")], name, own)
	}
	if value := own[map[string]string{"from": "account"}[name]]; value != "" {
		return value
	}
	if value := own[name]; value != "" {
		return value
	}
	if schema.MinLength == 32 && own["person"] != "" {
		return own["person"] // a person under another name, such as to
	}
	if len(schema.Examples) > 0 {
		return schema.Examples[0]
	}
	if len(schema.Enum) > 0 {
		return schema.Enum[0]
	}
	kind, _ := schema.Type.(string)
	if list, is := schema.Type.([]any); is {
		kind, _ = list[0].(string)
	}
	switch kind {
	case "object":
		object := map[string]any{}
		for _, member := range schema.Required {
			object[member] = d.example(schema.Properties[member], member, own)
		}
		return object
	case "array":
		list := []any{}
		for range max(schema.MinItems, 1) {
			list = append(list, d.example(schema.Items, name, own))
		}
		return list
	case "integer", "number":
		if schema.Minimum != nil {
			return *schema.Minimum
		}
		return 1
	case "boolean":
		return true
	}
	switch schema.Format {
	case "date":
		return "2026-02-01"
	case "date-time":
		return "2026-02-01T00:00:00Z"
	}
	return "1"
}
