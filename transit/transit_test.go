package transit_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/attentionbank/attentionbank/transit"
)

// engine is a small transit engine: it answers encrypt and decrypt of one key
// as Vault's documentation says, and encrypts in earnest.
type engine struct {
	aead  cipher.AEAD
	token string
	busy  atomic.Int32 // answers 503 so often
}

func newEngine(t *testing.T, token string) (*engine, string) {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{token: token}
	if e.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return e, server.URL + "/v1/transit/keys/bank"
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, why string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string][]string{"errors": {why}})
	}
	var request struct{ Plaintext, Ciphertext string }
	switch {
	case e.busy.Add(-1) >= 0:
		refuse(http.StatusServiceUnavailable, "Vault is sealed")
	case r.Header.Get("X-Vault-Token") != e.token:
		refuse(http.StatusForbidden, "permission denied")
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		refuse(http.StatusMethodNotAllowed, "unsupported operation")
	case json.NewDecoder(r.Body).Decode(&request) != nil:
		refuse(http.StatusBadRequest, "failed to parse JSON input")
	case r.URL.Path == "/v1/transit/encrypt/bank":
		plain, err := base64.StdEncoding.DecodeString(request.Plaintext)
		if err != nil {
			refuse(http.StatusBadRequest, "failed to base64-decode plaintext")
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"request_id": "1", "data": map[string]any{
			"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(e.aead.Seal(nil, nil, plain, nil)), "key_version": 1,
		}})
	case r.URL.Path == "/v1/transit/decrypt/bank":
		sealed, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(request.Ciphertext, "vault:v1:"))
		if err == nil {
			sealed, err = e.aead.Open(nil, nil, sealed, nil)
		}
		if err != nil {
			refuse(http.StatusBadRequest, "invalid ciphertext: no prefix")
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"data": map[string]string{"plaintext": base64.StdEncoding.EncodeToString(sealed)}})
	default:
		refuse(http.StatusNotFound, "no handler for route")
	}
}

func open(t *testing.T, address string) *transit.Keys {
	t.Helper()
	keys, err := transit.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestWrapAndUnwrap(t *testing.T) {
	e, address := newEngine(t, "s.token")
	t.Setenv(transit.TokenVariable, "s.token")
	keys, secret := open(t, address), [32]byte{1, 2, 3}
	e.busy.Store(2) // passes by itself
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
	_, address := newEngine(t, "right")
	keys := open(t, address)
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
