package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is something that a person did in a world. It is sent in Segment's form.
type Event struct {
	// MessageID tells this event from others and counts once within seven days.
	// The default is a new one; it stays the same however often it is sent.
	MessageID string
	// UserID is the world's own id of the user; AnonymousID that of a device
	// whose user is not known. One of them is needed.
	UserID, AnonymousID string
	// Name is what happened, by the names of the world's policy.
	Name string
	// Time is when it happened; the default is now.
	Time time.Time
	// Properties may matter to the policy: the first 32 that are texts of up to
	// 128 bytes, numbers or booleans are kept.
	Properties map[string]any

	call string
}

// Order is a purchase, or what of one is given back.
type Order struct {
	UserID string
	// OrderID is the world's own number of the purchase; a refund names the one of
	// its purchase.
	OrderID string
	// Amount is a decimal such as 12.50, in Currency, which the policy names.
	Amount, Currency string
	Time             time.Time
	// Properties go with it.
	Properties map[string]any
}

// event returns the event of an order. It has the same message id whenever the
// program reports it, so a program that does not know whether it has may do so
// again.
func (o Order) event(name, prefix string) (Event, error) {
	if o.OrderID == "" || o.UserID == "" {
		return Event{}, errors.New("client: an order needs UserID and OrderID")
	}
	properties := map[string]any{}
	for key, value := range o.Properties {
		properties[key] = value
	}
	properties["order_id"], properties["revenue"], properties["currency"] = o.OrderID, o.Amount, o.Currency
	return Event{MessageID: prefix + o.OrderID, UserID: o.UserID, Name: name, Time: o.Time, Properties: properties}, nil
}

// segmentEvent is an event on the wire.
type segmentEvent struct {
	Type        string         `json:"type"`
	MessageID   string         `json:"messageId"`
	UserID      string         `json:"userId,omitempty"`
	AnonymousID string         `json:"anonymousId,omitempty"`
	Event       string         `json:"event,omitempty"`
	Timestamp   string         `json:"timestamp"`
	Properties  map[string]any `json:"properties,omitempty"`
}

// Bounds of the bank, docs/collect.md. What is beyond them would be rejected
// after it was kept, so it is refused before.
const (
	maxEventBytes = 32 << 10
	maxIDBytes    = 256
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// encode writes an event as it is sent.
func (e Event) encode() ([]byte, error) {
	for _, field := range []struct{ name, value string }{{"MessageID", e.MessageID}, {"UserID", e.UserID}, {"AnonymousID", e.AnonymousID}, {"Name", e.Name}} {
		if len(field.value) > maxIDBytes {
			return nil, fmt.Errorf("client: %s has %d bytes, at most %d are accepted", field.name, len(field.value), maxIDBytes)
		}
	}
	if e.UserID == "" && e.AnonymousID == "" {
		return nil, errors.New("client: an event needs UserID or AnonymousID")
	}
	if e.call == "track" && e.Name == "" {
		return nil, errors.New("client: an event needs Name, what happened")
	}
	text, err := json.Marshal(segmentEvent{e.call, e.MessageID, e.UserID, e.AnonymousID, e.Name, e.Time.UTC().Format(timeLayout), e.Properties})
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: the event: %w", err)
	case len(text) > maxEventBytes:
		return nil, fmt.Errorf("client: the event has %d bytes, at most %d are accepted", len(text), maxEventBytes)
	}
	return text, nil
}

// batchOf is a body with events, and when it is sent by this machine's clock.
func batchOf(events [][]byte, now time.Time) []byte {
	body := []byte(`{"sentAt":"` + now.UTC().Format(timeLayout) + `","batch":[`)
	for i, event := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, event...)
	}
	return append(body, "]}"...)
}
