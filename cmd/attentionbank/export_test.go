package main

import (
	"archive/zip"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A person, and an operator, get everything that is kept by the command line.
func TestExportCommand(t *testing.T) {
	s, operator, server := servingAnn(t)
	var key struct{ Secret, Person string }
	var claim struct{ Code string }
	s.ask("POST", "/v1/worlds/cafe/users/ann/claim", server, "", http.StatusCreated, &claim)
	s.ask("POST", "/v1/claims", "", `{"code":"`+claim.Code+`"}`, http.StatusCreated, &key)
	t.Setenv("AB_BANK", s.url)
	t.Setenv("AB_KEY", key.Secret)
	folder := t.TempDir()

	status, stdout, stderr := command(t, "", "export")
	var read struct {
		Manifest struct{ Person string }
		Tables   struct {
			Events []struct {
				MessageID string `json:"message_id"`
			}
		}
		Complete bool
	}
	if err := json.Unmarshal([]byte(stdout), &read); status != 0 || err != nil || !read.Complete || read.Manifest.Person != key.Person || len(read.Tables.Events) != 1 || read.Tables.Events[0].MessageID != "m1" {
		t.Errorf("%d %s %v %.300s", status, stderr, err, stdout)
	}
	archive := filepath.Join(folder, "me.zip")
	if status, _, stderr := command(t, "", "export", "--format", "csv", "-o", archive); status != 0 {
		t.Fatal(stderr)
	}
	reader, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if reader.File[0].Name != "README.txt" {
		t.Errorf("it begins with %s", reader.File[0].Name)
	}
	if info, err := os.Stat(archive); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if status, _, stderr := command(t, "", "export", "-o", archive); status != 1 || !strings.Contains(stderr, "exists") {
		t.Errorf("a file that is there: %d %s", status, stderr)
	}
	if status, _, stderr := command(t, "", "export", key.Person, "--key", operator, "-o", filepath.Join(folder, "ann.json")); status != 0 {
		t.Errorf("by an operator: %d %s", status, stderr)
	}
	for _, wrong := range []struct{ key, code string }{{server, "role_forbidden"}, {"", "key_missing"}} {
		out := filepath.Join(folder, "none")
		status, _, stderr := command(t, "", "export", key.Person, "--key", wrong.key, "-o", out)
		if _, err := os.Stat(out); status != 1 || !strings.Contains(stderr, wrong.code) || err == nil {
			t.Errorf("by %q: %d %s", wrong.key, status, stderr)
		}
	}
	if status, stdout, _ := command(t, "", "call", "export-person", "person=me"); status != 0 || !strings.Contains(stdout, `"complete": true`) {
		t.Errorf("by call: %d", status)
	}
}

// servingAnn serves a bank in which a user of a world has done something, and
// returns the keys of the operator and of the world's server.
func servingAnn(t *testing.T) (s *server, operator, worldKey string) {
	t.Helper()
	s = serving(t, "--listen", "127.0.0.1:0", "--data", t.TempDir()).started()
	operator = s.operator()
	s.ask("POST", "/v1/worlds", operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	var key struct{ Secret string }
	s.ask("POST", "/v1/worlds/cafe/keys", operator, `{"kind":"server"}`, http.StatusCreated, &key)
	s.ask("POST", "/v1/track", key.Secret, `{"userId":"ann","event":"Jumped","messageId":"m1"}`, http.StatusOK, nil)
	return s, operator, key.Secret
}
