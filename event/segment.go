package event

import (
	"errors"
	"fmt"
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
	if err := shape(body, 2); err != nil {
		return Batch{}, err
	}
	var batch Batch
	var list []byte
	isObject := members(body, func(key, value []byte) {
		switch string(key) {
		case "batch":
			list = value
		case "writeKey":
			batch.WriteKey, _ = text(value)
		case "sentAt":
			batch.SentMS = timeOf(value)
		}
	})
	if !isObject || list == nil {
		return Batch{}, errors.New(`expected an object with a member "batch"`)
	}
	err := batch.each(list, func(value []byte) Item {
		e, err := decodeSegment(value)
		if e.SentMS == 0 {
			e.SentMS = batch.SentMS
		}
		return Item{Event: e, Err: err}
	})
	if err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	return batch, nil
}

// DecodeSegment reads one event in Segment's form. writeKey is the key in the
// body, if there is one.
func DecodeSegment(body []byte) (e Event, writeKey string, err error) {
	if err := shape(body, 0); err != nil {
		return Event{}, "", err
	}
	members(body, func(key, value []byte) {
		if string(key) == "writeKey" {
			writeKey, _ = text(value)
		}
	})
	e, err = decodeSegment(body)
	return e, writeKey, err
}

// decodeSegment reads an event out of valid JSON. Even with an error, it
// returns the message id if it could be read, so that a verdict can name it.
func decodeSegment(src []byte) (Event, error) {
	var d draft
	if len(src) > MaxBytes {
		return d.Event, fmt.Errorf("the event has %d bytes, at most %d are accepted", len(src), MaxBytes)
	}
	var name, original, timestamp, properties, context []byte
	isObject := members(src, func(key, value []byte) {
		switch string(key) {
		case "type":
			kind, _ := text(value)
			d.Call = ParseCall([]byte(kind))
		case "messageId":
			d.take(&d.MessageID, "messageId", value, MaxID)
		case "userId":
			d.take(&d.UserID, "userId", value, MaxID)
		case "anonymousId":
			d.take(&d.AnonymousID, "anonymousId", value, MaxID)
		case "event":
			name = value
		case "timestamp":
			timestamp = value
		case "originalTimestamp":
			original = value
		case "sentAt":
			d.SentMS = timeOf(value)
		case "properties":
			properties = value
		case "context":
			context = value
		}
	})
	if !isObject {
		return d.Event, errors.New("expected an object")
	}
	if d.Call == Track {
		d.take(&d.Type, "event", name, MaxName)
		d.refuse(d.Type == "", "event: a track call needs the name of what happened")
	} else if d.Call != 0 {
		d.Type = d.Call.String()
	} else {
		d.refuse(true, "type: expected track, page, screen, identify, group or alias")
	}
	d.refuse(d.UserID == "" && d.AnonymousID == "", "userId: expected userId or anonymousId")
	if d.TimeMS = timeOf(timestamp); d.TimeMS == 0 {
		d.TimeMS = timeOf(original)
	}
	d.keepDevice(context)
	d.keepScalars(properties)
	return d.Event, errors.Join(d.faults...)
}

// keepDevice keeps the id of the device that the client's context names, as the
// property device_id.
func (d *draft) keepDevice(context []byte) {
	members(context, func(key, device []byte) {
		if string(key) != "device" {
			return
		}
		members(device, func(key, id []byte) {
			if s, isString := text(id); isString && s != "" && string(key) == "id" {
				d.keep("device_id", s)
			}
		})
	})
}

// DecodeCall reads one event as the body of an endpoint such as /v1/track,
// which says the call; the body need not repeat it.
func DecodeCall(body []byte, call Call) (e Event, writeKey string, err error) {
	if err := shape(body, 0); err != nil {
		return Event{}, "", err
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
