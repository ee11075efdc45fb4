// Package event is what a world reports of a person's behaviour: its meaning,
// its canonical bytes and how it is read from the wire.
package event

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Call is the kind of report, as analytics clients know it.
type Call uint8

// The calls. The names on the wire are the lower-case words.
const (
	Track Call = iota + 1
	Page
	Screen
	Identify
	Group
	Alias
)

var callNames = [...]string{"", "track", "page", "screen", "identify", "group", "alias"}

// String returns the name on the wire.
func (c Call) String() string {
	if int(c) >= len(callNames) {
		return ""
	}
	return callNames[c]
}

// ParseCall reads a name on the wire; zero if it is none.
func ParseCall(name []byte) Call {
	for c := Track; c <= Alias; c++ {
		if callNames[c] == string(name) {
			return c
		}
	}
	return 0
}

// Bounds of an event.
const (
	MaxBytes      = 32 << 10 // of its JSON
	MaxDepth      = 32
	MaxKeys       = 1000 // members of one object
	MaxID         = 256  // bytes of an id
	MaxName       = 256  // bytes of an event's name
	MaxProperties = 32   // scalar properties that are kept
	MaxProperty   = 128  // bytes of a property's name or value; longer ones are not kept
	// MaxCoversMS is the longest interval that one event may claim, a week. It
	// is for imports; a policy allows live events far less.
	MaxCoversMS = 7 * 24 * 60 * 60 * 1000
)

// Event is one report. Strings are UTF-8 without control characters.
type Event struct {
	Call Call
	// Type is the event's name for track ("Order Completed"), and the call's
	// name for the other calls.
	Type string
	// MessageID is the client's id of this report; a retry carries the same.
	MessageID string
	// UserID and AnonymousID are the world's ids of the person; at least one
	// is there.
	UserID, AnonymousID string
	// TimeMS is when it happened by the client's clock, SentMS when the client
	// sent it by the same clock, both in ms since 1970-01-01 UTC; zero if the
	// client did not say.
	TimeMS, SentMS int64
	// CoversMS is an interval from TimeMS on, Count a number of interactions
	// that an import vouches for. If either is set, they replace what the
	// policy says of an event of this name; both are zero for live events.
	CoversMS, Count int64
	// Properties are the scalar properties, by name.
	Properties []Property
}

// Property is a scalar property. A number's value is its text on the wire.
type Property struct{ Name, Value string }

// Property returns the value of a property, and whether it is there.
func (e *Event) Property(name string) (value string, found bool) {
	for i := range e.Properties {
		if e.Properties[i].Name == name {
			return e.Properties[i].Value, true
		}
	}
	return "", false
}

// The canonical bytes of an event (little-endian), which the event store seals:
//
//	| version u8 = 1 | call u8 | time i64 | sent i64 | covers i64 | count i64 |
//	| type | message id | user id | anonymous id | each: length u16, bytes
//	| properties u8 | per property: name, value, each: length u16, bytes
const canonicalVersion = 1

// AppendTo appends the canonical bytes.
func (e *Event) AppendTo(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, canonicalVersion, uint8(e.Call))
	for _, n := range [...]int64{e.TimeMS, e.SentMS, e.CoversMS, e.Count} {
		dst = le.AppendUint64(dst, uint64(n))
	}
	for _, s := range [...]string{e.Type, e.MessageID, e.UserID, e.AnonymousID} {
		dst = append(le.AppendUint16(dst, uint16(len(s))), s...)
	}
	dst = append(dst, uint8(len(e.Properties)))
	for _, p := range e.Properties {
		dst = append(le.AppendUint16(dst, uint16(len(p.Name))), p.Name...)
		dst = append(le.AppendUint16(dst, uint16(len(p.Value))), p.Value...)
	}
	return dst
}

var errCutOff = errors.New("decoding an event: the bytes are cut off")

// Decode reads canonical bytes.
func Decode(src []byte) (Event, error) {
	const fixed = 2 + 4*8
	if len(src) < fixed {
		return Event{}, errCutOff
	}
	if src[0] != canonicalVersion {
		return Event{}, fmt.Errorf("decoding an event: version %d, expected %d", src[0], canonicalVersion)
	}
	le := binary.LittleEndian
	e := Event{
		Call: Call(src[1]), TimeMS: int64(le.Uint64(src[2:])), SentMS: int64(le.Uint64(src[10:])),
		CoversMS: int64(le.Uint64(src[18:])), Count: int64(le.Uint64(src[26:])),
	}
	// One copy of the rest serves all strings.
	text := string(src[fixed:])
	next := func() (field string, ok bool) {
		if len(text) < 2 {
			return "", false
		}
		n := int(text[0]) | int(text[1])<<8
		if len(text) < 2+n {
			return "", false
		}
		field, text = text[2:2+n], text[2+n:]
		return field, true
	}
	for _, field := range [...]*string{&e.Type, &e.MessageID, &e.UserID, &e.AnonymousID} {
		var ok bool
		if *field, ok = next(); !ok {
			return Event{}, errCutOff
		}
	}
	if len(text) == 0 || int(text[0]) > MaxProperties {
		return Event{}, errCutOff
	}
	count := int(text[0])
	text = text[1:]
	for range count {
		name, ok := next()
		value, ok2 := next()
		if !ok || !ok2 {
			return Event{}, errCutOff
		}
		e.Properties = append(e.Properties, Property{name, value})
	}
	if len(text) != 0 {
		return Event{}, errors.New("decoding an event: bytes are left over")
	}
	return e, nil
}
