package identity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signer signs tokens as the server of a world does.
type signer struct {
	jose.SigningKey
	kid string
}

func newSigner(t testing.TB, algorithm jose.SignatureAlgorithm, kid string) signer {
	t.Helper()
	var key any
	var err error
	switch algorithm {
	case jose.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.RS256, jose.PS256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		key = []byte("a secret of thirty-two bytes, yes")
	}
	check(t, err)
	return signer{jose.SigningKey{Algorithm: algorithm, Key: key}, kid}
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.Key.(crypto.Signer).Public(), KeyID: s.kid}
}

func keySet(t testing.TB, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	check(t, err)
	return text
}

func (s signer) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	signing, err := jose.NewSigner(s.SigningKey, (&jose.SignerOptions{}).WithHeader("kid", s.kid))
	check(t, err)
	text, err := jwt.Signed(signing).Claims(claims).Serialize()
	check(t, err)
	return text
}

// claims are what a good token says, changed as the test has it.
func claims(nowMS int64, changes ...any) map[string]any {
	list := map[string]any{"iss": "cafe", "aud": "bank", "sub": "ann", "jti": "t1", "iat": nowMS / 1000, "exp": nowMS/1000 + 600}
	for i := 0; i < len(changes); i += 2 {
		list[changes[i].(string)] = changes[i+1]
	}
	return list
}

func (o *office) read(text string) (identity.UserToken, error) {
	return o.ReadToken(context.Background(), text, "bank", func(issuer string) (uint32, error) {
		return map[string]uint32{"cafe": 1, "arena": 2}[issuer], nil
	})
}

