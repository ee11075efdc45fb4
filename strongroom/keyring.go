package strongroom

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Keys is whatever keeps the one secret: a file, the environment, a key
// service. Store keys are wrapped by it, and lie wrapped beside the data.
type Keys interface {
	// Wrap returns a text, without white space, that only these Keys unwrap.
	Wrap(ctx context.Context, secret [32]byte) (string, error)
	// Unwrap returns what was wrapped; an error says which key is missing.
	Unwrap(ctx context.Context, wrapped string) ([32]byte, error)
}

// Keyring is the store keys of a bank. All can be read under, the last is
// written under. A Keyring without keys lets everything pass as it is.
type Keyring struct {
	store   KeyStore
	entries []Entry
	keys    map[keyID]*storeKey
	writing *storeKey

	mu      sync.Mutex
	seasons [kinds]*season // under mu
}

// Entry is a store key as it is kept.
type Entry struct {
	ID      string // 16 hexadecimal digits
	Created time.Time
	Wrapped string
}

type keyID [keyIDBytes]byte

func (id keyID) String() string { return hex.EncodeToString(id[:]) }

// storeKey is a data key, ready for use.
type storeKey struct {
	id     keyID
	secret [32]byte

	mu     sync.Mutex
	recent map[derived]cipher.AEAD // under mu
}

type derived struct {
	kind kind
	salt [saltBytes]byte
}

// maxRecent bounds the ciphers that are kept ready for reading; there is one
// more for every start of a bank, million blocks, or snapshot.
const maxRecent = 64

// newStoreKey derives the id from the secret, so that an entry cannot be given
// the id of another.
func newStoreKey(secret [32]byte) *storeKey {
	h := hmac.New(sha256.New, secret[:])
	h.Write([]byte("attentionbank/store-key-id/1"))
	return &storeKey{id: keyID(h.Sum(nil)), secret: secret, recent: map[derived]cipher.AEAD{}}
}

func (s *storeKey) derive(k kind, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, s.secret[:], salt, "attentionbank/strongroom/1/"+k.String(), 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return gcm([32]byte(key))
}

func gcm(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s *storeKey) deriveCached(k kind, salt [saltBytes]byte) (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := derived{k, salt}
	if aead, found := s.recent[name]; found {
		return aead, nil
	}
	aead, err := s.derive(k, salt[:])
	if err != nil {
		return nil, err
	}
	if len(s.recent) >= maxRecent {
		clear(s.recent)
	}
	s.recent[name] = aead
	return aead, nil
}

// season returns the key to write a block of a kind under.
func (r *Keyring) season(k kind) (*season, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.seasons[k]
	if s == nil || s.blocks >= blocksPerSalt {
		var err error
		if s, err = newSeason(r.writing, k); err != nil {
			return nil, err
		}
		r.seasons[k] = s
	}
	s.blocks++
	return s, nil
}

// Encrypts reports whether what is written is encrypted.
func (r *Keyring) Encrypts() bool { return r.writing != nil }

// Entries returns the store keys, the one that is written under last.
func (r *Keyring) Entries() []Entry { return r.entries }

// Derive returns a key for a purpose of its own, which stays the same when keys
// rotate. There must be a store key.
func (r *Keyring) Derive(purpose string) ([32]byte, error) {
	id, err := hex.DecodeString(r.entries[0].ID)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving a key: %w", err)
	}
	key, err := hkdf.Key(sha256.New, r.keys[keyID(id)].secret[:], nil, "attentionbank/"+purpose, 32)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving a key: %w", err)
	}
	return [32]byte(key), nil
}

// lacks says why a key is not there.
func (r *Keyring) lacks() string {
	if len(r.entries) == 0 {
		return "the journal has no store keys"
	}
	return "it is none of the " + strconv.Itoa(len(r.entries)) + " that the journal has"
}

