package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Batch is what a client sends at once.
type Batch struct {
	// WriteKey stands in the body where a client cannot send credentials.
	WriteKey string
	SentMS   int64
	Items    []Item
}

// Item is one event of a batch, or why it cannot be read.
type Item struct {
	Event Event
	Err   error
}

// MaxItems bounds the events of a batch.
const MaxItems = 2000

// DecodeBatch reads a Segment batch: {"batch":[…],"sentAt":…,"writeKey":…}, the
// members in any order. An item that cannot be read has its error; only an
// envelope that cannot be read is an error of the whole.
func DecodeBatch(body []byte) (Batch, error) {
	if err := checkShape(body, MaxDepth+2); err != nil {
		return Batch{}, err
	}
	if !json.Valid(body) {
		return Batch{}, ErrJSON
	}
	var batch Batch
	var list []byte
	isObject := members(body, func(key, value []byte) {
		switch {
		case keyIs(key, "batch"):
			list = value
		case keyIs(key, "writeKey"):
			batch.WriteKey, _ = text(value)
		case keyIs(key, "sentAt"):
			batch.SentMS = timeOf(value)
		}
	})
	if !isObject || list == nil {
		return Batch{}, errors.New(`expected an object with a member "batch"`)
	}
	tooMany := false
	isList := elements(list, func(value []byte) {
		if len(batch.Items) == MaxItems {
			tooMany = true
			return
		}
		e, err := decodeSegment(value)
		if e.SentMS == 0 {
			e.SentMS = batch.SentMS
		}
		batch.Items = append(batch.Items, Item{Event: e, Err: err})
	})
	if !isList {
		return Batch{}, errors.New(`expected "batch" to be a list of events`)
	}
	if tooMany {
		return Batch{}, fmt.Errorf("expected at most %d events in a batch", MaxItems)
	}
	return batch, nil
}

// DecodeSegment reads one event in Segment's form. writeKey is the key in the
// body, if there is one.
func DecodeSegment(body []byte) (e Event, writeKey string, err error) {
	if err := checkShape(body, MaxDepth); err != nil {
		return Event{}, "", err
	}
	if !json.Valid(body) {
		return Event{}, "", ErrJSON
	}
	members(body, func(key, value []byte) {
		if keyIs(key, "writeKey") {
			writeKey, _ = text(value)
		}
	})
	e, err = decodeSegment(body)
	return e, writeKey, err
}

// decodeSegment reads an event out of valid JSON. Even with an error, it
// returns the message id if it could be read, so that a verdict can name it.
func decodeSegment(src []byte) (Event, error) {
	var e Event
	if len(src) > MaxBytes {
		return e, fmt.Errorf("the event has %d bytes, at most %d are accepted", len(src), MaxBytes)
	}
	var name, original, timestamp, properties []byte
	var faults []error
	take := func(field *string, what string, value []byte, limit int) {
		s, isString := text(value)
		switch {
		case string(value) == "null":
		case !isString:
			faults = append(faults, fmt.Errorf("%s: expected a string", what))
		case len(s) > limit:
			faults = append(faults, fmt.Errorf("%s: has %d bytes, at most %d are accepted", what, len(s), limit))
		case !printable(s):
			faults = append(faults, fmt.Errorf("%s: has control characters or is not UTF-8", what))
		default:
			*field = s
		}
	}
	isObject := members(src, func(key, value []byte) {
		switch {
		case keyIs(key, "type"):
			kind, _ := text(value)
			e.Call = ParseCall([]byte(kind))
		case keyIs(key, "messageId"):
			take(&e.MessageID, "messageId", value, MaxID)
		case keyIs(key, "userId"):
			take(&e.UserID, "userId", value, MaxID)
		case keyIs(key, "anonymousId"):
			take(&e.AnonymousID, "anonymousId", value, MaxID)
		case keyIs(key, "event"):
			name = value
		case keyIs(key, "timestamp"):
			timestamp = value
		case keyIs(key, "originalTimestamp"):
			original = value
		case keyIs(key, "sentAt"):
			e.SentMS = timeOf(value)
		case keyIs(key, "properties"):
			properties = value
		}
	})
	if !isObject {
		return e, errors.New("expected an object")
	}
	if e.Call == Track {
		take(&e.Type, "event", name, MaxName)
		if e.Type == "" {
			faults = append(faults, errors.New("event: a track call needs the name of what happened"))
		}
	} else if e.Call != 0 {
		e.Type = e.Call.String()
	} else {
		faults = append(faults, errors.New("type: expected track, page, screen, identify, group or alias"))
	}
	if e.UserID == "" && e.AnonymousID == "" {
		faults = append(faults, errors.New("userId: expected userId or anonymousId"))
	}
	if e.TimeMS = timeOf(timestamp); e.TimeMS == 0 {
		e.TimeMS = timeOf(original)
	}
	e.Properties = scalars(properties)
	return e, errors.Join(faults...)
}

// DecodeCall reads one event as the body of an endpoint such as /v1/track,
// which says the call; the body need not repeat it.
func DecodeCall(body []byte, call Call) (e Event, writeKey string, err error) {
	if err := checkShape(body, MaxDepth); err != nil {
		return Event{}, "", err
	}
	if !json.Valid(body) {
		return Event{}, "", ErrJSON
	}
	i := skipSpace(body, 0)
	if body[i] != '{' {
		return Event{}, "", errors.New("expected an object")
	}
	// The last member of a name wins, so the endpoint's call is put last.
	end := len(body) - 1
	for body[end] != '}' {
		end--
	}
	comma := ","
	if skipSpace(body, i+1) == end {
		comma = ""
	}
	return DecodeSegment([]byte(string(body[i:end]) + comma + `"type":"` + call.String() + `"}`))
}

// scalars keeps the strings, numbers and booleans among the properties, up to
// the bounds; what is longer or nested no policy can use.
func scalars(properties []byte) (kept []Property) {
	members(properties, func(key, value []byte) {
		if len(kept) == MaxProperties || len(value) == 0 || value[0] == '{' || value[0] == '[' || value[0] == 'n' {
			return
		}
		name, _ := text(key)
		s, isString := text(value)
		if !isString {
			s = string(value)
		}
		if len(name) <= MaxProperty && len(s) <= MaxProperty && printable(name) && printable(s) {
			kept = append(kept, Property{name, s})
		}
	})
	return kept
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// timeOf reads an RFC 3339 time; zero if it is none or lies before 1970.
func timeOf(value []byte) int64 {
	s, isString := text(value)
	if !isString {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return max(t.UnixMilli(), 0)
}
