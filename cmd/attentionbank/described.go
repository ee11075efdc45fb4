package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// described is an operation of the API as the bank's description has it.
type described struct {
	ID, Method, Path string
	Summary          string      `json:"summary"`
	Roles            []string    `json:"x-roles"`
	Parameters       []parameter `json:"parameters"`
	RequestBody      struct {
		Required bool                  `json:"required"`
		Content  map[string]mediaField `json:"content"`
	} `json:"requestBody"`
	// fields are the members of the body, if it is an object.
	fields map[string]schema
	// needed are the members that it must have.
	needed []string
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
	Schema      schema `json:"schema"`
}

type mediaField struct {
	Schema schema `json:"schema"`
}

// schema is as much of JSON Schema as a command line needs.
type schema struct {
	Ref         string            `json:"$ref"`
	Type        json.RawMessage   `json:"type"` // a name or a list of names
	Description string            `json:"description"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
	Enum        []any             `json:"enum"`
}

func (s schema) is(kind string) bool {
	return strings.Contains(string(s.Type), `"`+kind+`"`)
}

// readDescription returns the operations of a description, by id.
func readDescription(text []byte) (map[string]*described, error) {
	var document struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("reading the bank's description: %w", err)
	}
	all := map[string]*described{}
	for path, methods := range document.Paths {
		for method, text := range methods {
			var d struct {
				OperationID string `json:"operationId"`
				described
			}
			if json.Unmarshal(text, &d) != nil || d.OperationID == "" {
				continue // parameters of the path, or of another kind
			}
			o := d.described
			o.ID, o.Method, o.Path = d.OperationID, strings.ToUpper(method), path
			body := o.RequestBody.Content["application/json"].Schema
			if name, refers := strings.CutPrefix(body.Ref, "#/components/schemas/"); refers {
				body = document.Components.Schemas[name]
			}
			o.fields, o.needed = body.Properties, body.Required
			all[o.ID] = &o
		}
	}
	return all, nil
}

// takesKey reports whether the operation takes an Idempotency-Key.
func (d *described) takesKey() bool {
	return slices.ContainsFunc(d.Parameters, func(p parameter) bool { return p.In == "header" && p.Name == "Idempotency-Key" })
}

// filled is an operation with what was given for it.
type filled struct {
	path  string
	query url.Values
	body  map[string]json.RawMessage
}

// fill puts name=value pairs where the description says that they belong.
func (d *described) fill(pairs []string) (f filled, err error) {
	f = filled{path: d.Path, query: url.Values{}, body: map[string]json.RawMessage{}}
	for _, pair := range pairs {
		name, value, isPair := strings.Cut(pair, "=")
		if !isPair {
			return f, usage("%q: expected name=value", pair)
		}
		i := slices.IndexFunc(d.Parameters, func(p parameter) bool { return p.Name == name && (p.In == "path" || p.In == "query") })
		field, inBody := d.fields[name]
		switch {
		case i >= 0 && d.Parameters[i].In == "path":
			f.path = strings.Replace(f.path, "{"+name+"}", url.PathEscape(value), 1)
		case i >= 0:
			f.query.Add(name, value)
		case inBody:
			if f.body[name], err = field.encode(name, value); err != nil {
				return f, err
			}
		default:
			return f, usage("%s has no %q; it takes: %s", d.ID, name, strings.Join(d.names(), ", "))
		}
	}
	if _, rest, missing := strings.Cut(f.path, "{"); missing {
		name, _, _ := strings.Cut(rest, "}")
		return f, usage("%s needs %s=…", d.ID, name)
	}
	for _, name := range d.needed {
		if _, given := f.body[name]; !given && len(f.body) > 0 {
			return f, usage("%s needs %s=…", d.ID, name)
		}
	}
	return f, nil
}

// names returns what the operation takes.
func (d *described) names() (names []string) {
	for _, p := range d.Parameters {
		if p.In == "path" || p.In == "query" {
			names = append(names, p.Name)
		}
	}
	for name := range d.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// encode writes a value as its schema wants it: text as text, everything else as
// the JSON that it is.
func (s schema) encode(name, value string) (json.RawMessage, error) {
	if s.is("string") || len(s.Type) == 0 && s.Ref == "" {
		text, err := json.Marshal(value)
		return text, err
	}
	if !json.Valid([]byte(value)) {
		return nil, usage("%s=%s: expected JSON: %s", name, value, strings.Trim(string(s.Type), `"`))
	}
	return json.RawMessage(value), nil
}
