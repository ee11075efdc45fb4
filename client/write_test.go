package client_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/format"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the methods anew from the API's description")

// description is what this test reads of the OpenAPI document.
type description struct {
	Paths map[string]map[string]operation
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Tags        []string
	Roles       []string `json:"x-roles"`
	Parameters  []struct {
		Name, In string
		Schema   schema
	}
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct{ Content map[string]media }

	method, path string
}

type media struct{ Schema schema }

type schema struct {
	Ref    string `json:"$ref"`
	Type   string
	Format string
}

// leftOut are the operations that have no method of their own.
var leftOut = map[string]string{
	"send-batch":           "Tracker sends it",
	"get-project-settings": "asked for by Segment's client",
	"show-operator-link":   "a page for people",
	"export-person":        "ExportPerson in export.go: written as it comes",
	"open-own-session":     "OpenOwnSession in session.go: the token is the credential",
	"redeem-operator-link": "RedeemOperatorLink in session.go: JSON only if asked for",
}

// foreign reports whether an operation takes events in the form of somebody
// else's clients.
func foreign(id string) bool { return strings.HasPrefix(id, "send-") && id != "send-message-again" }

// makesSecret are answers that are shown once.
var makesSecret = []string{"Key", "Claim"}

// There is a method for every operation of the API, with its messages, written
// from the API's own description. After a change of the API:
//
//	go test ./client -run TestMethodsAreWritten -update
func TestMethodsAreWritten(t *testing.T) {
	b := newBank(t)
	written := map[string]string{} // by tag
	for _, op := range sorted(b.description()) {
		if reason := leftOut[op.OperationID]; reason != "" || foreign(op.OperationID) {
			continue
		}
		method, err := op.write()
		if err != nil {
			t.Errorf("%s: %v", op.OperationID, err)
			continue
		}
		written[op.Tags[0]] += "\n" + method
	}
	files := map[string]string{}
	for tag, methods := range written {
		files["api_"+tag+".go"] = source(t, methods)
	}
	there, err := filepath.Glob("api_*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range there {
		if _, wanted := files[name]; wanted {
			continue
		}
		if *update {
			err = os.Remove(name)
		} else {
			t.Errorf("%s has methods of no operation", name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if *update {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("%s is not what the API's description says (%v); write it anew: go test ./client -run TestMethodsAreWritten -update", name, err)
		}
	}
}

// What is left out is there, so that the list does not outlive the API.
func TestWhatIsLeftOutIsThere(t *testing.T) {
	var ids []string
	for _, op := range sorted(newBank(t).description()) {
		ids = append(ids, op.OperationID)
	}
	for id := range leftOut {
		if !slices.Contains(ids, id) {
			t.Errorf("%s is no operation any more", id)
		}
	}
}

func sorted(document description) (list []operation) {
	for path, methods := range document.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			list = append(list, op)
		}
	}
	slices.SortFunc(list, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return list
}

// write returns the method of an operation.
func (op operation) write() (string, error) {
	body, err := messageOf(op.body())
	if err != nil {
		return "", fmt.Errorf("its body: %w", err)
	}
	params := []string{"ctx context.Context"}
	path := fmt.Sprintf("%q", op.path)
	var filters []string
	keyed, paged := false, false
	for _, p := range op.Parameters {
		switch {
		case p.In == "path" && p.Schema.Type == "integer":
			name := goName(p.Name, false)
			params = append(params, name+" uint32")
			path = strings.Replace(path, "{"+p.Name+"}", `" + in(strconv.FormatUint(uint64(`+name+`), 10)) + "`, 1)
		case p.In == "path":
			params = append(params, goName(p.Name, false)+" string")
			path = strings.Replace(path, "{"+p.Name+"}", `" + in(`+goName(p.Name, false)+`) + "`, 1)
		case p.In == "query" && p.Name == "cursor":
			paged = true
		case p.In == "query" && p.Name != "limit":
			filters = append(filters, p.Name)
		case p.Name == "Idempotency-Key":
			keyed = true
		}
	}
	path = strings.ReplaceAll(path, ` + ""`, "")
	sent := "nil"
	if body != "" {
		params, sent = append(params, "body "+body), "body"
	}
	params = append(params, "options ...Option")
	answers, call, err := op.call(path, sent, filters, keyed, paged)
	if err != nil {
		return "", err
	}
	text := "// " + goName(op.OperationID, true) + " is " + op.OperationID + ": " + lowerFirst(op.Summary) + ".\n// " + op.method + " " + op.path + "; " + strings.Join(op.Roles, ", ") + "."
	if len(filters) > 0 {
		text += "\n// Filters: " + strings.Join(filters, ", ") + "."
	}
	return text + "\nfunc (c *Client) " + goName(op.OperationID, true) + "(" + strings.Join(params, ", ") + ") " + answers + " {\n\treturn " + call + "\n}\n", nil
}

// call returns what a method answers and how it asks.
func (op operation) call(path, sent string, filters []string, keyed, paged bool) (answers, call string, err error) {
	content, isStream := op.answer()
	answer, err := messageOf(content)
	if err != nil {
		return "", "", fmt.Errorf("its answer: %w", err)
	}
	element, isList := strings.CutPrefix(answer, "wire.List[")
	element = strings.TrimSuffix(element, "]")
	named := ""
	for _, filter := range filters {
		named += fmt.Sprintf(", %q", filter)
	}
	if op.method == "GET" {
		read := "(ctx, c, " + path + ", options" + named + ")"
		switch {
		case isStream:
			return "iter.Seq2[StreamEvent, error]", "stream" + read, nil
		case isList && paged:
			return "iter.Seq2[" + element + ", error]", "pages[" + element + "]" + read, nil
		case isList:
			return "([]" + element + ", error)", "items[" + element + "]" + read, nil
		case answer == "":
			return "([]byte, error)", "get[[]byte]" + read, nil
		}
		return "(" + answer + ", error)", "get[" + answer + "]" + read, nil
	}
	repeat := "again"
	if keyed {
		repeat = "keyed"
	} else if slices.Contains(makesSecret, strings.TrimPrefix(answer, "wire.")) {
		repeat = "once"
	}
	write := fmt.Sprintf("(ctx, c, %q, %s, %s, %s, options)", op.method, path, repeat, sent)
	switch {
	case len(filters) > 0:
		return "", "", fmt.Errorf("%s with a query", op.method)
	case answer == "":
		return "error", "sendOnly" + write, nil
	case isList:
		return "([]" + element + ", error)", "sendItems[" + element + "]" + write, nil
	}
	return "(" + answer + ", error)", "send[" + answer + "]" + write, nil
}

func (op operation) body() map[string]media {
	if op.RequestBody == nil {
		return nil
	}
	return op.RequestBody.Content
}

// answer returns what the operation answers when all is well.
func (op operation) answer() (content map[string]media, isStream bool) {
	for status, response := range op.Responses {
		if status[0] == '2' && status != "202" { // a proposal is an error of its own
			_, isStream = response.Content["text/event-stream"]
			return response.Content, isStream
		}
	}
	return nil, false
}

// messageOf returns the type in package wire of a message; empty if there is
// none, or it is no JSON.
func messageOf(content map[string]media) (string, error) {
	message, isJSON := content["application/json"]
	if !isJSON {
		return "", nil
	}
	name, found := strings.CutPrefix(message.Schema.Ref, "#/components/schemas/")
	if !found {
		return "", fmt.Errorf("is no message with a name, so it is none of package wire")
	}
	if element, isList := strings.CutPrefix(name, "List"); isList && element != "ing" {
		return "wire.List[wire." + element + "]", nil
	}
	return "wire." + name, nil
}

// goName writes a name of the API in Go's way.
func goName(name string, exported bool) string {
	var text strings.Builder
	for i, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' }) {
		switch {
		case i == 0 && !exported:
			text.WriteString(word)
		case word == "id" || word == "url":
			text.WriteString(strings.ToUpper(word))
		default:
			text.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	if token.IsKeyword(text.String()) {
		return text.String() + "ID"
	}
	return text.String()
}

func lowerFirst(text string) string {
	if len(text) > 1 && (text[1] < 'a' || text[1] > 'z') && text[1] != ' ' {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// source returns a file with methods.
func source(t *testing.T, methods string) string {
	t.Helper()
	imports := map[string]string{
		"context.": "context", "iter.": "iter", "strconv.": "strconv", "wire.": "github.com/attentionbank/attentionbank/wire",
	}
	text := "// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.\n\npackage client\n\nimport (\n"
	for _, used := range slices.Sorted(maps.Keys(imports)) {
		if strings.Contains(methods, used) {
			if used == "wire." {
				text += "\n"
			}
			text += fmt.Sprintf("\t%q\n", imports[used])
		}
	}
	formatted, err := format.Source([]byte(text + ")\n" + methods))
	if err != nil {
		t.Fatalf("%v\n%s", err, methods)
	}
	return string(formatted)
}
