package identity_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

func TestTheMasterKeyIsMadeOnceAndReadAgain(t *testing.T) {
	t.Setenv(identity.MasterKeyVariable, "")
	dir := t.TempDir()
	first, err := identity.LoadMasterKey(dir)
	check(t, err)
	again, err := identity.LoadMasterKey(dir)
	check(t, err)
	if first != again || first == [32]byte{} {
		t.Fatal("the key was made anew")
	}
	path := filepath.Join(dir, identity.MasterKeyFile)
	info, err := os.Stat(path)
	check(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("the file has mode %04o", info.Mode().Perm())
	}
	entries, err := os.ReadDir(dir)
	check(t, err)
	if len(entries) != 1 {
		t.Fatalf("more than the key was left: %v", entries)
	}
}

func TestAMasterKeyThatOthersCanReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this system has no permission bits")
	}
	t.Setenv(identity.MasterKeyVariable, "")
	dir := t.TempDir()
	_, err := identity.LoadMasterKey(dir)
	check(t, err)
	check(t, os.Chmod(filepath.Join(dir, identity.MasterKeyFile), 0o640))
	wantText(t, dir, "chmod 600")
}

func TestALostMasterKeyIsNotReplaced(t *testing.T) {
	t.Setenv(identity.MasterKeyVariable, "")
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "identity.db"), []byte("people"), 0o600))
	wantText(t, dir, "is missing")
}

func TestAMasterKeyFromTheEnvironmentComesFirst(t *testing.T) {
	dir := t.TempDir()
	key := [32]byte{7, 8}
	text := base64.StdEncoding.EncodeToString(key[:])
	t.Setenv(identity.MasterKeyVariable, text)
	got, err := identity.LoadMasterKey(dir)
	check(t, err)
	if got != key {
		t.Fatalf("got %x", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Fatal("a key in the environment was written to a file")
	}
	t.Setenv(identity.MasterKeyVariable, text[:20])
	if _, err := identity.LoadMasterKey(dir); err == nil || strings.Contains(err.Error(), text[:20]) {
		t.Fatalf("a short key gave %v", err)
	}
}

func TestAMasterKeyFileThatIsNoneIsRefused(t *testing.T) {
	t.Setenv(identity.MasterKeyVariable, "")
	dir := t.TempDir()
	for _, text := range []string{"", "not base64!", base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		check(t, os.WriteFile(filepath.Join(dir, identity.MasterKeyFile), []byte(text), 0o600))
		wantText(t, dir, "32 bytes in base64")
	}
}

func wantText(t *testing.T, dir, text string) {
	t.Helper()
	if _, err := identity.LoadMasterKey(dir); err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("got error %v, want one that says %q", err, text)
	}
}
