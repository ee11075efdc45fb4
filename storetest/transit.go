package storetest

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TransitEngine is a small transit engine of a key service: it answers encrypt
// and decrypt of the key "bank" as Vault's documentation says, and encrypts in
// earnest.
type TransitEngine struct {
	// URL of the key.
	URL string
	// Busy is how many requests are answered that the service is sealed.
	Busy atomic.Int32

	aead  cipher.AEAD
	token string
}

// NewTransitEngine serves an engine for whoever has the token, until the test
// ends.
func NewTransitEngine(t *testing.T, token string) *TransitEngine {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	e := &TransitEngine{token: token}
	if e.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.URL = server.URL + "/v1/transit/keys/bank"
	return e
}

// ServeHTTP implements http.Handler.
func (e *TransitEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, why string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string][]string{"errors": {why}})
	}
	var request struct{ Plaintext, Ciphertext string }
	switch {
	case e.Busy.Add(-1) >= 0:
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
