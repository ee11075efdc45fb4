package api

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Every operation says what it is for, in short and at length, what it answers
// to each status with the codes of problems, and what is sent to it, by an
// example that its own schema accepts.
func TestEveryOperationIsExplained(t *testing.T) {
	s := newStack(t)
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(s.do("GET", "/openapi.json", "", "").Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("bank.json", whole); err != nil {
		t.Fatal(err)
	}
	for _, op := range s.operations() {
		name := op.method + " " + op.path
		if op.Summary == "" || len(op.Description) < 10 {
			t.Errorf("%s is not explained: %q, %q", name, op.Summary, op.Description)
		}
		for _, status := range []string{"500", "503"} {
			if _, listed := op.Responses[status]; !listed {
				t.Errorf("%s does not list %s", name, status)
			}
		}
		for status, response := range op.Responses {
			if status[0] >= '4' && !strings.Contains(response.Description, "Code") && !strings.Contains(response.Description, "refusal") && status != "404" && status != "415" {
				t.Errorf("%s: %s names no code: %q", name, status, response.Description)
			}
		}
		if op.RequestBody == nil {
			continue
		}
		for kind, media := range op.RequestBody.Content {
			pointer := "bank.json#/paths/" + strings.ReplaceAll(op.path, "/", "~1") + "/" + strings.ToLower(op.method) + "/requestBody/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema"
			schema, err := compiler.Compile(pointer)
			if err != nil {
				t.Errorf("%s: its schema cannot be used: %v", name, err)
				continue
			}
			text, err := json.Marshal(media.Example)
			if err != nil || media.Example == nil {
				t.Errorf("%s has no example", name)
				continue
			}
			example, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(example); err != nil {
				t.Errorf("%s: its example is refused by its schema: %v", name, err)
			}
		}
	}
}

// The page shows every operation, message and code, and needs nothing that the
// server does not have: no script, no other origin.
func TestDocsPageIsWhole(t *testing.T) {
	s := newStack(t)
	answer := s.do("GET", "/docs", "", "")
	page := answer.Body.String()
	if answer.Code != 200 || answer.Header().Get("Content-Security-Policy") != "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" {
		t.Fatalf("it is answered %d with %v", answer.Code, answer.Header())
	}
	for _, op := range s.operations() {
		if !strings.Contains(page, `id="`+op.OperationID+`"`) || !strings.Contains(page, "<code>"+op.path+"</code>") {
			t.Errorf("%s is not on the page", op.OperationID)
		}
	}
	for name := range s.document.Components.Schemas {
		if !strings.Contains(page, `id="message-`+name+`"`) {
			t.Errorf("the message %s is not on the page", name)
		}
	}
	for _, row := range refusals {
		if row.detail != "" && !strings.Contains(page, "<td>"+strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&#39;", "+", "&#43;", `"`, "&#34;", ">", "&gt;").Replace(row.detail)) {
			t.Errorf("the page does not say %q", row.detail)
		}
	}
	for _, match := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if id, isHere := strings.CutPrefix(match[1], "#"); isHere {
			if !strings.Contains(page, `id="`+id+`"`) {
				t.Errorf("there is nothing at %s", match[1])
			}
		} else if answer := s.do("GET", match[1], "", ""); !strings.HasPrefix(match[1], "/") || answer.Code != 200 {
			t.Errorf("it needs %s", match[1])
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") {
		t.Error("it has a script or a style that the browser will not use")
	}
}
