// Package identity knows who is who: the keys by which operators, worlds and
// persons act, and the people whom worlds report about.
//
// It is the one place that holds personal data besides the event store. What a
// world calls a person is found by a keyed hash and kept sealed; every person
// of a world has a data key of their own, and destroying that key erases what
// was sealed under it, wherever copies of it lie. docs/privacy.md says what
// remains.
package identity

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// What can go wrong that a caller tells apart. Everything else is a fault.
var (
	// ErrNotFound: there is no such key, ticket or subject.
	ErrNotFound = errors.New("not found")
	// ErrUnauthenticated: the secret is no live key.
	ErrUnauthenticated = errors.New("the key is not valid")
	// ErrErased: the subject's data key was destroyed.
	ErrErased = errors.New("the subject was erased")
	// ErrSealBroken: sealed bytes are cut, changed, or belong to another
	// subject or place.
	ErrSealBroken = errors.New("the sealed bytes are damaged or belong elsewhere")
	// ErrTicketSpent: a one-time link or code is unknown, used or expired.
	ErrTicketSpent = errors.New("the one-time code is unknown, used or expired")
	// ErrPersonHasKey: the person has a key of their own, so a world can no
	// longer ask for a claim code.
	ErrPersonHasKey = errors.New("the person already holds a key of their own")
	// ErrReferenceInvalid: a subject is named by one of user id and anonymous
	// id, of 1 to MaxExternalIDBytes bytes.
	ErrReferenceInvalid = errors.New("a subject is named by a user id or an anonymous id of 1 to 256 bytes, and by one of them only")
	// ErrOwnerInvalid: a key's owner does not fit its kind.
	ErrOwnerInvalid = errors.New("the owner of the key does not fit its kind")
	// ErrTooManyKeys: an owner has at most MaxLiveKeys keys that are not revoked.
	ErrTooManyKeys = errors.New("an owner has at most 100 live keys")
	// ErrLabelInvalid: a key's label has at most MaxLabelBytes bytes of UTF-8.
	ErrLabelInvalid = errors.New("a label has at most 100 bytes of UTF-8")
	// ErrTaken: a number or key that a store was to add is there already.
	ErrTaken = errors.New("taken already")
)

// Options are what a Registry may be told.
type Options struct {
	// NowMS is the clock, milliseconds since 1970-01-01 UTC. Required.
	NowMS func() int64
	// CachedSubjects bounds each of the two generations of subjects that are
	// found without the store; 0 means 100,000 (about 20 MB a generation).
	CachedSubjects int
	// CachedDataKeys bounds each of the two generations of data keys that are
	// ready for use; 0 means 20,000 (about 25 MB a generation).
	CachedDataKeys int
}

// Registry is the keys and the people of one bank. All its methods may be
// called from any goroutine. One process has one Registry for a store.
type Registry struct {
	store Store
	nowMS func() int64
	// master wraps data keys and the lookup secret; it never leaves memory.
	master       cipher.AEAD
	lookupSecret [32]byte

	// keysMu guards the keys that are live. Whoever changes them holds
	// changeMu as well, first, from before the store is written.
	keysMu   sync.RWMutex
	live     map[[32]byte]*liveKey
	liveByID map[string]*liveKey
	holders  map[Principal]int // how many live keys an owner has
	changeMu sync.Mutex

	// writeMu is held by whoever reads subjects from the store into the caches,
	// adds or erases subjects: so no cache gets a subject that was just erased.
	writeMu     sync.Mutex
	lastSubject uint64
	// lastUncertain is set while an addition has failed with an outcome that
	// is not known; lastSubject is then asked of the store again.
	lastUncertain bool

	// tokenMu guards the keys by which worlds sign tokens.
	tokenMu   sync.Mutex
	tokenSets map[uint32]*jose.JSONWebKeySet

	// cacheMu guards the caches, and is never held across the store.
	cacheMu  sync.Mutex
	subjects generations[SubjectRef, Subject]
	dataKeys generations[uint64, *dataKey]
}

// Open begins with what the store holds. A master key other than the one that
// the store was founded with is refused.
func Open(ctx context.Context, store Store, master [32]byte, options Options) (*Registry, error) {
	if options.NowMS == nil {
		return nil, errors.New("opening identity: no clock was given")
	}
	aead, err := newAEAD(master)
	if err != nil {
		return nil, fmt.Errorf("opening identity: %w", err)
	}
	r := &Registry{
		store: store, nowMS: options.NowMS, master: aead,
		live: make(map[[32]byte]*liveKey), liveByID: make(map[string]*liveKey), holders: make(map[Principal]int),
		tokenSets: make(map[uint32]*jose.JSONWebKeySet),
		subjects:  generations[SubjectRef, Subject]{size: orDefault(options.CachedSubjects, 100_000)},
		dataKeys:  generations[uint64, *dataKey]{size: orDefault(options.CachedDataKeys, 20_000)},
	}
	if err := r.found(ctx); err != nil {
		return nil, fmt.Errorf("opening identity: %w", err)
	}
	for key, err := range store.LiveKeys(ctx) {
		if err != nil {
			return nil, fmt.Errorf("opening identity: reading the keys: %w", err)
		}
		r.enter(key)
	}
	return r, nil
}

// Close saves on which day keys were last used. It does not close the store.
func (r *Registry) Close(ctx context.Context) error { return r.SaveLastUsed(ctx) }

// found makes the lookup secret on the first start and opens it on any other.
// That its seal opens is what shows the master key to be the right one.
func (r *Registry) found(ctx context.Context) error {
	secret := random32()
	sealed := sealUnder(r.master, secret[:], lookupSecretPlace)
	founding, err := r.store.Found(ctx, Founding{SealedLookupSecret: sealed})
	if err != nil {
		return fmt.Errorf("reading the founding record: %w", err)
	}
	opened, err := openUnder(r.master, founding.SealedLookupSecret, lookupSecretPlace)
	if err != nil || len(opened) != len(r.lookupSecret) {
		return errors.New("the master key is not the one that this data was founded with " +
			"(or the founding record is damaged): restore master.key, or set " + MasterKeyVariable + " to the right key")
	}
	r.lookupSecret = [32]byte(opened)
	r.lastSubject = founding.LastSubject
	return nil
}

func orDefault(value, otherwise int) int {
	if value > 0 {
		return value
	}
	return otherwise
}
