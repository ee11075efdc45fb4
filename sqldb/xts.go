package sqldb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

// xts is AES-256 in XTS mode (IEEE 1619, NIST SP 800-38E), the mode of disks:
// a block of 16 bytes is encrypted by what it is and where it lies, so any part
// of a file can be read and written, and nothing becomes longer. It hides what
// is there and does not show whether it was changed, which is enough for tables
// that are made again from the journal. It is written out here because a part
// of a unit can be asked for.
type xts struct{ data, tweak cipher.Block }

const (
	xtsBlock = 16
	// xtsUnit is the unit of the mode; the pages of a database are as long.
	xtsUnit = 4096
)

// newXTS returns the cipher of one of the files of a database.
func newXTS(key [32]byte, file string) (xts, error) {
	both, err := hkdf.Key(sha256.New, key[:], nil, "attentionbank/sqlite-file/1/"+file, 64)
	if err != nil {
		return xts{}, err
	}
	data, err := aes.NewCipher(both[:32])
	if err != nil {
		return xts{}, err
	}
	tweak, err := aes.NewCipher(both[32:])
	return xts{data, tweak}, err
}

// crypt encrypts or decrypts, in place, the whole blocks at an offset of a file.
func (x xts) crypt(b []byte, offset int64, block func(dst, src []byte)) {
	for len(b) > 0 {
		within := offset % xtsUnit
		n := min(int64(len(b)), xtsUnit-within)
		x.unit(b[:n], uint64(offset/xtsUnit), int(within/xtsBlock), block)
		b, offset = b[n:], offset+n
	}
}

// unit does so with blocks of one unit, of which the first has a number.
func (x xts) unit(b []byte, number uint64, first int, block func(dst, src []byte)) {
	var start [xtsBlock]byte
	binary.LittleEndian.PutUint64(start[:], number)
	x.tweak.Encrypt(start[:], start[:])
	low, high := binary.LittleEndian.Uint64(start[:]), binary.LittleEndian.Uint64(start[8:])
	double := func() { // in GF(2^128) by x^128 + x^7 + x^2 + x + 1
		carry := high >> 63
		high = high<<1 | low>>63
		low = low<<1 ^ carry*0x87
	}
	for range first {
		double()
	}
	mix := func(at []byte) {
		binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)^low)
		binary.LittleEndian.PutUint64(at[8:], binary.LittleEndian.Uint64(at[8:])^high)
	}
	for ; len(b) > 0; b = b[xtsBlock:] {
		mix(b)
		block(b[:xtsBlock], b[:xtsBlock])
		mix(b)
		double()
	}
}

func (x xts) encrypt(b []byte, offset int64) { x.crypt(b, offset, x.data.Encrypt) }
func (x xts) decrypt(b []byte, offset int64) { x.crypt(b, offset, x.data.Decrypt) }
