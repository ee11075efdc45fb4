package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// repeatable are the calls without an Idempotency-Key: they name what is to be
// so (a key revoked, a person erased, a session opened, events by their message
// ids), or their secret can be shown only once.
var repeatable = []string{
	"appeal-case", // the same words about the same case are said once
	"redeem-operator-link", "redeem-claim", "create-claim", "create-world-key", "create-operator-key", "create-person-key",
	"revoke-key", "erase-person", "open-session", "send-batch", "send-track", "send-page", "send-screen", "send-identify", "send-group", "send-alias",
	"send-b", "send-t", "send-p", "send-s", "send-i", "send-g", "send-a", "send-cloudevents", "send-snowplow", "send-posthog-batch", "send-posthog-events", "send-posthog",
	"set-token-keys", "open-own-session", "create-link", "end-link", "set-webhook", "send-message-again", "remove-operator", "approve-proposal", "reject-proposal", "set-rate-limit", "end-allowance", "set-attributes",
	"keep-orders", "create-conversion", "import-payout-report",
	"set-consent", "report-consent", "exclude-oneself",
	"set-payee",
}

type parameter struct {
	Name, In string
	Required bool
}

type describedOperation struct {
	OperationID string `json:"operationId"`
	Parameters  []parameter
	RequestBody *struct{ Content map[string]any }
	Responses   map[string]struct {
		Description string
		Content     map[string]struct{ Schema map[string]any }
	}
	Security []map[string][]string
	Roles    []string `json:"x-roles"`
	Tags     []string
}

// The OpenAPI document is whole: what is referred to is there, paths and their
// parameters agree, names are told apart, every answer is described, errors are
// problems, and what changes something can be sent again.
func TestDescriptionIsWhole(t *testing.T) {
	s := newStack(t)
	answer := s.do("GET", "/openapi.json", "", "")
	if got := answer.Header().Get("Content-Type"); got != "application/openapi+json" {
		t.Errorf("its content type is %q", got)
	}
	var document struct {
		Info       struct{ Title, Version, Description string }
		Paths      map[string]map[string]describedOperation
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]any
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(answer.Body.String(), -1) {
		if document.Components.Schemas[ref[1]] == nil {
			t.Errorf("%s is referred to and not there", ref[1])
		}
	}
	ids := map[string]string{}
	for path, methods := range document.Paths {
		for method, op := range methods {
			name := method + " " + path
			if other, taken := ids[op.OperationID]; taken || op.OperationID == "" {
				t.Errorf("%s and %s are both called %q", name, other, op.OperationID)
			}
			ids[op.OperationID] = name
			for _, fault := range faultsOf(path, method, op) {
				t.Errorf("%s: %s", name, fault)
			}
			for _, scheme := range op.Security {
				for name := range scheme {
					if document.Components.SecuritySchemes[name] == nil {
						t.Errorf("the security scheme %q is not there", name)
					}
				}
			}
		}
	}
	for _, id := range repeatable {
		if ids[id] == "" {
			t.Errorf("%s is no operation any more", id)
		}
	}
	if yaml := s.do("GET", "/openapi.yaml", "", ""); yaml.Code != 200 || !strings.Contains(yaml.Body.String(), "openapi: 3.1.0") {
		t.Errorf("as YAML: %d %.100s", yaml.Code, yaml.Body)
	}
}

func faultsOf(path, method string, op describedOperation) (faults []string) {
	var inPath, declared []string
	for _, match := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
		inPath = append(inPath, match[1])
	}
	hasKey := false
	for _, p := range op.Parameters {
		if p.In == "path" {
			declared = append(declared, p.Name)
			if !p.Required {
				faults = append(faults, p.Name+" is in the path and not required")
			}
		}
		hasKey = hasKey || p.Name == "Idempotency-Key"
	}
	if slices.Sort(inPath); !slices.Equal(inPath, slices.Sorted(slices.Values(declared))) {
		faults = append(faults, fmt.Sprintf("the path names %v, the parameters %v", inPath, declared))
	}
	if mutates := method != "get"; mutates && hasKey == slices.Contains(repeatable, op.OperationID) || !mutates && hasKey {
		faults = append(faults, fmt.Sprintf("takes an Idempotency-Key: %v", hasKey))
	}
	if public := slices.Contains(op.Roles, "public"); public == (len(op.Security) > 0) {
		faults = append(faults, fmt.Sprintf("is public: %v, and its security is %v", public, op.Security))
	}
	success := false
	for status, response := range op.Responses {
		success = success || status[0] == '2'
		if response.Description == "" {
			faults = append(faults, status+" is not described")
		}
		if (status[0] == '4' || status[0] == '5') && response.Content["application/problem+json"].Schema["$ref"] != "#/components/schemas/Problem" {
			faults = append(faults, status+" is no problem")
		}
	}
	if !success || len(op.Tags) == 0 {
		faults = append(faults, fmt.Sprintf("answers %d statuses, none of them good, or has no tag", len(op.Responses)))
	}
	return faults
}
