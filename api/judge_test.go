package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	openapierrors "github.com/pb33f/libopenapi-validator/errors"
)

// judge holds what the server is asked, and what it answers, against its own
// description, by a validator that others have written.
type judge struct {
	validator.Validator
	mux      *http.ServeMux // to tell which operation a request is for
	patterns map[string]*huma.Operation
	mu       sync.Mutex
	calls    map[string]map[answerKind]int // by the pattern of the operation
}

// answerKind tells answers of an operation apart.
type answerKind struct {
	status int
	code   string // of a problem
}

var judges struct {
	sync.Mutex
	one *judge
}

// theJudge is one for all tests: every server of them has the same description.
func theJudge(t testing.TB, s *server) *judge {
	t.Helper()
	judges.Lock()
	defer judges.Unlock()
	if judges.one != nil {
		return judges.one
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest("GET", "/openapi.json", nil))
	document, err := libopenapi.NewDocument(answer.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	v, faults := validator.NewValidator(document)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	judges.one = &judge{Validator: v, mux: http.NewServeMux(), patterns: map[string]*huma.Operation{}, calls: map[string]map[answerKind]int{}}
	for path, item := range s.huma.OpenAPI().Paths {
		for method, op := range methodsOf(item) {
			if op != nil {
				pattern := method + " " + path
				if strings.HasSuffix(path, "/") {
					pattern += "{$}"
				}
				judges.one.mux.Handle(pattern, http.NotFoundHandler())
				judges.one.patterns[pattern] = op
			}
		}
	}
	return judges.one
}

// look judges a call. What is accepted must be described; so must every answer.
func (j *judge) look(t testing.TB, request *http.Request, body string, answer *httptest.ResponseRecorder) {
	t.Helper()
	_, pattern := j.mux.Handler(request)
	if pattern == "" {
		return // no operation
	}
	var problem Problem
	if answer.Header().Get("Content-Type") == "application/problem+json" {
		problem = must(decodedProblem(answer.Body.Bytes()))
	}
	j.note(pattern, answerKind{answer.Code, problem.Code})
	declared, _ := j.patterns[pattern].Extensions["x-codes"].(map[string][]string)
	if says := declared[strconv.Itoa(answer.Code)]; problem.Code != "" && !slices.Contains(says, problem.Code) {
		t.Errorf("%s is answered %d %s, and declares of this status only %q", j.patterns[pattern].OperationID, answer.Code, problem.Code, says)
	}
	again := func() *http.Request {
		copied := request.Clone(request.Context())
		copied.Body = io.NopCloser(strings.NewReader(body))
		return copied
	}
	if request.Method == http.MethodHead || strings.HasPrefix(answer.Header().Get("Content-Type"), "text/event-stream") {
		return
	}
	response := &http.Response{StatusCode: answer.Code, Header: answer.Header(), Body: io.NopCloser(bytes.NewReader(answer.Body.Bytes()))}
	if fine, faults := j.ValidateHttpResponse(again(), response); !fine {
		t.Errorf("%s is answered %d %.2000s, which its description does not allow: %s", pattern, answer.Code, answer.Body, said(faults))
	}
	if isIngest := strings.HasPrefix(j.patterns[pattern].OperationID, "send-"); answer.Code/100 == 2 && !isIngest { // that takes any body, and gives verdicts
		if fine, faults := j.ValidateHttpRequestSync(again()); !fine {
			t.Errorf("%s %s %.2000s is accepted, which its description does not allow: %s", request.Method, request.URL, body, said(faults))
		}
	}
}

func (j *judge) note(pattern string, kind answerKind) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.calls[pattern] == nil {
		j.calls[pattern] = map[answerKind]int{}
	}
	j.calls[pattern][kind]++
}

func decodedProblem(text []byte) (p Problem, err error) {
	err = json.Unmarshal(text, &p)
	return p, err
}

func said(faults []*openapierrors.ValidationError) string {
	var texts []string
	for _, fault := range faults {
		texts = append(texts, fault.Error())
	}
	return strings.Join(texts, "; ")
}

// The description is OpenAPI 3.1, by the schema that the standard comes with.
func TestTheDescriptionIsOpenAPI(t *testing.T) {
	s := newStack(t)
	if fine, faults := theJudge(t, s.server).ValidateDocument(); !fine {
		t.Errorf("%s", said(faults))
	}
}

// TestMain fails a run of all tests in which an operation was never called.
func TestMain(m *testing.M) {
	code := m.Run()
	if whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" && flag.Lookup("test.list").Value.String() == ""; whole && code == 0 {
		code = judges.one.reckon()
	}
	os.Exit(code)
}

// reckon says what was never tried.
func (j *judge) reckon() (code int) {
	for pattern, op := range j.patterns {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(j.calls[pattern])), func(kind answerKind) bool { return kind.status/100 == 2 }) {
			fmt.Printf("no test sees %s (%s) succeed\n", op.OperationID, pattern)
			code = 1
		}
	}
	return code
}
