package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Bounds of the tokens by which worlds vouch for their users.
const (
	// MaxTokenMS is the longest time for which a token is good.
	MaxTokenMS = 15 * 60 * 1000
	// MaxTokenBytes bounds the text of a token.
	MaxTokenBytes = 4 << 10
	// MaxTokenKeys bounds the keys that a world has at a time, MaxTokenKeySet
	// the bytes of their JWKS.
	MaxTokenKeys   = 16
	MaxTokenKeySet = 32 << 10

	// tokenLeewayMS is how far a world's clock may be off.
	tokenLeewayMS = 30 * 1000
	// maxTokenSeconds keeps times in a token from overflowing milliseconds.
	maxTokenSeconds = 1 << 40
)

// ErrTokenInvalid: a token is not signed by a live key of its world, not for
// this bank, or its time is over.
var ErrTokenInvalid = errors.New("the token is not valid")

// ErrTokenKeysInvalid: a set of keys cannot be read, or holds what is no public
// key for signatures that are accepted.
var ErrTokenKeysInvalid = errors.New("the set of token keys cannot be taken")

// ErrTokenSpent: a token that works once was used for something else before.
var ErrTokenSpent = errors.New("the token was used before")

// tokenAlgorithms are the signatures that are accepted. "none" and those with a
// shared secret are not: whoever can check them could make them.
var tokenAlgorithms = []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256}

// UserToken is what a world says of one of its users for a short time.
type UserToken struct {
	World       uint32
	UserID      string
	AnonymousID string // of the user's device; empty if the world says none
	// ID is the token's own, by which it is told from others; empty if it has
	// none, and then it cannot link.
	ID              string
	FromMS, UntilMS int64
}

func tokenRefused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTokenInvalid, fmt.Sprintf(format, args...))
}

// ReadToken returns what a token says, once it is certain that the world said
// so, to this bank (audience), and that it is good now. worldOf returns the
// number of the world that issues under a name, 0 if there is none.
func (r *Registry) ReadToken(ctx context.Context, text, audience string, worldOf func(issuer string) (uint32, error)) (UserToken, error) {
	if len(text) > MaxTokenBytes {
		return UserToken{}, tokenRefused("it has more than %d bytes", MaxTokenBytes)
	}
	parsed, err := jwt.ParseSigned(text, tokenAlgorithms)
	if err != nil {
		return UserToken{}, tokenRefused("it is no JWT that is signed with EdDSA, ES256 or RS256")
	}
	var claims jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return UserToken{}, tokenRefused("its claims cannot be read")
	}
	world, err := worldOf(claims.Issuer)
	if err != nil {
		return UserToken{}, fmt.Errorf("finding the world of a token: %w", err)
	}
	key, err := r.tokenKey(ctx, world, parsed.Headers[0])
	if err != nil {
		return UserToken{}, err
	}
	var more struct {
		AnonymousID string `json:"anonymous_id"`
	}
	if err := parsed.Claims(key, &claims, &more); err != nil {
		return UserToken{}, tokenRefused("its signature is not by that key of its world")
	}
	token := UserToken{World: world, UserID: claims.Subject, AnonymousID: more.AnonymousID, ID: claims.ID}
	return token, r.checkClaims(&token, &claims, audience)
}

// checkClaims checks what a token says and fills in its time.
func (r *Registry) checkClaims(token *UserToken, claims *jwt.Claims, audience string) error {
	nowMS := r.nowMS()
	for _, date := range []*jwt.NumericDate{claims.Expiry, claims.IssuedAt, claims.NotBefore} {
		if date != nil && (*date < 0 || *date > maxTokenSeconds) {
			return tokenRefused("a time of it is out of range")
		}
	}
	switch {
	case !claims.Audience.Contains(audience):
		return tokenRefused("aud: it is not for this bank, which is called %q", audience)
	case !(SubjectRef{World: token.World, UserID: token.UserID}).valid():
		return tokenRefused("sub: expected a user id of 1 to %d bytes", MaxExternalIDBytes)
	case len(token.AnonymousID) > MaxExternalIDBytes:
		return tokenRefused("anonymous_id: expected at most %d bytes", MaxExternalIDBytes)
	case len(token.ID) > MaxExternalIDBytes:
		return tokenRefused("jti: expected at most %d bytes", MaxExternalIDBytes)
	case claims.IssuedAt == nil || claims.Expiry == nil:
		return tokenRefused("iat and exp: expected both")
	}
	token.FromMS, token.UntilMS = int64(*claims.IssuedAt)*1000, int64(*claims.Expiry)*1000
	switch {
	case token.FromMS > nowMS+tokenLeewayMS, claims.NotBefore != nil && int64(*claims.NotBefore)*1000 > nowMS+tokenLeewayMS:
		return tokenRefused("its time has not come: the world's clock is ahead")
	case token.UntilMS <= nowMS-tokenLeewayMS:
		return tokenRefused("exp: its time is over; ask the world for another")
	case token.UntilMS <= token.FromMS, token.UntilMS-token.FromMS > MaxTokenMS:
		return tokenRefused("exp: expected at most %d minutes after iat", MaxTokenMS/60_000)
	}
	return nil
}

