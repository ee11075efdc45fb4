package strongroom

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	path    string
	entries []Entry
	keys    map[keyID]*storeKey
	writing *storeKey

	mu      sync.Mutex
	seasons [kinds]*season // under mu
}

// Entry is a line of the file of store keys.
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
		return "there is no " + r.path
	}
	return r.path + " does not have it"
}

// The file of store keys is text, a line a key:
//
//	ID CREATED WRAPPED
//
// Lines that begin with # are for people. The file is part of every backup: it
// opens nothing without what has wrapped its keys.
const fileHead = "# Store keys of this bank, each wrapped; the last one writes. Without this file what is\n" +
	"# encrypted under them is lost: backups have a copy. docs/encryption.md\n"

// OpenKeyring reads a file of store keys. Without the file the Keyring is empty.
func OpenKeyring(ctx context.Context, path string, keys Keys) (*Keyring, error) {
	r := &Keyring{path: path, keys: map[keyID]*storeKey{}}
	entries, err := ReadEntries(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		secret, err := keys.Unwrap(ctx, entry.Wrapped)
		if err != nil {
			return nil, fmt.Errorf("unwrapping store key %s of %s: %w", entry.ID, path, err)
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
		return fmt.Errorf("unwrapping store key %s of %s: it is key %s", entry.ID, r.path, key.id)
	}
	r.entries = append(r.entries, entry)
	r.keys[key.id] = key
	r.writing, r.seasons = key, [kinds]*season{}
	return nil
}

// ReadEntries reads a file of store keys without unwrapping them.
func ReadEntries(path string) (entries []Entry, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the store keys: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("reading the store keys: line %d of %s: expected an id, a time and a wrapped key", number, path)
		}
		created, err := time.Parse(time.RFC3339, fields[1])
		if err != nil {
			return nil, fmt.Errorf("reading the store keys: line %d of %s: %q is no time", number, path, fields[1])
		}
		entries = append(entries, Entry{ID: fields[0], Created: created, Wrapped: fields[2]})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the store keys: %w", err)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("reading the store keys: %s has none: restore it from a backup", path)
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
	if err := writeEntries(r.path, append(r.entries[:len(r.entries):len(r.entries)], entry)); err != nil {
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
	if err := writeEntries(r.path, entries); err != nil {
		return err
	}
	r.entries = entries
	return nil
}

// writeEntries replaces the file in one step.
func writeEntries(path string, entries []Entry) error {
	var text strings.Builder
	text.WriteString(fileHead)
	for _, entry := range entries {
		fmt.Fprintf(&text, "%s %s %s\n", entry.ID, entry.Created.Format(time.RFC3339), entry.Wrapped)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".store.keys-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing the store keys: %w", err)
	}
	defer os.Remove(file.Name()) // does nothing once it has its name
	_, err = file.WriteString(text.String())
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing the store keys: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	// A folder cannot be synced on every system; the file itself is.
	syncErr := folder.Sync()
	if errors.Is(syncErr, errors.ErrUnsupported) || errors.Is(syncErr, fs.ErrPermission) || errors.Is(syncErr, fs.ErrInvalid) {
		syncErr = nil
	}
	return errors.Join(syncErr, folder.Close())
}
