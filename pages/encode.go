package pages

import (
	"encoding/binary"
	"fmt"
	"io"
)

// An encoded sequence of records:
//
//	| count u64 | size u32 | record 0 (size bytes) | record 1 | …
//
// All integers are little-endian.

// encodeBytes is about how much is handed to the writer at once.
const encodeBytes = 64 << 10

// Encode writes all records of a view, each as the size bytes that put appends.
func Encode[T any](w io.Writer, view View[T], size int, put func(dst []byte, record *T) []byte) error {
	buffer := make([]byte, 0, encodeBytes+size)
	buffer = binary.LittleEndian.AppendUint64(buffer, uint64(view.Len()))
	buffer = binary.LittleEndian.AppendUint32(buffer, uint32(size))
	for i := range view.Len() {
		before := len(buffer)
		if buffer = put(buffer, view.At(i)); len(buffer)-before != size {
			panic(fmt.Sprintf("pages: a record of %d bytes was encoded in %d", size, len(buffer)-before))
		}
		if len(buffer) >= encodeBytes {
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
	_, err := w.Write(buffer)
	return err
}

// Decode reads what Encode wrote. The memory it takes grows with what is
// really there, not with what the count claims.
func Decode[T any](r io.Reader, size int, get func(src []byte) T) (*Array[T], error) {
	var header [12]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, fmt.Errorf("reading the count of records: %w", err)
	}
	count := binary.LittleEndian.Uint64(header[:])
	if got := binary.LittleEndian.Uint32(header[8:]); got != uint32(size) {
		return nil, fmt.Errorf("records have %d bytes, expected %d", got, size)
	}
	array := &Array[T]{}
	perRead := max(encodeBytes/size, 1)
	buffer := make([]byte, perRead*size)
	for count > 0 {
		n := min(uint64(perRead), count)
		part := buffer[:int(n)*size]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, fmt.Errorf("reading records, %d to go: %w", count, err)
		}
		for ; len(part) > 0; part = part[size:] {
			array.Append(get(part[:size]))
		}
		count -= n
	}
	return array, nil
}
