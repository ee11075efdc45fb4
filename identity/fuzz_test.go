package identity_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/attentionbank/attentionbank/identity"
)

// FuzzParseSecret: whatever is taken for a secret has the form of one, and
// nothing else has.
func FuzzParseSecret(f *testing.F) {
	f.Add("ab_op_" + strings.Repeat("A", 43))
	f.Add("ab_pk_" + strings.Repeat("A", 42) + "B") // not canonical
	f.Add("ab_sk_")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		kind, hash, err := identity.ParseSecret(text)
		if err != nil {
			if kind != 0 || hash != [32]byte{} {
				t.Fatalf("%q was refused, yet gave %s and a hash", text, kind)
			}
			return
		}
		if name, ok := identity.ParseKind(kind.String()); !ok || name != kind || len(text) != 49 {
			t.Fatalf("%q was taken for the secret of %s", text, kind)
		}
		if strings.Trim(text[6:], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q was taken", text)
		}
	})
}

// FuzzOpen: bytes that were not sealed do not open, and nothing panics.
func FuzzOpen(f *testing.F) {
	o := newOffice(f)
	ann := o.user(1, "ann")
	sealed, err := o.Seal(f.Context(), ann.Number, nil, []byte("plain"), []byte("place"))
	check(f, err)
	f.Add(sealed, []byte("place"))
	f.Add(sealed[:20], []byte("place"))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, bytesIn, place []byte) {
		opened, err := o.Open(t.Context(), []byte("head"), bytesIn, place)
		if err == nil && !(bytes.Equal(bytesIn, sealed) && string(place) == "place" && string(opened) == "headplain") {
			t.Fatalf("%x opened in %q to %q", bytesIn, place, opened)
		}
		if err != nil && string(opened) != "head" {
			t.Fatalf("a failure left %q", opened)
		}
	})
}

// FuzzParseKey: a key has one text but for the space around it, and an error
// shows nothing of what may be a secret.
func FuzzParseKey(f *testing.F) {
	f.Add(strings.Repeat("A", 43) + "=")
	f.Add(" " + strings.Repeat("Zz09+/zz", 5) + "AAA=\n")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := identity.ParseKey(text)
		if err != nil {
			if len(text) > 8 && strings.Contains(err.Error(), text) {
				t.Fatalf("the error repeats the text: %v", err)
			}
			return
		}
		if again, err := identity.ParseKey(base64.StdEncoding.EncodeToString(key[:])); err != nil || again != key {
			t.Fatalf("a key that was read is written and read as another: %v", err)
		}
	})
}

// FuzzTokenKeys: of a set that is taken only public keys are kept, and what is
// kept is taken again as it is.
func FuzzTokenKeys(f *testing.F) {
	o := newOffice(f)
	s := newSigner(f, jose.EdDSA, "k")
	f.Add(keySet(f, s.public()))
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"AAAA","d":"AAAA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","kid":"k","k":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, jwks []byte) {
		if err := o.SetTokenKeys(t.Context(), 1, jwks); err != nil {
			if !errors.Is(err, identity.ErrTokenKeysInvalid) {
				t.Fatal(err)
			}
			return
		}
		kept, err := o.TokenKeys(t.Context(), 1)
		check(t, err)
		var set jose.JSONWebKeySet
		check(t, json.Unmarshal(kept, &set))
		for _, key := range set.Keys {
			if !key.IsPublic() {
				t.Fatalf("kept %s", kept)
			}
		}
		check(t, o.SetTokenKeys(t.Context(), 1, kept))
		if again, err := o.TokenKeys(t.Context(), 1); err != nil || string(again) != string(kept) {
			t.Fatalf("%s became %s: %v", kept, again, err)
		}
	})
}
