package bank

import "encoding/binary"

// Commands and facts are little-endian. A string is its length in one byte
// (two where said) and its bytes.

var le = binary.LittleEndian

func appendI64(dst []byte, v int64) []byte { return le.AppendUint64(dst, uint64(v)) }

// appendText8 appends a string; one that is too long is cut to 255 bytes by no
// one: callers check lengths before, and Apply checks them again.
func appendText8(dst []byte, s string) []byte {
	if len(s) > 255 {
		s = s[:255]
	}
	return append(append(dst, uint8(len(s))), s...)
}

// reader takes fields off the front of a command or fact. After a field that
// is not there it returns zeros, and short stays true.
type reader struct {
	src   []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.src) < n {
		r.short = true
		r.src = nil
		return zeros[:n]
	}
	field := r.src[:n]
	r.src = r.src[n:]
	return field
}

var zeros [1 << 16]byte

func (r *reader) u8() uint8        { return r.take(1)[0] }
func (r *reader) u16() uint16      { return le.Uint16(r.take(2)) }
func (r *reader) u32() uint32      { return le.Uint32(r.take(4)) }
func (r *reader) u64() uint64      { return le.Uint64(r.take(8)) }
func (r *reader) i64() int64       { return int64(r.u64()) }
func (r *reader) id() [16]byte     { return [16]byte(r.take(16)) }
func (r *reader) digest() [32]byte { return [32]byte(r.take(32)) }
func (r *reader) text8() []byte    { return r.take(int(r.u8())) }
func (r *reader) text16() []byte   { return r.take(int(r.u16())) }
func (r *reader) finished() bool   { return !r.short && len(r.src) == 0 }
func (r *reader) bool() bool       { return r.u8() == 1 }
func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}
