package event

import (
	"errors"
	"fmt"
)

// DecodePostHog reads what PostHog's clients post: {"api_key":…,"batch":[…],
// "sent_at":…}, or one event with its api_key. An event is {"event":…,
// "distinct_id":…,"uuid":…,"timestamp":…,"properties":{…}}. Of the names with a
// meaning of their own, $pageview is a page, $screen a screen, $identify an
// identify whose device is $anon_distinct_id, $groupidentify a group and
// $create_alias an alias; other events keep their name.
func DecodePostHog(body []byte) (Batch, error) {
	if err := shape(body, 2); err != nil {
		return Batch{}, err
	}
	var batch Batch
	var list []byte
	isObject := members(body, func(key, value []byte) {
		switch string(key) {
		case "batch":
			list = value
		case "api_key", "token":
			batch.WriteKey, _ = text(value)
		case "sent_at":
			batch.SentMS = timeOf(value)
		}
	})
	if !isObject {
		return Batch{}, errors.New(`expected an object with a member "batch", or one event`)
	}
	decode := func(value []byte) Item { return posthog(value, batch.SentMS) }
	if list == nil {
		batch.Items = []Item{decode(body)}
		return batch, nil
	}
	if err := batch.each(list, decode); err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	return batch, nil
}

// posthogNames are the events that are calls.
var posthogNames = map[string]Call{"$pageview": Page, "$screen": Screen, "$identify": Identify, "$groupidentify": Group, "$create_alias": Alias}

func posthog(src []byte, sentMS int64) Item {
	d := draft{Event: Event{SentMS: sentMS}}
	d.refuse(len(src) > MaxBytes, "the event has %d bytes, at most %d are accepted", len(src), MaxBytes)
	var name string
	var distinctID, properties []byte
	isObject := members(src, func(key, value []byte) {
		switch string(key) {
		case "event":
			d.take(&name, "event", value, MaxName)
		case "uuid":
			d.take(&d.MessageID, "uuid", value, MaxID)
		case "distinct_id":
			distinctID = value
		case "timestamp":
			d.TimeMS = timeOf(value)
		case "properties":
			properties = value
		}
	})
	d.refuse(!isObject, "expected an object")
	device := d.posthogProperties(properties, &distinctID)
	if d.Call = posthogNames[name]; d.Call != 0 {
		d.Type = d.Call.String()
	} else {
		d.Call, d.Type = Track, name
	}
	d.refuse(name == "", "event: expected the name of what happened")
	// Before it knows the user, a client sends its device's id as the distinct
	// id and says so.
	if device {
		d.take(&d.AnonymousID, "distinct_id", distinctID, MaxID)
	} else {
		d.take(&d.UserID, "distinct_id", distinctID, MaxID)
	}
	d.refuse(d.UserID == "" && d.AnonymousID == "", "distinct_id: expected an id of the user")
	return d.item()
}

// posthogProperties reads the properties, in some clients the distinct id among
// them, and reports whether that is a device's. What the client itself adds
// begins with a dollar sign and is left out: there is more of it than is kept.
func (d *draft) posthogProperties(properties []byte, distinctID *[]byte) (device bool) {
	var deviceID []byte
	members(properties, func(key, value []byte) {
		switch string(key) {
		case "distinct_id":
			if *distinctID == nil {
				*distinctID = value
			}
		case "$anon_distinct_id":
			d.take(&d.AnonymousID, "$anon_distinct_id", value, MaxID)
		case "$is_identified":
			device = device || string(value) == "false"
		case "$device_id":
			deviceID = value
		case "token":
		default:
			if len(key) == 0 || key[0] != '$' {
				d.keepScalar(key, value)
			}
		}
	})
	return device || len(deviceID) > 0 && string(deviceID) == string(*distinctID)
}
