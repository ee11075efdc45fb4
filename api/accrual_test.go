package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/wire"
)

// accrual reads the next event, which must be an accrual, and returns it.
func (r *reader) accrual() (day wire.Accrual) {
	r.Helper()
	e := r.expect("accrual", "")
	if err := json.Unmarshal([]byte(e.data), &day); err != nil {
		r.Fatal(err)
	}
	return day
}

func (r *reader) snapshot() (begin wire.AccrualSnapshot) {
	r.Helper()
	e := r.expect("snapshot", "")
	if err := json.Unmarshal([]byte(e.data), &begin); err != nil {
		r.Fatal(err)
	}
	return begin
}

// present reports presence of alice, a heartbeat a minute, from so many minutes
// ago until so many.
func (s *stack) present(from, until int) {
	s.Helper()
	var events []string
	for minute := from; minute > until; minute-- {
		at := time.UnixMilli(atomic.LoadInt64(&s.nowMS) - int64(minute)*60_000).UTC().Format(time.RFC3339)
		events = append(events, fmt.Sprintf(`{"type":"track","event":"Heartbeat","userId":"alice","messageId":"at-%s","timestamp":"%s"}`, at, at))
	}
	s.ok("POST", "/v1/batch", s.serverKey, `{"batch":[`+strings.Join(events, ",")+`]}`)
}

// Whoever follows sees an earning when its event is durable, on every device;
// what is counted already shows nothing.
func TestEarningShowsInTheStream(t *testing.T) {
	s := newStack(t)
	on := s.listen()
	phone, desk := s.follow(on, "/v1/people/me/stream", s.person, "", 200), s.follow(on, "/v1/people/"+s.personID+"/stream", s.operator, "", 200)
	for _, r := range []*reader{phone, desk} {
		begin := r.snapshot()
		if begin.Person.Person != s.personID || begin.BreakMinutes != 60 || len(begin.Today.Worlds) != 1 || begin.Today.Worlds[0].Interactions != "1" || !begin.Today.Provisional {
			t.Errorf("it begins with %+v", begin)
		}
	}
	var id string
	for n, body := range []string{
		`{"event":"Jumped","userId":"alice","messageId":"m-1"}`,
		`{"event":"Order Completed","userId":"alice","messageId":"m-2","properties":{"order_id":"o-1","revenue":12.5,"currency":"USD"}}`,
		`{"event":"Jumped","userId":"alice","messageId":"m-3"}`,
	} {
		began := time.Now()
		s.ok("POST", "/v1/track", s.serverKey, body)
		s.ok("POST", "/v1/track", s.serverKey, body) // a duplicate shows nothing
		for _, r := range []*reader{phone, desk} {
			e := r.expect("accrual", `"world":"cafe"`)
			var day wire.Accrual
			if err := json.Unmarshal([]byte(e.data), &day); err != nil {
				t.Fatal(err)
			}
			t.Logf("seen after %v: %s", time.Since(began), e.data)
			world := day.Worlds[0]
			if want := []string{"2", "2", "3"}[n]; world.Interactions != want || day.Day != "2026-01-10" || !day.Provisional || world.SpendWaiting != []string{"0", "12.5", "12.5"}[n] {
				t.Errorf("event %d shows %+v", n, day)
			}
			if r == phone {
				id = e.id
			}
		}
	}
	again := s.follow(on, "/v1/people/me/stream", s.person, id, 200)
	s.ok("POST", "/v1/track", s.serverKey, `{"event":"Jumped","userId":"alice","messageId":"m-4"}`)
	if day := again.accrual(); day.Worlds[0].Interactions != "4" {
		t.Errorf("after it went on: %+v", day)
	}
}

// A world, and its user's token, see what is of the world; nobody else's world
// sees anything.
func TestStreamShowsWhatOneMaySee(t *testing.T) {
	s := newStack(t)
	on := s.listen()
	token := s.token(s.tokenKey("cafe", s.serverKey), "alice", "t-1")
	s.refused(403, "not_yours", "GET", "/v1/people/"+s.personID+"/stream", s.otherServer, "")
	s.refused(403, "not_yours", "GET", "/v1/people/"+s.personID+"/stream", s.otherPerson, "")
	s.refused(403, "role_forbidden", "GET", "/v1/people/"+s.personID+"/stream", s.writeKey, "")
	s.refused(422, "invalid_request", "GET", "/v1/people/me/stream?break_minutes=x", s.person, "")
	s.refused(422, "invalid_request", "GET", "/v1/people/me/stream?break_minutes=1441", s.person, "")
	readers := []*reader{s.follow(on, "/v1/people/me/stream", token, "", 200), s.follow(on, "/v1/people/"+s.personID+"/stream", s.serverKey, "", 200), s.follow(on, "/v1/people/me/stream", s.person, "", 200)}
	for _, r := range readers {
		r.snapshot()
	}
	s.ok("POST", "/v1/track", s.serverKey, `{"event":"Jumped","userId":"alice","messageId":"m-1"}`)
	for _, r := range readers {
		r.accrual()
	}
	s.post()
	s.catchUp()
	for i, r := range readers {
		for minted, posted := false, false; !minted || !posted; {
			switch e := r.next(); e.event {
			case "minted":
				minted = strings.Contains(e.data, `"day":"2026-01-10"`)
			case "accrual":
				posted = strings.Contains(e.data, `"points":"1.25","minted":"1.25"`)
			default:
				t.Fatalf("client %d is told %+v", i, e)
			}
		}
	}
	// The close of the epoch pays.
	epochMS := int64(24 * 60 * 60 * 1000)
	atomic.AddInt64(&s.nowMS, 2*epochMS)
	for range 5 {
		if _, err := s.bank.Submit(t.Context(), bank.RegisterPerson{ID: [16]byte{1}}.AppendTo(nil)); err != nil { // a record, so that time is seen
			t.Fatal(err)
		}
	}
	s.catchUp()
	for _, r := range readers[1:] {
		e := r.next()
		for e.event == "accrual" {
			e = r.next()
		}
		if e.event != "paid" || !strings.Contains(e.data, `"world":"cafe"`) {
			t.Errorf("it is told %+v", e)
		}
	}
}