// tokenKey returns the key of a world that a token names.
func (r *Registry) tokenKey(ctx context.Context, world uint32, header jose.Header) (any, error) {
	if world == 0 {
		return nil, tokenRefused("iss: there is no such world")
	}
	set, err := r.tokenKeys(ctx, world)
	if err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.KeyID == header.KeyID && key.Algorithm == header.Algorithm {
			return key.Key, nil
		}
	}
	return nil, tokenRefused("kid: its world has no such key for %s now", header.Algorithm)
}

// tokenKeys returns the keys of a world, from memory once they were read.
func (r *Registry) tokenKeys(ctx context.Context, world uint32) (*jose.JSONWebKeySet, error) {
	r.tokenMu.Lock()
	defer r.tokenMu.Unlock()
	if set, found := r.tokenSets[world]; found {
		return set, nil
	}
	text, err := r.store.TokenKeys(ctx, world)
	if err != nil {
		return nil, fmt.Errorf("reading the token keys of world %d: %w", world, err)
	}
	set := &jose.JSONWebKeySet{}
	if text != nil {
		if err := json.Unmarshal(text, set); err != nil {
			return nil, fmt.Errorf("reading the token keys of world %d: %w", world, err)
		}
	}
	r.tokenSets[world] = set
	return set, nil
}

// SetTokenKeys replaces the keys by which a world signs tokens, given as a JWKS
// (RFC 7517). A world rotates by setting the old and the new key, signing with
// the new one, and setting the new one alone once the last token by the old one
// has ended; what is set is good at once, and what is left out no longer.
func (r *Registry) SetTokenKeys(ctx context.Context, world uint32, jwks []byte) error {
	set, err := parseTokenKeys(jwks)
	if err != nil {
		return err
	}
	text, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("encoding token keys: %w", err)
	}
	r.tokenMu.Lock()
	defer r.tokenMu.Unlock()
	// If the write fails, what holds is what the store has.
	delete(r.tokenSets, world)
	if err := r.store.SetTokenKeys(ctx, world, text); err != nil {
		return fmt.Errorf("keeping the token keys of world %d: %w", world, err)
	}
	return nil
}

// TokenKeys returns the JWKS of a world.
func (r *Registry) TokenKeys(ctx context.Context, world uint32) ([]byte, error) {
	set, err := r.tokenKeys(ctx, world)
	if err != nil {
		return nil, err
	}
	if set.Keys == nil {
		return []byte(`{"keys":[]}`), nil
	}
	return json.Marshal(set)
}

// parseTokenKeys reads a JWKS and leaves of each key what checks signatures.
func parseTokenKeys(jwks []byte) (*jose.JSONWebKeySet, error) {
	refused := func(format string, args ...any) (*jose.JSONWebKeySet, error) {
		return nil, fmt.Errorf("%w: %s", ErrTokenKeysInvalid, fmt.Sprintf(format, args...))
	}
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(jwks) > MaxTokenKeySet {
		return refused("it has more than %d bytes", MaxTokenKeySet)
	}
	if err := json.Unmarshal(jwks, &raw); err != nil {
		return refused("expected a JWKS: {\"keys\":[…]}")
	}
	if len(raw.Keys) > MaxTokenKeys {
		return refused("it has %d keys; expected at most %d", len(raw.Keys), MaxTokenKeys)
	}
	set := &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for i, text := range raw.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(text); err != nil {
			return refused("keys[%d] cannot be read as a public JWK", i)
		}
		if !key.IsPublic() {
			return refused("keys[%d] is not public: never send a private or shared key anywhere, and replace this one", i)
		}
		algorithm := algorithmOf(key.Key)
		switch {
		case algorithm == "":
			return refused("keys[%d]: expected Ed25519, P-256, or RSA of 2048 to 4096 bits", i)
		case key.Algorithm != "" && key.Algorithm != algorithm:
			return refused("keys[%d]: alg is %q; expected %s for a key of this type", i, key.Algorithm, algorithm)
		case key.Use != "" && key.Use != "sig":
			return refused("keys[%d]: use is %q; expected sig", i, key.Use)
		case key.KeyID == "" || len(key.KeyID) > 100:
			return refused("keys[%d]: kid: expected 1 to 100 bytes", i)
		case len(set.Key(key.KeyID)) > 0:
			return refused("keys[%d]: kid %q is there twice", i, key.KeyID)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: algorithm, Use: "sig"})
	}
	return set, nil
}

// algorithmOf returns the signature for which a key is good, empty for none.
func algorithmOf(key any) string {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return string(jose.EdDSA)
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return string(jose.ES256)
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= 2048 && bits <= 4096 && k.E >= 3 {
			return string(jose.RS256)
		}
	}
	return ""
}
