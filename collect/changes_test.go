package collect_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"pgregory.net/rapid"
)

// Whoever is followed is told of, once for all changes since the last look, and
// nobody else; what is told of stands as Attention has it.
func TestChangesOfTheFollowedAreTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		defer w.Close()
		users := []string{"ann", "bob", "cid"}
		ends, due := map[string]func(){}, map[collect.Change]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"follow": func(t *rapid.T) {
				user := rapid.SampledFrom(users).Draw(t, "user")
				if ends[user] == nil {
					ends[user] = w.Follow(w.subject(user))
				}
			},
			"leave": func(t *rapid.T) {
				user := rapid.SampledFrom(users).Draw(t, "user")
				if ends[user] != nil {
					ends[user]()
					ends[user]() // twice is once
					ends[user] = nil
				}
			},
			"report": func(t *rapid.T) {
				user, id := rapid.SampledFrom(users).Draw(t, "user"), rapid.StringMatching("[a-d]").Draw(t, "id")
				atMS := startMS - rapid.Int64Range(0, 2*dayMS).Draw(t, "ago")
				verdict := w.accept(collect.TrustServer, event.Event{Type: "Jumped", MessageID: user + id, UserID: user, TimeMS: atMS})
				if ends[user] != nil && verdict[0] == "accepted" {
					due[collect.Change{Subject: w.subject(user), Day: int32(atMS / dayMS)}] = true
				}
			},
			"look": func(t *rapid.T) {
				// What was told before an answer is there once the loop is asked again.
				days := []collect.Change{{Subject: w.subject("ann"), Day: int32(startMS / dayMS)}}
				if _, err := w.Accrued(t.Context(), days); err != nil {
					t.Fatal(err)
				}
				list, all := w.TakeChanges()
				if len(list) != len(due) || all {
					t.Fatalf("told of %v, expected %v", list, due)
				}
				accrued, err := w.Accrued(t.Context(), list)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range accrued {
					if !due[list[i]] || a.Change != list[i] || a.Err != nil {
						t.Fatalf("told of %+v as %+v", list[i], a.Change)
					}
					attention, err := w.Attention(t.Context(), a.Subject, a.Day)
					if err != nil || len(attention) != 1 || len(a.Earned) != 1 || attention[0].Award.PointsMicro != a.Earned[0].Award.PointsMicro || attention[0].Opened.Revision != a.Earned[0].Revision {
						t.Fatalf("it stands at %+v, %v; expected %+v", a.Earned, err, attention)
					}
				}
				clear(due)
			},
		})
	})
}

// A stretch of presence goes on over midnight, and a pause ends it.
func TestStretchGoesOverMidnight(t *testing.T) {
	const midnightMS = startMS/dayMS*dayMS + dayMS
	for _, c := range []struct {
		name        string
		beats       []int64 // seconds from midnight
		at          int64
		from, until int64
		found       bool
	}{
		{"over midnight", []int64{-240, -60, 60, 200}, 210, -240, 210, true},
		{"before midnight, shortly ago", []int64{-240, -60}, 120, -240, -50, true},
		{"a pause over midnight", []int64{-240, 100}, 110, 100, 110, true},
		{"of the day alone", []int64{-240, 400, 600}, 610, 400, 610, true},
		{"over", []int64{-400}, 10, 0, 0, false},
	} {
		w := newWorld(t)
		w.nowMS = midnightMS + c.at*1000
		for i, s := range c.beats {
			w.accept(collect.TrustServer, event.Event{Type: "Heartbeat", MessageID: string(rune('a' + i)), UserID: "ann", TimeMS: midnightMS + s*1000})
		}
		list, err := w.Accrued(t.Context(), []collect.Change{{Subject: w.subject("ann"), Day: int32(midnightMS / dayMS)}})
		if err != nil {
			t.Fatal(err)
		}
		from, until, found := list[0].Stretch(0, c.at*1000)
		if found != c.found || found && (from != c.from*1000 || until != c.until*1000) {
			t.Errorf("%s: from %d to %d, %v", c.name, from/1000, until/1000, found)
		}
		w.Close()
	}
}

// While nobody is followed nothing waits, and what was followed until now is
// told of no more.
func TestNobodyFollowed(t *testing.T) {
	w := newWorld(t)
	defer w.Close()
	w.Follow(w.subject("ann"))()
	w.accept(collect.TrustServer, event.Event{Type: "Jumped", MessageID: "a", UserID: "ann", TimeMS: startMS})
	if list, all := w.TakeChanges(); slices.Concat(list) != nil || all {
		t.Errorf("told of %v", list)
	}
}

// What telling of changes costs whoever sends events: nobody is followed, one
// person is who does nothing, everybody is, and somebody takes what changed.
func BenchmarkAcceptFollowed(b *testing.B) {
	const people, batch = 1000, 100
	for _, followed := range []string{"nobody", "one", "everybody"} {
		b.Run(followed, func(b *testing.B) {
			w := newWorld(b)
			defer w.Close()
			for person := range people {
				w.accept(collect.TrustServer, event.Event{Type: "Jumped", MessageID: fmt.Sprint("first", person), UserID: fmt.Sprint(person), TimeMS: startMS})
			}
			switch followed {
			case "one":
				w.Follow(w.subject("watched"))
			case "everybody":
				for person := range people {
					w.Follow(w.subject(fmt.Sprint(person)))
				}
			}
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				for {
					select {
					case <-w.Changed():
						w.TakeChanges()
					case <-stop:
						return
					}
				}
			}()
			sent := 0
			for b.Loop() {
				request := collect.Request{World: 1, Trust: collect.TrustServer}
				for range batch {
					request.Items = append(request.Items, event.Item{Event: event.Event{
						Call: event.Track, Type: "Jumped", MessageID: strconv.Itoa(sent), UserID: strconv.Itoa(sent % people), TimeMS: startMS - int64(sent%86_000),
					}})
					sent++
				}
				if _, err := w.Accept(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