// Presence without a pause is told of once in so many minutes; a pause of five
// minutes begins anew.
func TestStreamRemindsOfABreak(t *testing.T) {
	s := newStack(t)
	atomic.AddInt64(&s.nowMS, 60*60_000)
	s.present(200, 140) // long ago
	on := s.listen()
	often, once, never := s.follow(on, "/v1/people/me/stream?break_minutes=20", s.person, "", 200), s.follow(on, "/v1/people/me/stream", s.person, "", 200), s.follow(on, "/v1/people/me/stream?break_minutes=0", s.person, "", 200)
	for _, r := range []*reader{often, once, never} {
		if begin := r.snapshot(); begin.Today.PresentSince != "" {
			t.Errorf("presence that is over goes on: %+v", begin.Today)
		}
	}
	s.present(65, 20)
	s.present(20, 0)
	for i, r := range []*reader{often, once, never} {
		reminded := false
		for { // one accrual or two
			e := r.next()
			if e.event == "break" {
				reminded = true
				if !strings.Contains(e.data, `"since":"2026-01-10T11:55:00.000Z","minutes":64`) {
					t.Errorf("it reminds with %s", e.data)
				}
				break
			}
			if i == 2 && strings.Contains(e.data, `"present_until":"2026-01-10T12:59:10.000Z"`) {
				break
			}
		}
		if reminded != (i < 2) {
			t.Errorf("client %d was reminded: %v", i, reminded)
		}
	}
	s.ok("POST", "/v1/track", s.serverKey, `{"event":"Jumped","userId":"alice","messageId":"m-9"}`)
	for _, r := range []*reader{often, once, never} {
		r.accrual() // and nothing more of the break
	}
	if begin := s.follow(on, "/v1/people/me/stream", s.person, "", 200).snapshot(); begin.Today.PresentSince != "2026-01-10T11:55:00.000Z" {
		t.Errorf("who comes later begins with %+v", begin.Today)
	}
}

// The stream reminds of a break after as long as the person has set, and as soon
// as that is changed; whoever asks for a time gets that.
func TestStreamRemindsAsThePersonWishes(t *testing.T) {
	s := newStack(t)
	atomic.AddInt64(&s.nowMS, 60*60_000)
	on := s.listen()
	asked := s.follow(on, "/v1/people/me/stream?break_minutes=50", s.person, "", 200)
	before := s.follow(on, "/v1/people/me/stream", s.person, "", 200)
	if got := [2]int{asked.snapshot().BreakMinutes, before.snapshot().BreakMinutes}; got != [2]int{50, 60} {
		t.Errorf("before anything is set, it is reminded of after %v minutes", got)
	}
	s.ok("PUT", "/v1/people/me/limits", s.person, `{"reminder_minutes":45}`)
	after := s.follow(on, "/v1/people/me/stream", s.person, "", 200)
	if got := after.snapshot().BreakMinutes; got != 45 {
		t.Errorf("45 minutes were set, and it is reminded of after %d", got)
	}
	of := func(r *reader) (every string) {
		t.Helper()
		for {
			if e := r.next(); e.event == "break" {
				return e.data[strings.Index(e.data, `"every_minutes":`):]
			}
		}
	}
	s.catchUp()
	s.present(46, 0)
	for name, r := range map[string]*reader{"begun before": before, "begun after": after} {
		if got := of(r); !strings.HasPrefix(got, `"every_minutes":45`) {
			t.Errorf("a stream %s it was set reminds with %s", name, got)
		}
	}
	// Less, while the stretch goes on: at once; never: not again.
	s.ok("PUT", "/v1/people/me/limits", s.person, `{"reminder_minutes":30}`)
	s.catchUp()
	s.ok("POST", "/v1/track", s.serverKey, `{"event":"Jumped","userId":"alice","messageId":"m-9"}`)
	if got := of(after); !strings.HasPrefix(got, `"every_minutes":30`) {
		t.Errorf("after 46 minutes, 30 were set, and it reminds with %s", got)
	}
	s.ok("PUT", "/v1/people/me/limits", s.person, `{}`)
	if got := s.follow(on, "/v1/people/me/stream", s.person, "", 200).snapshot().BreakMinutes; got != 0 {
		t.Errorf("a person who wants no reminder gets one after %d minutes", got)
	}
	// What the person has set is not shown to a world's server or an operator.
	for _, key := range []string{s.operator, s.serverKey} {
		if got := s.follow(on, "/v1/people/"+s.personID+"/stream", key, "", 200).snapshot().BreakMinutes; got != 60 {
			t.Errorf("to another it shows that it is reminded of after %d minutes", got)
		}
	}
}