func TestTokensOfEveryKindAreRead(t *testing.T) {
	o := newOffice(t)
	for _, algorithm := range []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256} {
		s := newSigner(t, algorithm, "k-"+string(algorithm))
		check(t, o.SetTokenKeys(t.Context(), 1, keySet(t, s.public())))
		got, err := o.read(s.sign(t, claims(o.nowMS, "anonymous_id", "phone")))
		check(t, err)
		from := o.nowMS / 1000 * 1000
		if want := (identity.UserToken{World: 1, UserID: "ann", AnonymousID: "phone", ID: "t1", FromMS: from, UntilMS: from + 600_000}); got != want {
			t.Errorf("%s: got %+v, want %+v", algorithm, got, want)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	o := newOffice(t)
	good, other := newSigner(t, jose.EdDSA, "k"), newSigner(t, jose.EdDSA, "k")
	rs := newSigner(t, jose.RS256, "r")
	check(t, o.SetTokenKeys(t.Context(), 1, keySet(t, good.public(), rs.public())))
	pss := signer{jose.SigningKey{Algorithm: jose.PS256, Key: rs.Key}, "r"}
	shared := newSigner(t, jose.HS256, "k")
	seconds := o.nowMS / 1000
	text := good.sign(t, claims(o.nowMS))
	parts := strings.Split(text, ".")
	for name, token := range map[string]string{
		"alg none":               "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"an HMAC":                shared.sign(t, claims(o.nowMS)),
		"a padding not accepted": pss.sign(t, claims(o.nowMS)),
		"another key's":          other.sign(t, claims(o.nowMS)),
		"a key of another kid":   signer{good.SigningKey, "x"}.sign(t, claims(o.nowMS)),
		"other claims":           parts[0] + "." + strings.Split(good.sign(t, claims(o.nowMS, "sub", "bob")), ".")[1] + "." + parts[2],
		"another bank's":         good.sign(t, claims(o.nowMS, "aud", "elsewhere")),
		"of another world":       good.sign(t, claims(o.nowMS, "iss", "arena")),
		"of no world":            good.sign(t, claims(o.nowMS, "iss", "nowhere")),
		"without a user":         good.sign(t, claims(o.nowMS, "sub", "")),
		"for too long":           good.sign(t, claims(o.nowMS, "exp", seconds+901)),
		"over":                   good.sign(t, claims(o.nowMS, "iat", seconds-700, "exp", seconds-31)),
		"not yet":                good.sign(t, claims(o.nowMS, "iat", seconds+31)),
		"not before":             good.sign(t, claims(o.nowMS, "nbf", seconds+31)),
		"ends before it begins":  good.sign(t, claims(o.nowMS, "exp", seconds-1)),
		"without an end":         good.sign(t, claims(o.nowMS, "exp", nil)),
		"without a beginning":    good.sign(t, claims(o.nowMS, "iat", nil)),
		"beyond all time":        good.sign(t, claims(o.nowMS, "exp", int64(1)<<62)),
		"too long":               good.sign(t, claims(o.nowMS, "x", strings.Repeat("x", identity.MaxTokenBytes))),
		"no token":               "a.b.c",
	} {
		if got, err := o.read(token); !errors.Is(err, identity.ErrTokenInvalid) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	_, err := o.read(text)
	check(t, err)
}

// A world changes its key without a moment in which its tokens are refused, and
// what it withdraws is refused at once.
func TestTokenKeysAreRotated(t *testing.T) {
	o := newOffice(t)
	before, after := newSigner(t, jose.ES256, "2026-01"), newSigner(t, jose.EdDSA, "2026-02")
	for _, step := range []struct {
		set                []jose.JSONWebKey
		oldGood, newGood   bool
		oldToken, newToken string
	}{
		{set: nil},
		{set: []jose.JSONWebKey{before.public()}, oldGood: true},
		{set: []jose.JSONWebKey{before.public(), after.public()}, oldGood: true, newGood: true},
		{set: []jose.JSONWebKey{after.public()}, newGood: true},
	} {
		if step.set != nil {
			check(t, o.SetTokenKeys(t.Context(), 1, keySet(t, step.set...)))
		}
		for range 2 { // before and after a restart
			_, oldErr := o.read(before.sign(t, claims(o.nowMS)))
			_, newErr := o.read(after.sign(t, claims(o.nowMS)))
			if (oldErr == nil) != step.oldGood || (newErr == nil) != step.newGood {
				t.Errorf("with %d keys: old %v, new %v", len(step.set), oldErr, newErr)
			}
			o.reopen()
		}
	}
}

func TestTokenKeysThatAreRefused(t *testing.T) {
	o := newOffice(t)
	good := newSigner(t, jose.EdDSA, "k")
	check(t, o.SetTokenKeys(t.Context(), 1, keySet(t, good.public())))
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	check(t, err)
	named := func(key jose.JSONWebKey, kid, algorithm, use string) jose.JSONWebKey {
		key.KeyID, key.Algorithm, key.Use = kid, algorithm, use
		return key
	}
	for name, set := range map[string][]byte{
		"a private key":    keySet(t, jose.JSONWebKey{Key: good.Key, KeyID: "k"}),
		"a shared key":     keySet(t, jose.JSONWebKey{Key: []byte("secret"), KeyID: "k"}),
		"another curve":    keySet(t, newSigner(t, jose.ES384, "k").public()),
		"a small key":      keySet(t, jose.JSONWebKey{Key: &small.PublicKey, KeyID: "k"}),
		"no name":          keySet(t, named(good.public(), "", "", "")),
		"a name twice":     keySet(t, good.public(), newSigner(t, jose.ES256, "k").public()),
		"another use":      keySet(t, named(good.public(), "k", "", "enc")),
		"another alg":      keySet(t, named(good.public(), "k", "ES256", "")),
		"an unknown type":  []byte(`{"keys":[{"kty":"AKP","kid":"k"}]}`),
		"no set":           []byte(`[]`),
		"too many":         []byte(`{"keys":[` + strings.Repeat(`{},`, 16) + `{}]}`),
		"too large a text": []byte(`{"keys":[],"x":"` + strings.Repeat("x", identity.MaxTokenKeySet) + `"}`),
	} {
		if err := o.SetTokenKeys(t.Context(), 1, set); !errors.Is(err, identity.ErrTokenKeysInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = o.read(good.sign(t, claims(o.nowMS)))
	check(t, err) // a set that is refused leaves the one before
	if text, err := o.TokenKeys(t.Context(), 1); err != nil || strings.Contains(string(text), `"d"`) {
		t.Errorf("the keys are shown as %s, %v", text, err)
	}
}

// FuzzReadToken: whatever is read was signed, and nothing panics.
func FuzzReadToken(f *testing.F) {
	o := newOffice(f)
	s := newSigner(f, jose.EdDSA, "k")
	check(f, o.SetTokenKeys(f.Context(), 1, keySet(f, s.public())))
	good := s.sign(f, claims(o.nowMS))
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := o.read(text); err == nil && (text != good || token.UserID != "ann") {
			t.Fatalf("%q was read as %+v", text, token)
		}
	})
}