// KeyStore keeps the text of the store keys, beside the journal that they open:
// one cannot be lost without the other.
type KeyStore interface {
	// StoreKeys returns what was saved last; empty for nothing.
	StoreKeys(ctx context.Context) (text string, err error)
	// SaveStoreKeys replaces it, and returns when that is durable.
	SaveStoreKeys(ctx context.Context, text string) error
}

// The text of store keys has a line a key:
//
//	ID CREATED WRAPPED
//
// It opens nothing without what has wrapped the keys.

// OpenKeyring reads the store keys. If there are any, it asks for what has
// wrapped them; otherwise the Keyring is empty.
func OpenKeyring(ctx context.Context, store KeyStore, by func(context.Context) (Keys, error)) (*Keyring, error) {
	r := &Keyring{store: store, keys: map[keyID]*storeKey{}}
	text, err := store.StoreKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the store keys: %w", err)
	}
	entries, err := ParseEntries(text)
	if err != nil || len(entries) == 0 {
		return r, err
	}
	keys, err := by(ctx)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		secret, err := keys.Unwrap(ctx, entry.Wrapped)
		if err != nil {
			return nil, fmt.Errorf("unwrapping store key %s: %w", entry.ID, err)
		}
		if err := r.add(entry, secret); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Keyring) add(entry Entry, secret [32]byte) error {
	key := newStoreKey(secret)
	if key.id.String() != entry.ID {
		return fmt.Errorf("unwrapping store key %s: it is key %s", entry.ID, key.id)
	}
	r.entries = append(r.entries, entry)
	r.keys[key.id] = key
	r.writing, r.seasons = key, [kinds]*season{}
	return nil
}

// ParseEntries reads the text of store keys without unwrapping them.
func ParseEntries(text string) (entries []Entry, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("reading the store keys: line %d: expected an id, a time and a wrapped key", number)
		}
		created, err := time.Parse(time.RFC3339, fields[1])
		if err != nil {
			return nil, fmt.Errorf("reading the store keys: line %d: %q is no time", number, fields[1])
		}
		entries = append(entries, Entry{ID: fields[0], Created: created, Wrapped: fields[2]})
	}
	return entries, nil
}

// Rotate makes a new store key, under which everything is written from now on,
// and returns once it is durable.
func (r *Keyring) Rotate(ctx context.Context, keys Keys, now time.Time) error {
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	wrapped, err := keys.Wrap(ctx, secret)
	if err != nil {
		return fmt.Errorf("wrapping a new store key: %w", err)
	}
	entry := Entry{ID: newStoreKey(secret).id.String(), Created: now.UTC().Truncate(time.Second), Wrapped: wrapped}
	if err := r.save(ctx, append(r.entries[:len(r.entries):len(r.entries)], entry)); err != nil {
		return err
	}
	return r.add(entry, secret)
}

// Rewrap wraps all store keys by other Keys, and returns once that is durable.
// What is encrypted stays as it is.
func (r *Keyring) Rewrap(ctx context.Context, keys Keys) error {
	entries := make([]Entry, len(r.entries))
	for i, entry := range r.entries {
		id, err := hex.DecodeString(entry.ID)
		if err != nil {
			return fmt.Errorf("wrapping store key %s: %w", entry.ID, err)
		}
		entries[i] = entry
		if entries[i].Wrapped, err = keys.Wrap(ctx, r.keys[keyID(id)].secret); err != nil {
			return fmt.Errorf("wrapping store key %s: %w", entry.ID, err)
		}
	}
	if err := r.save(ctx, entries); err != nil {
		return err
	}
	r.entries = entries
	return nil
}

func (r *Keyring) save(ctx context.Context, entries []Entry) error {
	var text strings.Builder
	for _, entry := range entries {
		fmt.Fprintf(&text, "%s %s %s\n", entry.ID, entry.Created.Format(time.RFC3339), entry.Wrapped)
	}
	if err := r.store.SaveStoreKeys(ctx, text.String()); err != nil {
		return fmt.Errorf("saving the store keys: %w", err)
	}
	return nil
}
