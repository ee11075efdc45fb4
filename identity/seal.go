package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sealed bytes are
//
//	| format u8 = 1 | subject u64 | nonce 12 | ciphertext | tag 16 |
//
// by AES-256-GCM under the subject's key, with what the caller says about the
// place as additional data. The subject's number needs no seal of its own: a
// changed one leads to another key, under which the tag is wrong. See
// docs/formats/sealed.md.
const (
	sealFormat   = 1
	sealHeader   = 1 + 8
	nonceAndTag  = 12 + 16
	SealOverhead = sealHeader + nonceAndTag // bytes that sealing adds
)

// What is sealed says where it belongs, so that no sealed bytes can be put in
// the place of others.
var (
	lookupSecretPlace = []byte("attentionbank/lookup-secret/1")
	externalIDPlace   = []byte("attentionbank/external-id/1")
)

func wrappedKeyPlace(number uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte("attentionbank/data-key/1/"), number)
}

// newAEAD returns AES-256-GCM that draws a random nonce for each seal and
// writes it before the ciphertext. 96 random bits are safe for some 2^32 seals
// of one key, a hundred a second for a year; each subject has a key of its own.
func newAEAD(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func sealUnder(aead cipher.AEAD, plaintext, place []byte) []byte {
	return aead.Seal(nil, nil, plaintext, place)
}

func openUnder(aead cipher.AEAD, sealed, place []byte) ([]byte, error) {
	return aead.Open(nil, nil, sealed, place)
}

// dataKey is a subject's key, ready for use.
type dataKey struct {
	aead cipher.AEAD
	// derive keys the HMAC of Derive. It and the key of aead come from the
	// data key by HMAC with different texts, so neither tells of the other.
	derive [32]byte
}

func newDataKey(secret [32]byte) *dataKey {
	aead, err := newAEAD(mac(secret, "attentionbank/seal/1"))
	if err != nil {
		panic(fmt.Sprintf("identity: AES refused a key of 32 bytes: %v", err))
	}
	return &dataKey{aead: aead, derive: mac(secret, "attentionbank/derive/1")}
}

func mac(key [32]byte, text string) [32]byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(text))
	return [32]byte(h.Sum(nil))
}

func (k *dataKey) seal(dst []byte, number uint64, plaintext, additional []byte) []byte {
	dst = append(dst, sealFormat)
	dst = binary.LittleEndian.AppendUint64(dst, number)
	return k.aead.Seal(dst, nil, plaintext, additional)
}

// Seal appends plaintext, sealed under the key of a subject, to dst. Whoever
// opens it must give the same additional bytes. It returns ErrErased for an
// erased subject and ErrNotFound for an unknown one.
func (r *Registry) Seal(ctx context.Context, number uint64, dst, plaintext, additional []byte) ([]byte, error) {
	key, err := r.dataKey(ctx, number)
	if err != nil {
		return dst, fmt.Errorf("sealing for subject %d: %w", number, err)
	}
	return key.seal(dst, number, plaintext, additional), nil
}

// SealedFor returns the subject under whose key bytes were sealed.
func SealedFor(sealed []byte) (number uint64, err error) {
	if len(sealed) < SealOverhead {
		return 0, fmt.Errorf("%w: %d bytes are fewer than the %d of an empty seal", ErrSealBroken, len(sealed), SealOverhead)
	}
	if sealed[0] != sealFormat {
		return 0, fmt.Errorf("%w: the format is %d, known is %d", ErrSealBroken, sealed[0], sealFormat)
	}
	return binary.LittleEndian.Uint64(sealed[1:]), nil
}

// Open appends to dst what was sealed. It returns ErrErased if the subject was
// erased, and ErrSealBroken if the bytes or additional are not what was sealed.
func (r *Registry) Open(ctx context.Context, dst, sealed, additional []byte) ([]byte, error) {
	number, err := SealedFor(sealed)
	if err != nil {
		return dst, fmt.Errorf("opening: %w", err)
	}
	key, err := r.dataKey(ctx, number)
	if err != nil {
		return dst, fmt.Errorf("opening for subject %d: %w", number, err)
	}
	opened, err := key.aead.Open(dst, nil, sealed[sealHeader:], additional)
	if err != nil {
		return dst, fmt.Errorf("opening for subject %d: %w", number, ErrSealBroken)
	}
	return opened, nil
}

// Derive returns HMAC-SHA-256 of a label under the key of a subject: the same
// for ever, unknown to everyone else, and gone with the subject's key.
func (r *Registry) Derive(ctx context.Context, number uint64, label string) ([32]byte, error) {
	key, err := r.dataKey(ctx, number)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving for subject %d: %w", number, err)
	}
	return mac(key.derive, label), nil
}

// dataKey returns the key of a subject, unwrapped once and then from memory.
func (r *Registry) dataKey(ctx context.Context, number uint64) (*dataKey, error) {
	r.cacheMu.Lock()
	key, found := r.dataKeys.get(number)
	r.cacheMu.Unlock()
	if found {
		return key, nil
	}
	r.writeMu.Lock()
	defer r.writeMu.Unlock()
	record, err := r.store.Subject(ctx, number)
	if err != nil {
		return nil, err
	}
	if key, err = r.unwrap(record); err != nil {
		return nil, err
	}
	r.remember(nil, map[uint64]*dataKey{number: key})
	return key, nil
}

// unwrap opens the wrapped key of a record.
func (r *Registry) unwrap(record SubjectRecord) (*dataKey, error) {
	if record.ErasedMS != 0 {
		return nil, ErrErased
	}
	secret, err := openUnder(r.master, record.WrappedKey, wrappedKeyPlace(record.Number))
	if err != nil {
		return nil, fmt.Errorf("the wrapped key of subject %d: %w", record.Number, ErrSealBroken)
	}
	if len(secret) != 32 {
		return nil, errors.New("a data key has 32 bytes")
	}
	return newDataKey([32]byte(secret)), nil
}

// BankSecret returns a secret of the bank for a purpose: the same for ever,
// different for each, unknown to everyone else.
func (r *Registry) BankSecret(purpose string) [32]byte {
	return mac(mac(r.lookupSecret, "attentionbank/bank-secret/1"), purpose)
}

// WorldSecret returns HMAC-SHA-256 of a label under the bank's own secret: the
// same for ever, different for each world and label, unknown to everyone else.
func (r *Registry) WorldSecret(world uint32, label string) [32]byte {
	return mac(mac(r.lookupSecret, "attentionbank/world-secret/1"), fmt.Sprintf("%d/%s", world, label))
}
