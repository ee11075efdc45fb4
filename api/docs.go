package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// The page is made of the description that the server itself shows, needs
// nothing of the network and no script.
//
//go:embed docs.html
var docsText string

//go:embed docs.css
var docsStyle []byte

var docsPage = template.Must(template.New("docs").Funcs(template.FuncMap{"lower": strings.ToLower}).Parse(docsText))

// docsTag is a section of the page: the operations of a tag.
type docsTag struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description, Curl, Example string
	Roles                                                 []string
	Parameters                                            []docsMember
	Body                                                  docsType
	Answers                                               []docsAnswer
}

type docsAnswer struct {
	Status, Description string
	Body                docsType
}

// docsType is a type of JSON: a message that is shown below, or a plain one.
type docsType struct{ Message, Text string }

type docsMember struct {
	Name, In, Description string
	Required              bool
	Type                  docsType
}

type docsMessage struct {
	Name    string
	Members []docsMember
}

type docsCode struct {
	Code   string
	Status int
	Detail string
}

func (s *server) registerDocs() {
	page := sync.OnceValues(func() ([]byte, error) {
		var text bytes.Buffer
		err := docsPage.Execute(&text, s.docs())
		return text.Bytes(), err
	})
	s.mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		text, err := page()
		if err != nil {
			writeProblem(w, s.problem("docs", err))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Write(text) // a client that has gone away is no fault
	})
	s.mux.HandleFunc("GET /docs.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(docsStyle)
	})
}

// docs gathers what the page shows.
func (s *server) docs() any {
	document := s.huma.OpenAPI()
	byTag := map[string][]docsOperation{}
	for path, item := range document.Paths {
		for method, op := range methodsOf(item) {
			if op != nil {
				byTag[op.Tags[0]] = append(byTag[op.Tags[0]], s.docsOperation(method, path, op))
			}
		}
	}
	var tags []docsTag
	for _, name := range slices.Sorted(maps.Keys(byTag)) {
		slices.SortFunc(byTag[name], func(a, b docsOperation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
		tags = append(tags, docsTag{name, byTag[name]})
	}
	var messages []docsMessage
	schemas := document.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		messages = append(messages, docsMessage{name, docsMembers(schemas[name])})
	}
	return map[string]any{"Version": document.Info.Version, "About": document.Info.Description, "Tags": tags, "Messages": messages, "Codes": problemCodes()}
}

// methodsOf returns the operations at a path; nil where there is none.
func methodsOf(item *huma.PathItem) map[string]*huma.Operation {
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete}
}

func (s *server) docsOperation(method, path string, op *huma.Operation) docsOperation {
	shown := docsOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description}
	shown.Roles, _ = op.Extensions["x-roles"].([]string)
	for _, p := range op.Parameters {
		shown.Parameters = append(shown.Parameters, docsMember{p.Name, p.In, firstOf(p.Description, p.Schema.Description), p.Required, docsTypeOf(p.Schema)})
	}
	address := strings.NewReplacer("{", "$", "}", "").Replace(path)
	curl := []string{`curl "$BANK` + address + `"`}
	if method != http.MethodGet {
		curl = []string{"curl -X " + method + ` "$BANK` + address + `"`}
	}
	if !slices.Contains(shown.Roles, "public") {
		curl = append(curl, `-H "Authorization: Bearer $AB_KEY"`)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" }) {
		curl = append(curl, `-H "Idempotency-Key: $(uuidgen)"`)
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			shown.Body = docsTypeOf(media.Schema)
			example, _ := json.Marshal(media.Example) // of what huma itself has marshalled
			shown.Example = string(example)
		}
		curl = append(curl, "-H \"Content-Type: application/json\"", "-d '"+shown.Example+"'")
	}
	shown.Curl = strings.Join(curl, " \\\n  ")
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := docsAnswer{Status: status, Description: op.Responses[status].Description}
		for _, media := range op.Responses[status].Content {
			if media.Schema != nil {
				answer.Body = docsTypeOf(media.Schema)
			}
		}
		shown.Answers = append(shown.Answers, answer)
	}
	return shown
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// docsTypeOf names the type of a schema.
func docsTypeOf(schema *huma.Schema) docsType {
	switch {
	case schema == nil:
		return docsType{}
	case schema.Ref != "":
		return docsType{Message: schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]}
	case schema.Type == "array":
		if schema.Items != nil && len(schema.Items.OneOf) > 0 {
			return docsType{Text: "server-sent events"}
		}
		of := docsTypeOf(schema.Items)
		return docsType{of.Message, strings.TrimSpace("list of " + of.Text)}
	case len(schema.Enum) > 0:
		var values []string
		for _, value := range schema.Enum {
			values = append(values, fmt.Sprint(value))
		}
		return docsType{Text: strings.Join(values, " | ")}
	case schema.Format != "" && schema.Type == "string":
		return docsType{Text: schema.Format}
	}
	return docsType{Text: schema.Type}
}

func docsMembers(schema *huma.Schema) (list []docsMember) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		member := schema.Properties[name]
		list = append(list, docsMember{Name: name, Description: member.Description, Required: slices.Contains(schema.Required, name), Type: docsTypeOf(member)})
	}
	return list
}
