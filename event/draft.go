package event

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// draft is an event while an adapter reads it from its wire form. The bounds
// of an event are kept here, alike for every form.
type draft struct {
	Event
	faults []error
}

// take sets a field to a JSON string; null leaves it empty.
func (d *draft) take(field *string, what string, value []byte, limit int) {
	if len(value) == 0 || string(value) == "null" {
		return
	}
	s, isString := text(value)
	if !isString {
		d.refuse(true, "%s: expected a string", what)
		return
	}
	d.set(field, what, s, limit)
}

// set sets a field to a text within its bounds.
func (d *draft) set(field *string, what, s string, limit int) {
	switch {
	case len(s) > limit:
		d.refuse(true, "%s: has %d bytes, at most %d are accepted", what, len(s), limit)
	case !printable(s):
		d.refuse(true, "%s: has control characters or is not UTF-8", what)
	default:
		*field = s
	}
}

func (d *draft) refuse(wrong bool, format string, args ...any) {
	if wrong {
		d.faults = append(d.faults, fmt.Errorf(format, args...))
	}
}

// keep adds a property if a policy could use it.
func (d *draft) keep(name, value string) {
	if len(d.Properties) < MaxProperties && len(name) <= MaxProperty && len(value) <= MaxProperty && printable(name) && printable(value) {
		if d.Properties == nil {
			d.Properties = make([]Property, 0, 4) // few clients send more
		}
		d.Properties = append(d.Properties, Property{name, value})
	}
}

// keepScalar adds a member of an object if it is a string, number or boolean;
// what is nested no policy can use.
func (d *draft) keepScalar(name, value []byte) {
	if len(value) == 0 || value[0] == '{' || value[0] == '[' || value[0] == 'n' {
		return
	}
	s, isString := text(value)
	if !isString {
		s = string(value)
	}
	d.keep(string(name), s)
}

// keepScalars adds the scalar members of an object.
func (d *draft) keepScalars(object []byte) { members(object, d.keepScalar) }

// item is the event as far as it could be read, and what is wrong with it.
func (d *draft) item() Item {
	return Item{Event: d.Event, Err: errors.Join(d.faults...)}
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
	s, _ := text(value)
	return parseTime(s)
}

func parseTime(s string) int64 {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return max(t.UnixMilli(), 0)
}

// each reads the elements of a list into a batch.
func (b *Batch) each(list []byte, decode func(value []byte) Item) error {
	tooMany := false
	b.Items = make([]Item, 0, min(len(list)/200+1, MaxItems)) // most events are of 200 bytes and more
	isList := elements(list, func(value []byte) {
		if len(b.Items) == MaxItems {
			tooMany = true
			return
		}
		item := Item{Err: fmt.Errorf("the event has %d bytes, at most %d are accepted", len(value), MaxBytes)}
		if len(value) <= MaxBytes {
			item = decode(value)
		}
		b.Items = append(b.Items, item)
	})
	switch {
	case !isList:
		return errors.New("expected a list of events")
	case tooMany:
		return fmt.Errorf("expected at most %d events at once", MaxItems)
	}
	return nil
}
