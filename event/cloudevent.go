package event

import (
	"encoding/hex"
	"errors"
	"strings"
)

// DecodeCloudEvents reads the body of a request with CloudEvents 1.0, in the
// mode that its content type says: a batch, one structured event, or one whose
// attributes are headers. header returns the value of a header, or nothing.
//
// The type is the event's name; source and id together are the message id, as
// the specification makes them unique together. The person is the extension
// userid or anonymousid, or else the subject as a user id. The extension sentat
// is when the client sent the event by its own clock. Of the data, the scalar
// members of a JSON object are properties.
func DecodeCloudEvents(header func(name string) string, body []byte) (Batch, error) {
	mediaType, _, _ := strings.Cut(header("Content-Type"), ";")
	switch mediaType = strings.ToLower(strings.TrimSpace(mediaType)); {
	case mediaType == "application/cloudevents-batch+json":
		if err := shape(body, 1); err != nil {
			return Batch{}, err
		}
		var batch Batch
		err := batch.each(body, structured)
		return batch, err
	case mediaType == "application/cloudevents+json":
		if err := shape(body, 0); err != nil {
			return Batch{}, err
		}
		return Batch{Items: []Item{structured(body)}}, nil
	case strings.HasPrefix(mediaType, "application/cloudevents"):
		return Batch{}, errors.New("accepted CloudEvents are JSON: application/cloudevents+json, application/cloudevents-batch+json, or attributes as ce- headers")
	case header("ce-specversion") == "":
		return Batch{}, errors.New("expected a CloudEvent: Content-Type application/cloudevents+json or application/cloudevents-batch+json, or ce- headers with at least specversion, id, source and type")
	}
	attributes := map[string]string{}
	for _, name := range cloudAttributes {
		attributes[name] = unescapeHeader(header("ce-" + name))
	}
	var d draft
	d.cloudEvent(attributes)
	if mediaType == "application/json" || strings.HasSuffix(mediaType, "+json") {
		if err := shape(body, 0); err != nil {
			return Batch{}, err
		}
		d.refuse(len(body) > MaxBytes, "the event has %d bytes, at most %d are accepted", len(body), MaxBytes)
		d.keepScalars(body)
	}
	return Batch{Items: []Item{d.item()}}, nil
}

// cloudAttributes are the attributes that mean something to the bank.
var cloudAttributes = []string{"specversion", "id", "source", "type", "subject", "time", "userid", "anonymousid", "sentat"}

// structured reads a CloudEvent out of valid JSON.
func structured(src []byte) Item {
	var d draft
	attributes := map[string]string{}
	isObject := members(src, func(key, value []byte) {
		if string(key) == "data" {
			d.keepScalars(value)
		} else if s, isString := text(value); isString {
			attributes[string(key)] = s
		}
	})
	d.refuse(!isObject, "expected an object")
	d.refuse(len(src) > MaxBytes, "the event has %d bytes, at most %d are accepted", len(src), MaxBytes)
	d.cloudEvent(attributes)
	return d.item()
}

// cloudEvent sets the event by its attributes; those that are missing are empty.
func (d *draft) cloudEvent(attributes map[string]string) {
	source, id := attributes["source"], attributes["id"]
	d.Call = Track
	d.refuse(attributes["specversion"] != "1.0", "specversion: expected 1.0")
	// A source is a URI and has no space, so two pairs never read alike.
	d.refuse(source == "" || strings.Contains(source, " "), "source: expected a URI reference")
	if d.refuse(id == "", "id: expected an id that is unique for the source"); id != "" {
		d.set(&d.MessageID, "source and id", source+" "+id, MaxID)
	}
	d.set(&d.Type, "type", attributes["type"], MaxName)
	d.refuse(attributes["type"] == "", "type: expected the name of what happened")
	d.set(&d.UserID, "userid", attributes["userid"], MaxID)
	d.set(&d.AnonymousID, "anonymousid", attributes["anonymousid"], MaxID)
	if attributes["userid"] == "" && attributes["anonymousid"] == "" {
		d.set(&d.UserID, "subject", attributes["subject"], MaxID)
		d.refuse(attributes["subject"] == "", "subject: expected the user's id there, or in an extension userid or anonymousid")
	}
	d.TimeMS, d.SentMS = parseTime(attributes["time"]), parseTime(attributes["sentat"])
}

// unescapeHeader undoes the percent-encoding of an attribute in a header; a
// percent sign that encodes nothing stays.
func unescapeHeader(value string) string {
	if !strings.Contains(value, "%") {
		return value
	}
	plain := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) {
			if b, err := hex.DecodeString(value[i+1 : i+3]); err == nil {
				plain = append(plain, b[0])
				i += 2
				continue
			}
		}
		plain = append(plain, value[i])
	}
	return string(plain)
}
