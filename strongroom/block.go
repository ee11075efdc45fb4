// Package strongroom encrypts what is put into a store. Its Journal, Events
// and Outbox stand in front of any store and hand it blocks that nobody reads without a
// key, so whoever takes the disk, the database or a backup has nothing.
//
// What the stores themselves must know stays in clear: sequences, times of
// arrival, numbers of subjects, days. docs/encryption.md says what that tells.
package strongroom

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A block is one thing that was encrypted (little-endian;
// docs/formats/block.md):
//
//	| "ABSR" | version u8 = 1 | kind u8 | key id 8 | salt 16 |
//	| nonce 12 | ciphertext | tag 16 |
//
// by AES-256-GCM under HKDF-SHA-256(store key, salt, kind). Additional data are
// the 30 bytes before the nonce and the place: where the block belongs.
// A snapshot begins in the same way and goes on in chunks; see snapshot.go.
const (
	blockMagic   = "ABSR"
	blockVersion = 1
	keyIDBytes   = 8
	saltBytes    = 16
	headBytes    = 4 + 1 + 1 + keyIDBytes + saltBytes
	nonceBytes   = 12
	tagBytes     = 16
	// maxPlace bounds the bytes that say where a block belongs.
	maxPlace = 16
)

type kind uint8

const (
	recordKind kind = iota + 1
	batchKind
	partKind
	snapshotKind
	messageKind
	kinds
)

func (k kind) String() string {
	return [...]string{recordKind: "record", batchKind: "batch", partKind: "part", snapshotKind: "snapshot", messageKind: "message"}[k]
}

// ErrBroken is wrapped when a block was changed, cut or put in another's place.
var ErrBroken = errors.New("the encrypted bytes are damaged or belong elsewhere")

// ErrNoKey is wrapped when a block was encrypted under a key that is not there.
var ErrNoKey = errors.New("the key is missing")

// isBlock reports whether bytes were encrypted. Nothing that the verbs write
// begins in this way.
func isBlock(b []byte) bool {
	return len(b) >= len(blockMagic) && string(b[:len(blockMagic)]) == blockMagic
}

// blocksPerSalt bounds how many random nonces are drawn under one key: two are
// the same with a probability of 2^-57.
const blocksPerSalt = 1 << 20

// season is the key under which blocks of a kind are written for a while.
type season struct {
	head   [headBytes]byte
	aead   cipher.AEAD
	blocks int
}

func newSeason(key *storeKey, k kind) (*season, error) {
	s := &season{}
	head := append(append(s.head[:0], blockMagic...), blockVersion, byte(k))
	head = append(head, key.id[:]...)
	if _, err := io.ReadFull(rand.Reader, s.head[len(head):]); err != nil {
		return nil, fmt.Errorf("drawing a salt: %w", err)
	}
	var err error
	s.aead, err = key.derive(k, s.head[len(head):])
	return s, err
}

// encrypt returns in block, whose room is used if there is enough, what stands
// for the pieces.
func (r *Keyring) encrypt(block []byte, k kind, place []byte, pieces ...[]byte) ([]byte, error) {
	s, err := r.season(k)
	if err != nil {
		return nil, err
	}
	size := headBytes + nonceBytes + tagBytes
	for _, piece := range pieces {
		size += len(piece)
	}
	if cap(block) < size {
		block = make([]byte, 0, size+size/8)
	}
	block = append(block[:0], s.head[:]...)
	block = block[:headBytes+nonceBytes]
	nonce := block[headBytes:]
	if _, err := io.ReadFull(rand.Reader, nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	for _, piece := range pieces {
		block = append(block, piece...)
	}
	plain := block[headBytes+nonceBytes:]
	var additional [headBytes + maxPlace]byte
	sealed := s.aead.Seal(plain[:0], nonce, plain, append(append(additional[:0], s.head[:]...), place...))
	return block[:headBytes+nonceBytes+len(sealed)], nil
}

// decrypt returns what was encrypted. The block is not changed.
func (r *Keyring) decrypt(block []byte, k kind, place []byte) ([]byte, error) {
	if len(block) < headBytes+nonceBytes+tagBytes {
		return nil, fmt.Errorf("%w: %d bytes are fewer than a block has", ErrBroken, len(block))
	}
	aead, err := r.aeadOf(block[:headBytes], k)
	if err != nil {
		return nil, err
	}
	nonce, sealed := block[headBytes:headBytes+nonceBytes], block[headBytes+nonceBytes:]
	var additional [headBytes + maxPlace]byte
	plain, err := aead.Open(make([]byte, 0, len(sealed)), nonce, sealed, append(append(additional[:0], block[:headBytes]...), place...))
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}

// aeadOf returns the cipher of a head.
func (r *Keyring) aeadOf(head []byte, k kind) (cipher.AEAD, error) {
	if head[4] != blockVersion {
		return nil, fmt.Errorf("its form is of version %d, this program knows %d: use a newer program", head[4], blockVersion)
	}
	if kind(head[5]) != k {
		return nil, fmt.Errorf("%w: it is no %s", ErrBroken, k)
	}
	id := keyID(head[6 : 6+keyIDBytes])
	key, found := r.keys[id]
	if !found {
		return nil, fmt.Errorf("%w: it is encrypted under store key %s, and %s: the bytes are of another bank, or the store keys of another copy", ErrNoKey, id, r.lacks())
	}
	return key.deriveCached(k, [saltBytes]byte(head[6+keyIDBytes:]))
}

// numberPlace says that a block belongs at a number.
func numberPlace(number uint64) []byte { return binary.LittleEndian.AppendUint64(nil, number) }
