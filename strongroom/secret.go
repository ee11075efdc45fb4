package strongroom

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Secret is Keys of 32 bytes that this process knows. A wrapped key is
//
//	local:NAME:BASE64(nonce 12, ciphertext 32, tag 16)
//
// by AES-256-GCM, where NAME tells which secret it was without telling it.
type Secret struct {
	// Key is the secret.
	Key [32]byte
	// From says to people where the secret is from, and where another would be
	// given: a file, the environment.
	From string
}

const localPrefix = "local:"

// Derived returns the secret for stores of a master key: who has the master
// key has it, and who has it alone does not have the master key.
func Derived(master [32]byte, from string) Secret {
	return Secret{Key: named(master, "attentionbank/store/1"), From: from}
}

func named(key [32]byte, text string) [32]byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(text))
	return [32]byte(h.Sum(nil))
}

// Name tells secrets apart, in 8 hexadecimal digits.
func (s Secret) Name() string {
	name := named(s.Key, "attentionbank/store-secret-name/1")
	return hex.EncodeToString(name[:4])
}

func (s Secret) head() string { return localPrefix + s.Name() + ":" }

// Wrap implements Keys.
func (s Secret) Wrap(_ context.Context, secret [32]byte) (string, error) {
	aead, err := gcm(s.Key)
	if err != nil {
		return "", err
	}
	sealed := make([]byte, nonceBytes, nonceBytes+len(secret)+tagBytes)
	rand.Read(sealed) // never fails
	sealed = aead.Seal(sealed, sealed, secret[:], []byte(s.head()))
	return s.head() + base64.StdEncoding.EncodeToString(sealed), nil
}

// Unwrap implements Keys.
func (s Secret) Unwrap(_ context.Context, wrapped string) (secret [32]byte, err error) {
	rest, isLocal := strings.CutPrefix(wrapped, localPrefix)
	name, text, hasName := strings.Cut(rest, ":")
	if !isLocal || !hasName {
		service, _, _ := strings.Cut(wrapped, ":")
		return secret, fmt.Errorf("%w: it was wrapped by the key service %q, not by %s: name the service with --kms", ErrNoKey, service, s.From)
	}
	if name != s.Name() {
		return secret, fmt.Errorf("%w: it was wrapped by the key named %s, and what is given (%s) is the key named %s", ErrNoKey, name, s.From, s.Name())
	}
	aead, err := gcm(s.Key)
	if err != nil {
		return secret, err
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sealed) < nonceBytes {
		return secret, ErrBroken
	}
	plain, err := aead.Open(nil, sealed[:nonceBytes], sealed[nonceBytes:], []byte(s.head()))
	if err != nil || len(plain) != len(secret) {
		return secret, ErrBroken
	}
	return [32]byte(plain), nil
}
