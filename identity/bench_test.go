package identity_test

import (
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

// Keys and subjects are in memory: what is measured is the way of one event
// through identity once its person has been seen.

func BenchmarkAuthenticate(b *testing.B) {
	o := newOffice(b)
	_, secret, err := o.CreateKey(b.Context(), identity.Principal{Kind: identity.Server, World: 1}, "")
	check(b, err)
	for b.Loop() {
		if _, err := o.Authenticate(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	o := newOffice(b)
	refs := make([]identity.SubjectRef, 100)
	for i := range refs {
		refs[i] = identity.SubjectRef{World: 1, UserID: fmt.Sprintf("user-%d", i)}
	}
	for b.Loop() {
		if _, err := o.Resolve(b.Context(), refs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(refs)), "ns/subject")
}

func BenchmarkSeal300(b *testing.B) {
	o := newOffice(b)
	number := o.user(1, "ann").Number
	plain, place := make([]byte, 300), []byte("event")
	dst := make([]byte, 0, len(plain)+identity.SealOverhead)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, err := o.Seal(b.Context(), number, dst, plain, place); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen300(b *testing.B) {
	o := newOffice(b)
	sealed, err := o.Seal(b.Context(), o.user(1, "ann").Number, nil, make([]byte, 300), nil)
	check(b, err)
	dst := make([]byte, 0, 300)
	for b.Loop() {
		if _, err := o.Open(b.Context(), dst, sealed, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	o := newOffice(b)
	number := o.user(1, "ann").Number
	for b.Loop() {
		if _, err := o.Derive(b.Context(), number, "day 20000 world 1"); err != nil {
			b.Fatal(err)
		}
	}
}
