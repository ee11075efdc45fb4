package transit_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/attentionbank/attentionbank/transit"
)

// FuzzAnswer: a service may answer anything. What is unwrapped is the 32 bytes
// that it answered, what is wrapped fits on a line, and an error shows no key.
func FuzzAnswer(f *testing.F) {
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	f.Add(`{"data":{"plaintext":"` + key + `","ciphertext":"vault:v1:AAAA"}}`)
	f.Add(`{"data":{"plaintext":"AAAA","ciphertext":"two words"}}`)
	f.Add(`{"data":null}`)
	f.Add(`[]`)
	f.Setenv(transit.TokenVariable, "s.token")
	var body atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(*body.Load())) }))
	f.Cleanup(server.Close)
	keys, err := transit.Open(server.URL + "/v1/transit/keys/bank")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		body.Store(&answer)
		secret, err := keys.Unwrap(t.Context(), "vault:v1:AAAA")
		if err != nil && secret != [32]byte{} {
			t.Fatalf("an answer that was refused gave a key: %q", answer)
		}
		if text := base64.StdEncoding.EncodeToString(secret[:]); err != nil && strings.Contains(answer, key) && strings.Contains(err.Error(), text) {
			t.Fatalf("the error shows the key: %v", err)
		}
		if wrapped, err := keys.Wrap(t.Context(), [32]byte{1}); err == nil && (wrapped == "" || len(strings.Fields(wrapped)) != 1) {
			t.Fatalf("%q was taken for a wrapped key", wrapped)
		}
	})
}

// FuzzOpen: an address that is taken leads to the two operations of its key,
// with nothing of a user or a query in it.
func FuzzOpen(f *testing.F) {
	f.Add("https://vault.example:8200/v1/transit/keys/bank")
	f.Add("http://user:pass@h/v1/t/keys/k")
	f.Add("file:///v1/t/keys/k")
	f.Fuzz(func(t *testing.T, address string) {
		if _, err := transit.Open(address); err == nil && (!strings.HasPrefix(strings.ToLower(address), "http") || !strings.Contains(address, "/v1/")) {
			t.Fatalf("%q was taken", address)
		}
	})
}
