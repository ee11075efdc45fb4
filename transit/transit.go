// Package transit speaks to a key service that wraps keys as the transit
// engine of HashiCorp Vault and OpenBao does: it has the key, we have what it
// has wrapped, and it unwraps for whoever has a token.
package transit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// TokenVariable holds the token; TokenFileVariable may name a file of it, which
// is read for each call, so that an agent can renew it.
const (
	TokenVariable     = "VAULT_TOKEN"
	TokenFileVariable = "VAULT_TOKEN_FILE"
	// namespaceVariable names a namespace of an enterprise's Vault.
	namespaceVariable = "VAULT_NAMESPACE"
)

// Keys wrap by one key of the service.
type Keys struct {
	encrypt, decrypt, shown string
	client                  *http.Client
}

const (
	maxAnswerBytes = 64 << 10
	attempts       = 4
)

// Open returns the keys of a URL such as
// https://vault.example:8200/v1/transit/keys/bank: the key "bank" of the engine
// that is mounted at "transit". It does not ask the service yet.
func Open(address string) (*Keys, error) {
	const expected = "expected a URL such as https://vault.example:8200/v1/transit/keys/bank"
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New(expected)
	}
	mount, name, found := strings.Cut(u.Path, "/keys/")
	if !found || !strings.HasPrefix(mount, "/v1/") || name == "" || strings.Contains(name, "/") {
		return nil, errors.New(expected)
	}
	operation := func(what string) string {
		other := *u
		other.Path = mount + "/" + what + "/" + name
		return other.String()
	}
	return &Keys{
		encrypt: operation("encrypt"), decrypt: operation("decrypt"), shown: address,
		client: &http.Client{Timeout: 10 * time.Second},
	}, nil
}

// Wrap asks the service to encrypt a key.
func (k *Keys) Wrap(ctx context.Context, secret [32]byte) (string, error) {
	var answer struct{ Ciphertext string }
	err := k.ask(ctx, k.encrypt, map[string]string{"plaintext": base64.StdEncoding.EncodeToString(secret[:])}, &answer)
	if err != nil {
		return "", fmt.Errorf("wrapping a key by %s: %w", k.shown, err)
	}
	if answer.Ciphertext == "" || strings.ContainsAny(answer.Ciphertext, " \t\r\n") {
		return "", fmt.Errorf("wrapping a key by %s: it answered no ciphertext", k.shown)
	}
	return answer.Ciphertext, nil
}

// Unwrap asks the service to decrypt a key.
func (k *Keys) Unwrap(ctx context.Context, wrapped string) (secret [32]byte, err error) {
	if !strings.HasPrefix(wrapped, "vault:") {
		return secret, errors.New("it was not wrapped by a key service: leave out --kms, or wrap it anew with: attentionbank keys rewrap")
	}
	var answer struct{ Plaintext string }
	if err := k.ask(ctx, k.decrypt, map[string]string{"ciphertext": wrapped}, &answer); err != nil {
		return secret, fmt.Errorf("unwrapping a key by %s: %w", k.shown, err)
	}
	plain, err := base64.StdEncoding.DecodeString(answer.Plaintext)
	if err != nil || len(plain) != len(secret) {
		return secret, fmt.Errorf("unwrapping a key by %s: it answered no key of 32 bytes", k.shown)
	}
	return [32]byte(plain), nil
}

// ask posts a request, again if the service is sealed, busy or out of reach:
// both operations may be repeated.
func (k *Keys) ask(ctx context.Context, address string, request map[string]string, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	wait := 200 * time.Millisecond
	for attempt := 1; ; attempt++ {
		again, err := k.askOnce(ctx, address, body, answer)
		if err == nil || !again || attempt == attempts {
			return err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func (k *Keys) askOnce(ctx context.Context, address string, body []byte, answer any) (again bool, err error) {
	token, err := token()
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Vault-Token", token)
	request.Header.Set("X-Vault-Request", "true")
	if namespace := os.Getenv(namespaceVariable); namespace != "" {
		request.Header.Set("X-Vault-Namespace", namespace)
	}
	response, err := k.client.Do(request)
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return true, fmt.Errorf("reading the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests, refusal(response.StatusCode, text)
	}
	var envelope struct{ Data json.RawMessage }
	if err := json.Unmarshal(text, &envelope); err != nil || len(envelope.Data) == 0 {
		return false, errors.New("the answer is none of a transit engine")
	}
	if err := json.Unmarshal(envelope.Data, answer); err != nil {
		return false, errors.New("the answer is none of a transit engine")
	}
	return false, nil
}

// refusal returns what the service has said, which holds no secret of ours.
func refusal(status int, text []byte) error {
	var said struct{ Errors []string }
	if err := json.Unmarshal(text, &said); err != nil || len(said.Errors) == 0 {
		return fmt.Errorf("it answered %d %s", status, http.StatusText(status))
	}
	return fmt.Errorf("it answered %d %s: %s", status, http.StatusText(status), strings.Join(said.Errors, "; "))
}

func token() (string, error) {
	if path := os.Getenv(TokenFileVariable); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("reading the token of the key service: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	if text := os.Getenv(TokenVariable); text != "" {
		return text, nil
	}
	return "", fmt.Errorf("the key service needs a token: set %s, or %s to a file of it", TokenVariable, TokenFileVariable)
}
