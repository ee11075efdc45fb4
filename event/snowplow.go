package event

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DecodeSnowplow reads what Snowplow's trackers post (tracker protocol 2):
// {"schema":…,"data":[{"e":"pp","eid":…},…]}, all values strings. The trackers
// know of no key, so the application's id (aid) is the world's write key.
//
//	e   what it is           the event's name
//	pv  page view            page
//	pp  page ping            page_ping
//	se  structured event     its action; category, label, property, value are properties
//	tr  transaction          transaction; order_id, revenue, currency are properties
//	ti  item of one          transaction_item
//	ue  self-described       the name in its schema; its scalar members are properties
func DecodeSnowplow(body []byte) (Batch, error) {
	if err := shape(body, 2); err != nil {
		return Batch{}, err
	}
	var list []byte
	isObject := members(body, func(key, value []byte) {
		if string(key) == "data" {
			list = value
		}
	})
	if !isObject || list == nil {
		return Batch{}, errors.New(`expected an object with a member "data"`)
	}
	var batch Batch
	err := batch.each(list, func(value []byte) Item {
		fields := map[string]string{}
		members(value, func(key, value []byte) {
			if s, isString := text(value); isString {
				fields[string(key)] = s
			}
		})
		return batch.snowplow(fields)
	})
	if err != nil {
		return Batch{}, fmt.Errorf("data: %w", err)
	}
	return batch, nil
}

// DecodeSnowplowQuery reads what the trackers send as the query of a GET: the
// same fields, one event.
func DecodeSnowplowQuery(fields map[string]string) Batch {
	var batch Batch
	batch.Items = []Item{batch.snowplow(fields)}
	return batch
}

func (b *Batch) snowplow(fields map[string]string) Item {
	var d draft
	if b.WriteKey == "" {
		b.WriteKey = fields["aid"]
	}
	d.refuse(fields["aid"] != "" && fields["aid"] != b.WriteKey, "aid: the events of a request have one application id")
	d.set(&d.MessageID, "eid", fields["eid"], MaxID)
	d.set(&d.UserID, "uid", fields["uid"], MaxID)
	// The device: the domain's cookie, or the network's.
	for _, name := range []string{"duid", "nuid"} {
		if d.AnonymousID == "" {
			d.set(&d.AnonymousID, name, fields[name], MaxID)
		}
	}
	d.refuse(d.UserID == "" && d.AnonymousID == "", "uid: expected uid, or duid or nuid for a device")
	if d.TimeMS = epochMS(fields["ttm"]); d.TimeMS == 0 {
		d.TimeMS = epochMS(fields["dtm"])
	}
	d.SentMS = epochMS(fields["stm"])
	d.snowplowKind(fields)
	return d.item()
}

// snowplowKind sets what happened.
func (d *draft) snowplowKind(fields map[string]string) {
	kept := func(name, field string) {
		if value := fields[field]; value != "" {
			d.keep(name, value)
		}
	}
	d.Call = Track
	switch fields["e"] {
	case "pv":
		d.Call, d.Type = Page, Page.String()
	case "pp":
		d.Type = "page_ping"
	case "se":
		d.set(&d.Type, "se_ac", fields["se_ac"], MaxName)
		d.refuse(fields["se_ac"] == "", "se_ac: a structured event needs an action")
		for _, property := range [][2]string{{"category", "se_ca"}, {"label", "se_la"}, {"property", "se_pr"}, {"value", "se_va"}} {
			kept(property[0], property[1])
		}
	case "tr":
		d.Type = "transaction"
		for _, property := range [][2]string{{"order_id", "tr_id"}, {"revenue", "tr_tt"}, {"currency", "tr_cu"}} {
			kept(property[0], property[1])
		}
	case "ti":
		d.Type = "transaction_item"
		for _, property := range [][2]string{{"order_id", "ti_id"}, {"sku", "ti_sk"}, {"price", "ti_pr"}, {"quantity", "ti_qu"}, {"currency", "ti_cu"}} {
			kept(property[0], property[1])
		}
	case "ue":
		d.selfDescribed(fields["ue_pr"], fields["ue_px"])
	default:
		d.refuse(true, "e: expected pv, pp, se, tr, ti or ue")
	}
	kept("url", "url")
	kept("page", "page")
}

// selfDescribed reads {"schema":"…/unstruct_event/…","data":{"schema":"iglu:vendor/name/format/version","data":{…}}},
// as JSON or as that in base64 for URLs.
func (d *draft) selfDescribed(plain, encoded string) {
	src := []byte(plain)
	if plain == "" {
		var err error
		if src, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "=")); err != nil {
			d.refuse(true, "ue_px: expected base64 in the alphabet for URLs")
			return
		}
	}
	if err := shape(src, 2); err != nil {
		d.refuse(true, "ue_pr: %v", err)
		return
	}
	var schema string
	var inner, data []byte
	members(src, func(key, value []byte) {
		if string(key) == "data" {
			inner = value
		}
	})
	members(inner, func(key, value []byte) {
		switch string(key) {
		case "schema":
			schema, _ = text(value)
		case "data":
			data = value
		}
	})
	// The name is the second part, behind the vendor.
	parts := strings.Split(schema, "/")
	if !strings.HasPrefix(schema, "iglu:") || len(parts) != 4 || parts[1] == "" {
		d.refuse(true, "ue_pr: expected a schema iglu:vendor/name/format/version")
		return
	}
	d.set(&d.Type, "schema", parts[1], MaxName)
	d.keepScalars(data)
}

// epochMS reads ms since 1970; zero if it is none.
func epochMS(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxTimeMS {
		return 0
	}
	return n
}

// maxTimeMS is the end of the year 9999, the last that RFC 3339 can write.
const maxTimeMS = 253402300799999
