package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A bank is set up and used from the command line alone.
func TestCallUsesABank(t *testing.T) {
	s := serving(t, "--listen", "127.0.0.1:0", "--data", t.TempDir()).started()
	request, _ := http.NewRequest("POST", s.link, nil)
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var key struct{ Secret string }
	if err := json.NewDecoder(response.Body).Decode(&key); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AB_BANK", s.url)
	call := func(args ...string) (status int, stdout, stderr string) {
		return command(t, "", append([]string{"call"}, args...)...)
	}
	if status, _, stderr := call("create-world", "world=cafe"); status != 1 || !strings.Contains(stderr, "key_missing") || !strings.Contains(stderr, "AB_KEY") {
		t.Errorf("without a key: %d %s", status, stderr)
	}
	t.Setenv("AB_KEY", key.Secret)
	if status, stdout, stderr := call("create-world", "world=cafe", "--idempotency-key", "first"); status != 0 || !strings.Contains(stdout, `"world": "cafe"`) {
		t.Fatalf("a world: %d %s%s", status, stdout, stderr)
	}
	if status, _, stderr := call("create-world", "world=cafe", "--idempotency-key", "first"); status != 0 {
		t.Errorf("the same call again: %d %s", status, stderr)
	}
	if status, _, stderr := call("create-world", "world=cafe"); status != 1 || !strings.Contains(stderr, "code_taken") {
		t.Errorf("a world that is there: %d %s", status, stderr)
	}
	if status, _, stderr := call("create-asset", "asset=GOLD", "scale=2", "world=cafe"); status != 0 {
		t.Errorf("a number in the body: %d %s", status, stderr)
	}
	if status, stdout, _ := call("get-world", "world=cafe"); status != 0 || !strings.Contains(stdout, `"cafe"`) {
		t.Errorf("a value in the path: %d %s", status, stdout)
	}
	if status, stdout, _ := call("list-acts", "--all", "operation=create-world"); status != 0 || strings.Count(stdout, "\n") != 2 {
		t.Errorf("all of a list, with a filter: %d %s", status, stdout)
	}
	body := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(body, []byte(`{"world":"park"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := call("create-world", "--body", body); status != 0 {
		t.Errorf("a body from a file: %d %s", status, stderr)
	}
	if status, stdout, _ := call("get-supply"); status != 0 || !strings.Contains(stdout, "GOLD") {
		t.Errorf("what is public: %d %s", status, stdout)
	}
	if _, stdout, _ := call(); !strings.Contains(stdout, "create-transfer") || !strings.Contains(stdout, "OPERATION") {
		t.Errorf("the list: %s", stdout)
	}
	if _, stdout, _ := call("create-asset", "--explain"); !strings.Contains(stdout, "POST /v1/assets") || !strings.Contains(stdout, "scale") {
		t.Errorf("explained: %s", stdout)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"an unknown operation":        {[]string{"create-worlds"}, "similar: create-world"},
		"an unknown name":             {[]string{"create-world", "wrold=cafe"}, "it takes: world"},
		"no pair":                     {[]string{"create-world", "cafe"}, "expected name=value"},
		"a missing value of the path": {[]string{"get-world"}, "needs world=…"},
		"a number that is none":       {[]string{"create-asset", "asset=GEM", "scale=two"}, "expected JSON: integer"},
		"two bodies":                  {[]string{"create-world", "world=x", "--body", body}, "exclude each other"},
		"no list":                     {[]string{"get-world", "world=cafe", "--all"}, "no list"},
		"a key where none is taken":   {[]string{"get-world", "world=cafe", "--idempotency-key", "a"}, "takes no --idempotency-key"},
	} {
		if status, _, stderr := call(test.args...); status != 2 || !strings.Contains(stderr, test.says) {
			t.Errorf("%s: %d %s", name, status, stderr)
		}
	}
	if status, _, stderr := command(t, "", "call", "--bank", "http://127.0.0.1:1", "get-supply"); status != 1 || !strings.Contains(stderr, "--bank") {
		t.Errorf("no bank: %d %s", status, stderr)
	}
}
