package strongroom

import (
	"bufio"
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An encrypted snapshot is the head of a block with a salt of its own, and
// chunks (little-endian):
//
//	| head 30 | chunk 0 | chunk 1 | ... | last chunk |
//
// Each chunk is 64 KiB, the last one less or as much, and its tag of 16. Its nonce is
// | number u64 | 1 for the last chunk, else 0, u32 |, so that chunks cannot
// change places and an end that is missing is noticed. Additional data are the
// head and the sequence.
const chunkBytes = 64 << 10

// chunks is the cipher of a snapshot and how far it has come.
type chunks struct {
	aead       cipher.AEAD
	additional []byte
	number     uint64
	plain      []byte
	sealed     []byte
}

func newChunks(aead cipher.AEAD, head []byte, seq uint64) chunks {
	return chunks{aead: aead, additional: append(bytes.Clone(head), numberPlace(seq)...), sealed: make([]byte, 0, chunkBytes+tagBytes)}
}

// next returns the nonce of the next chunk.
func (c *chunks) next(last bool) []byte {
	nonce := binary.LittleEndian.AppendUint64(make([]byte, 0, nonceBytes), c.number)
	c.number++
	if last {
		return binary.LittleEndian.AppendUint32(nonce, 1)
	}
	return binary.LittleEndian.AppendUint32(nonce, 0)
}

type chunkWriter struct {
	chunks
	dst io.Writer
}

func newChunkWriter(dst io.Writer, key *storeKey, seq uint64) (*chunkWriter, error) {
	s, err := newSeason(key, snapshotKind)
	if err != nil {
		return nil, err
	}
	w := &chunkWriter{newChunks(s.aead, s.head[:], seq), dst}
	w.plain = make([]byte, 0, chunkBytes)
	_, err = dst.Write(s.head[:])
	return w, err
}

// Write implements io.Writer. A full chunk waits until it is known whether it
// is the last.
func (w *chunkWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		if len(w.plain) == chunkBytes {
			if err := w.put(false); err != nil {
				return n, err
			}
		}
		taken := min(len(b), chunkBytes-len(w.plain))
		w.plain = append(w.plain, b[:taken]...)
		n, b = n+taken, b[taken:]
	}
	return n, nil
}

func (w *chunkWriter) put(last bool) error {
	w.sealed = w.aead.Seal(w.sealed[:0], w.next(last), w.plain, w.additional)
	w.plain = w.plain[:0]
	_, err := w.dst.Write(w.sealed)
	return err
}

func (w *chunkWriter) finish() error { return w.put(true) }

type chunkReader struct {
	chunks
	src   *bufio.Reader
	close io.Closer
	done  bool
	err   error
}

// newChunkReader reads a snapshot. One that is not encrypted is read as it is.
func newChunkReader(src io.ReadCloser, ring *Keyring, seq uint64) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(src, chunkBytes+tagBytes+1)
	r := &chunkReader{src: buffered, close: src}
	head, err := buffered.Peek(headBytes)
	if !isBlock(head) {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{buffered, src}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: its head is cut off", ErrBroken)
	}
	aead, err := ring.aeadOf(head, snapshotKind)
	if err != nil {
		return nil, err
	}
	r.chunks = newChunks(aead, head, seq)
	buffered.Discard(headBytes) // is there
	return r, nil
}

// Read implements io.Reader. It returns nothing that was not authenticated.
func (r *chunkReader) Read(into []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.err == nil && r.done {
			r.err = io.EOF
		}
		if r.err != nil {
			return 0, r.err
		}
		r.err = r.fill()
	}
	n := copy(into, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

func (r *chunkReader) fill() error {
	sealed := r.sealed[:chunkBytes+tagBytes]
	n, err := io.ReadFull(r.src, sealed)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	_, err = r.src.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.done = err != nil
	r.plain, err = r.aead.Open(sealed[:0], r.next(r.done), sealed[:n], r.additional)
	if err != nil {
		r.plain = nil
		return fmt.Errorf("%w: chunk %d of the snapshot", ErrBroken, r.number-1)
	}
	return nil
}

// Close implements io.Closer.
func (r *chunkReader) Close() error { return r.close.Close() }
