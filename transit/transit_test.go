package transit_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/storetest"
	"github.com/attentionbank/attentionbank/transit"
)

func open(t *testing.T, address string) *transit.Keys {
	t.Helper()
	keys, err := transit.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestWrapAndUnwrap(t *testing.T) {
	engine := storetest.NewTransitEngine(t, "s.token")
	t.Setenv(transit.TokenVariable, "s.token")
	keys, secret := open(t, engine.URL), [32]byte{1, 2, 3}
	engine.Busy.Store(2) // passes by itself
	wrapped, err := keys.Wrap(t.Context(), secret)
	if err != nil || !strings.HasPrefix(wrapped, "vault:v1:") {
		t.Fatalf("wrapped %q, %v", wrapped, err)
	}
	if got, err := keys.Unwrap(t.Context(), wrapped); err != nil || got != secret {
		t.Fatalf("unwrapped %x, %v", got, err)
	}
	if _, err := keys.Unwrap(t.Context(), wrapped[:len(wrapped)-8]+"AAAAAAA="); err == nil || !strings.Contains(err.Error(), "invalid ciphertext") {
		t.Errorf("a changed key was answered %v", err)
	}
	if _, err := keys.Unwrap(t.Context(), "local:00000000:AAAA"); err == nil || !strings.Contains(err.Error(), "not wrapped by a key service") {
		t.Errorf("a key that is not of a service was answered %v", err)
	}
}

func TestTokens(t *testing.T) {
	keys := open(t, storetest.NewTransitEngine(t, "right").URL)
	t.Setenv(transit.TokenVariable, "")
	if _, err := keys.Wrap(t.Context(), [32]byte{}); err == nil || !strings.Contains(err.Error(), transit.TokenVariable) {
		t.Errorf("without a token: %v", err)
	}
	t.Setenv(transit.TokenVariable, "wrong")
	if _, err := keys.Wrap(t.Context(), [32]byte{}); err == nil || !strings.Contains(err.Error(), "permission denied") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with another token: %v", err)
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(transit.TokenFileVariable, path)
	if _, err := keys.Wrap(t.Context(), [32]byte{}); err != nil {
		t.Errorf("with the token of a file: %v", err)
	}
}

func TestOtherServers(t *testing.T) {
	t.Setenv(transit.TokenVariable, "any")
	for _, answer := range []string{"", "<html>", `{"data":null}`, `{"data":{}}`, `{"data":{"ciphertext":7}}`, `{"data":{"ciphertext":"two words","plaintext":"AA=="}}`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(answer)) }))
		keys := open(t, server.URL+"/v1/transit/keys/bank")
		if wrapped, err := keys.Wrap(t.Context(), [32]byte{}); err == nil {
			t.Errorf("%q gave the wrapped key %q", answer, wrapped)
		}
		if _, err := keys.Unwrap(t.Context(), "vault:v1:AAAA"); err == nil {
			t.Errorf("%q gave a key", answer)
		}
		server.Close()
	}
	for _, address := range []string{"", "vault:8200", "https://vault:8200", "https://vault:8200/v1/transit/keys/", "https://u:p@vault/v1/t/keys/k", "ftp://v/v1/t/keys/k", "https://v/v1/t/keys/a/b"} {
		if _, err := transit.Open(address); err == nil || !strings.Contains(err.Error(), "expected a URL") {
			t.Errorf("%q was answered %v", address, err)
		}
	}
}
