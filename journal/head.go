package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// HeadFile is the second head in a file of its own. It has two places, and a
// save never writes over the newer whole one, so that a write that is cut off
// leaves that (little-endian):
//
//	place 0 at byte 0, place 1 at byte 512, each
//	| "ABHEAD01" | seq u64 | hash 32 | CRC-32C of the above u32 |
//
// A place that is all zeros has never been written.
type HeadFile struct {
	file File
	last uint64 // the sequence that was loaded or saved last
	in   int    // the place that holds it
}

// File is what a head is kept in. What was written is durable once Sync has
// returned nil.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

const (
	headMagic  = "ABHEAD01"
	headBytes  = 8 + 8 + 32 + 4
	headStride = 512
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// HeadIn returns the head that is kept in a file of 1024 bytes.
func HeadIn(file File) *HeadFile { return &HeadFile{file: file} }

// dataFile syncs without the metadata, which a save does not change.
type dataFile struct{ *os.File }

func (f dataFile) Sync() error { return syncData(f.File) }

// OpenHeadFile opens the file, making it if it is not there.
func OpenHeadFile(path string) (*HeadFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the second head: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() < 2*headStride {
		// Written in full at once, so that a later save changes no size and
		// the sync has no metadata to write.
		if _, err = file.WriteAt(make([]byte, 2*headStride-info.Size()), info.Size()); err == nil {
			err = file.Sync()
		}
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening the second head: %w", err)
	}
	return HeadIn(dataFile{file}), nil
}

// Load returns the newer of the two places. Damage of both is an error; of the
// only one that was ever written it is a first save that was cut off, as if
// there were none.
func (h *HeadFile) Load() (seq uint64, hash [32]byte, err error) {
	var content [2 * headStride]byte
	if _, err := h.file.ReadAt(content[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return 0, hash, fmt.Errorf("reading the second head: %w", err)
	}
	written, whole := 0, 0
	h.in = 0
	for place := range 2 {
		b := content[place*headStride:][:headBytes]
		if [headBytes]byte(b) == ([headBytes]byte{}) {
			continue
		}
		written++
		at, of, ok := readHead(b, headMagic)
		if !ok {
			continue
		}
		whole++
		if at > seq {
			seq, hash, h.in = at, of, place
		}
	}
	if written == 2 && whole == 0 {
		return 0, hash, fmt.Errorf("%w: both places of the second head are unreadable", ErrDamaged)
	}
	h.last = seq
	return seq, hash, nil
}

// appendHead appends a place: a magic of 8 bytes, sequence, hash and sum.
func appendHead(dst []byte, magic string, seq uint64, hash [32]byte) []byte {
	le, start := binary.LittleEndian, len(dst)
	dst = append(le.AppendUint64(append(dst, magic...), seq), hash[:]...)
	return le.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

func readHead(b []byte, magic string) (seq uint64, hash [32]byte, whole bool) {
	le := binary.LittleEndian
	whole = string(b[:8]) == magic && crc32.Checksum(b[:headBytes-4], castagnoli) == le.Uint32(b[headBytes-4:])
	return le.Uint64(b[8:]), [32]byte(b[16:48]), whole
}

// Save makes a head durable.
func (h *HeadFile) Save(seq uint64, hash [32]byte) error {
	place, other := appendHead(nil, headMagic, seq, hash), 1-h.in
	if _, err := h.file.WriteAt(place, int64(other)*headStride); err != nil {
		return err
	}
	if seq < h.last {
		// The other place would win: an operator accepts a shorter journal.
		if _, err := h.file.WriteAt(place, int64(h.in)*headStride); err != nil {
			return err
		}
	}
	if err := h.file.Sync(); err != nil {
		return err
	}
	h.last, h.in = seq, other
	return nil
}

// Close closes the file.
func (h *HeadFile) Close() error { return h.file.Close() }
