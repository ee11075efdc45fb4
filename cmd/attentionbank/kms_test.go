package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/storetest"
	"github.com/attentionbank/attentionbank/transit"
)

// A bank whose keys a key service has wrapped: nothing in its directory opens
// it, and with the service all commands do.
func TestABankUnderAKeyService(t *testing.T) {
	engine := storetest.NewTransitEngine(t, "s.token")
	t.Setenv(transit.TokenVariable, "s.token")
	folder, copied, again := filepath.Join(t.TempDir(), "bank"), filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "again")
	rows := "user,day,hours\nann,2026-01-01,1\n"
	play := []string{"import", "-", "--world", "arcade", "--map", "person=user,time=day,hours=hours", "--kms", engine.URL, "--data"}
	if status, _, stderr := command(t, rows, append(play, folder)...); status != 0 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(filepath.Join(folder, "master.key"))
	if err != nil || !bytes.HasPrefix(text, []byte("vault:v1:")) {
		t.Fatalf("the master key lies there as %q, %v", text, err)
	}
	expect := func(status int, said string, args ...string) {
		t.Helper()
		got, stdout, stderr := command(t, rows, args...)
		if got != status || !strings.Contains(stdout+stderr, said) {
			t.Fatalf("%s: exit %d, want %d and %q\n%s%s", args[0], got, status, said, stdout, stderr)
		}
	}
	expect(0, "vault:v1", "keys", "list", "--data", folder)
	expect(1, "name the service with --kms", "fsck", "--data", folder)
	expect(0, "clean; state ", "fsck", "--data", folder, "--kms", engine.URL)
	expect(0, "2 keys read", "keys", "rotate", "--data", folder, "--kms", engine.URL)
	expect(0, "1 duplicate", append(play, folder)...)
	expect(0, "clean; state ", "backup", copied, "--data", folder, "--kms", engine.URL, "--master-key")
	expect(1, "name the service with --kms", "restore", copied, "--data", again)
	expect(0, "clean; state ", "restore", copied, "--data", again, "--kms", engine.URL)
	expect(0, "1 duplicate", append(play, again)...)
	expect(1, "does not give it out", "keys", "export", "--data", folder, "--kms", engine.URL)
	expect(0, "wrapped anew", "keys", "rewrap", "--to-master", "--data", folder, "--kms", engine.URL)
	expect(1, "was not wrapped by a key service", "fsck", "--data", folder, "--kms", engine.URL)
	t.Setenv(transit.TokenVariable, "other")
	expect(1, "permission denied", "fsck", "--data", again, "--kms", engine.URL)
}
