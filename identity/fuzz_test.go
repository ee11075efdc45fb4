package identity_test

import (
	"bytes"
	"strings"
	"testing"

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
