package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Kind says who acts by a key.
type Kind uint8

// The kinds of key. Their numbers are kept in stores and must not change.
const (
	// Operator runs the bank.
	Operator Kind = iota + 1
	// Write sends a world's events. It lies open in clients, so it proves
	// nothing about whom an event is about.
	Write
	// Server speaks for a world.
	Server
	// Person is one person of a world.
	Person
	// User is a world's user by a token of the world. There are no keys of this
	// kind: a token is no credential of the person.
	User
)

var kindNames = [...]string{Operator: "operator", Write: "write", Server: "server", Person: "person", User: "user"}
var kindPrefixes = [...]string{Operator: "ab_op_", Write: "ab_wk_", Server: "ab_sk_", Person: "ab_pk_"}

// String returns the name of the kind.
func (k Kind) String() string {
	if k < Operator || k > User {
		return "unknown"
	}
	return kindNames[k]
}

// ParseKind returns the kind of key of a name.
func ParseKind(name string) (Kind, bool) {
	for k := Operator; k <= Person; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// Principal is who acts. The zero Principal is nobody.
type Principal struct {
	Kind Kind
	// KeyID is the id of the key that was shown. It is empty when a Principal
	// names the owner of keys.
	KeyID string
	// World is the world of a write or server key, and the world in which a
	// person is known; 0 for an operator.
	World uint32
	// Subject and PersonID tell whose key a person's is; zero for others. An
	// operator's key has the operator's number as Subject, 0 for the first.
	Subject  uint64
	PersonID [16]byte
}

// owner is p as the owner of keys, whichever key was shown.
func (p Principal) owner() Principal {
	p.KeyID = ""
	return p
}

func (p Principal) valid() bool {
	named := p.Subject != 0 && p.PersonID != [16]byte{}
	unnamed := p.Subject == 0 && p.PersonID == [16]byte{}
	switch p.Kind {
	case Operator:
		return p.World == 0 && p.PersonID == [16]byte{}
	case Write, Server:
		return p.World != 0 && unnamed
	case Person:
		return p.World != 0 && named
	}
	return false
}

// Key is what is known of a key; its secret is not.
type Key struct {
	ID        string
	Hash      [32]byte // SHA-256 of the secret
	Owner     Principal
	Label     string // at most MaxLabelBytes
	CreatedMS int64
	RevokedMS int64 // 0 while live
	// LastUsedDay is the day of the last use, days since 1970-01-01 UTC, 0 if
	// never used. A day is enough to find forgotten keys and too coarse to
	// follow a person by.
	LastUsedDay int32
}

// MaxLabelBytes bounds the label of a key.
const MaxLabelBytes = 100

// MaxLiveKeys bounds the keys of an owner that are not revoked: all live keys
// are in memory, and persons make keys by themselves.
const MaxLiveKeys = 100

// A secret is its kind's prefix and 32 random bytes in base64url, which is 43
// characters. Only its SHA-256 is kept: 256 random bits need no slow hash.
const secretTail = 43

// ParseSecret returns the kind of a key's secret and the hash by which it is
// kept. It says nothing about whether the key is live.
func ParseSecret(secret string) (Kind, [32]byte, error) {
	for k := Operator; k <= Person; k++ {
		tail, found := strings.CutPrefix(secret, kindPrefixes[k])
		if !found {
			continue
		}
		if !isTail(tail) {
			break
		}
		return k, sha256.Sum256([]byte(secret)), nil
	}
	return 0, [32]byte{}, fmt.Errorf("%w: a key is ab_op_, ab_wk_, ab_sk_ or ab_pk_ and %d characters of A-Z a-z 0-9 - _", ErrUnauthenticated, secretTail)
}

func isTail(tail string) bool {
	if len(tail) != secretTail {
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(tail)
	return err == nil && len(raw) == 32
}

func newSecret(prefix string) (secret string, hash [32]byte) {
	raw := random32()
	secret = prefix + base64.RawURLEncoding.EncodeToString(raw[:])
	return secret, sha256.Sum256([]byte(secret))
}

// random32 returns 32 random bytes. crypto/rand does not fail: it ends the
// process instead.
func random32() (b [32]byte) {
	rand.Read(b[:])
	return b
}

func random16() (b [16]byte) {
	rand.Read(b[:])
	return b
}

func newKeyID() string {
	id := random16()
	return "key_" + hex.EncodeToString(id[:10])
}
