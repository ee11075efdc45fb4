package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// A list is read page by page. next_cursor of a page says where the next one
// begins: nobody but the bank can make one, and it is good for the list and the
// filters that it was answered with.
//
//	base64url(mac[8] | place)
//
// place is what a handler knows its position by, such as the number of the last
// item. mac is the beginning of HMAC-SHA-256 of list and place under a secret of
// the bank, so a cursor outlives a restart. A place is no secret, and what is
// shown behind it is what the caller may see.
const cursorMacBytes = 8

// Page says which part of a list is asked for.
type Page struct {
	Cursor string `query:"cursor" maxLength:"128" doc:"The next_cursor of the page before, asked for with the same filters."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The most items of the page."`
}

// ShortPage is a page of a list whose items are long.
type ShortPage struct {
	Cursor string `query:"cursor" maxLength:"128" doc:"The next_cursor of the page before, asked for with the same filters."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The most items of the page."`
}

// paged is a request for a part of a list.
type paged interface {
	page() (cursor *string, limit *int)
}

func (p *Page) page() (cursor *string, limit *int)      { return &p.Cursor, &p.Limit }
func (p *ShortPage) page() (cursor *string, limit *int) { return &p.Cursor, &p.Limit }

// listed is an answer that may go on.
type listed interface{ nextCursor() *string }

func (b *body[T]) nextCursor() *string {
	list, _ := any(&b.Body).(interface{ Next() *string })
	if list == nil {
		return new(string)
	}
	return list.Next()
}

func (t *told[T]) nextCursor() *string { return t.Body.Next() }

// openCursor puts the place that a cursor names into a request for a list, and
// returns what the list is told apart by.
func (s *server) openCursor(operation string, in any) (list []byte, err error) {
	request, is := in.(paged)
	if !is {
		return nil, nil
	}
	cursor, limit := request.page()
	text, most := *cursor, *limit
	*cursor, *limit = "", 0
	filters, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	list = append(append([]byte(operation), 0), filters...)
	*limit = most
	if text == "" {
		return list, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= cursorMacBytes || !hmac.Equal(raw[:cursorMacBytes], s.cursorMac(list, raw[cursorMacBytes:])) {
		return nil, badCursor()
	}
	*cursor = string(raw[cursorMacBytes:])
	return list, nil
}

// sealCursor makes the place where an answer ends a cursor.
func (s *server) sealCursor(list []byte, out any) {
	answer, is := out.(listed)
	if !is || list == nil {
		return
	}
	if place := answer.nextCursor(); *place != "" {
		*place = base64.RawURLEncoding.EncodeToString(append(s.cursorMac(list, []byte(*place)), *place...))
	}
}

func (s *server) cursorMac(list, place []byte) []byte {
	h := hmac.New(sha256.New, s.cursorSecret[:])
	of := sha256.Sum256(list) // of one length, so that list and place cannot flow together
	h.Write(of[:])
	h.Write(place)
	return h.Sum(nil)[:cursorMacBytes]
}
