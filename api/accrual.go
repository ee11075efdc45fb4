package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

// Bounds and times of streams of accrual. docs/streams.md states them.
const (
	// accrualPause is the shortest time between two looks at who has changed: what
	// comes meanwhile is shown at once.
	accrualPause = 100 * time.Millisecond
	// accrualRefresh is how often everybody who is followed is looked at, so that
	// a new day begins and a stretch of presence ends without an event.
	accrualRefresh = time.Minute
	// accrualLinger is how long events are kept after the last client has gone.
	accrualLinger   = 2 * time.Minute
	accrualMessages = 64
	accrualBytes    = 64 << 10
	accrualChunk    = 64 // days that are copied between two batches of events
	breakMinutes    = 60 // unless the person or the stream asks for something else
	ownBreak        = -1 // the stream asks for nothing
)

// accruals are the days that somebody follows. One goroutine serves all, as long
// as there are any.
type accruals struct {
	mu      sync.Mutex
	open    map[accrualKey]*accrual
	ofWhom  map[uint64][]*accrual // by subject
	running bool
}

// accrualKey is whose day is followed, with what the client may see of it.
type accrualKey struct {
	subject      uint64
	view         accrualView
	breakMinutes int // ownBreak for what the person has set
}

type accrualView uint8

const (
	viewOfWorld  accrualView = iota // what is of the subject's world
	viewOfPerson                    // and what belongs to the person by links
	viewOfAll
)

// accrual is the day of one person as some clients see it.
type accrual struct {
	accrualKey
	who   identity.Subject
	topic *topic
	end   func() // of following the subject's days

	// Under the mutex of accruals.
	followers int
	leftMS    int64 // when the last one left

	// own is after how many minutes the person wants to be reminded of a break.
	own atomic.Int64

	// number is the person's in the bank, 0 while that does not know them. The
	// history's goroutine owns it.
	number uint64

	// Owned by whoever holds mu: what was shown of the present day last, and how
	// often the stretch of presence was spoken of.
	mu        sync.Mutex
	shown     []byte
	stretchMS int64 // when it began
	reminded  int64
	every     int // minutes, of which reminded counts
}

func (s *server) registerAccrual() {
	op := operation("follow-accrual", http.MethodGet, "/v1/people/{person}/stream", "What a person earns, as it is earned", "people")
	op.Description = "An earning shows within a second of its event, and is provisional until the day closes; points that were posted, TIME that was paid, reviews and reminders of a break follow as they come. A world and its user's token see what is of the world."
	op.Parameters = []*huma.Param{
		{Name: "person", In: "path", Required: true, Description: "Id of the person, or me for whose credential it is.", Schema: &huma.Schema{Type: "string"}},
		{Name: "break_minutes", In: "query", Description: "After how many minutes of presence without a pause a break is reminded of: 0 for never, up to 1440. Left out, it is what the person has set (reminder_minutes), or 60.", Schema: &huma.Schema{Type: "integer"}},
	}
	s.registerStream(op, operator|worldServer|person|user, map[string]reflect.Type{
		"snapshot": typeOf[wire.AccrualSnapshot](), "accrual": typeOf[wire.Accrual](), "minted": typeOf[wire.Mint](),
		"paid": typeOf[wire.Payment](), "review": typeOf[wire.ReviewNews](), "break": typeOf[wire.BreakReminder](),
	}, s.followAccrual)
	if s.News != nil {
		s.News(s.tellAccruals)
	}
}

func (s *server) followAccrual(r *http.Request, who identity.Principal) (*feed, error) {
	subject, err := s.subject(r.Context(), who, r.PathValue("person"))
	if err != nil {
		return nil, err
	}
	key := accrualKey{subject: subject.Number, view: viewOfPerson, breakMinutes: ownBreak}
	switch {
	case ofWorld(who):
		key.view = viewOfWorld
	case who.Kind == identity.Operator:
		key.view = viewOfAll
	}
	if who.Kind == identity.Operator || who.Kind == identity.Server {
		key.breakMinutes = breakMinutes // what the person has set is the person's
	}
	if text := r.URL.Query().Get("break_minutes"); text != "" {
		if key.breakMinutes, err = strconv.Atoi(text); err != nil || key.breakMinutes < 0 || key.breakMinutes > 24*60 {
			return nil, invalid("break_minutes", "expected 0 to 1440")
		}
	}
	a := s.openAccrual(key, subject)
	if err := s.readReminder(r.Context(), a); err != nil {
		s.leaveAccrual(a)
		return nil, err
	}
	snapshot := func(ctx context.Context) (any, uint64, error) {
		seq := a.topic.position()
		shown, err := s.showPerson(ctx, who, subject)
		if err != nil {
			return nil, 0, err
		}
		today, err := s.showToday(ctx, a)
		return wire.AccrualSnapshot{Person: shown.Body, Today: today, BreakMinutes: a.breakEvery()}, seq, err
	}
	return &feed{topic: a.topic, snapshot: snapshot, leave: func() { s.leaveAccrual(a) }}, nil
}

// openAccrual joins those who follow a day, or is the first.
func (s *server) openAccrual(key accrualKey, who identity.Subject) *accrual {
	l := &s.accruals
	l.mu.Lock()
	defer l.mu.Unlock()
	a, found := l.open[key]
	if !found {
		if l.open == nil {
			l.open, l.ofWhom = map[accrualKey]*accrual{}, map[uint64][]*accrual{}
		}
		a = &accrual{accrualKey: key, who: who, topic: newTopic(accrualMessages, accrualBytes), end: s.Collector.Follow(key.subject)}
		l.open[key] = a
		l.ofWhom[key.subject] = append(l.ofWhom[key.subject], a)
	}
	a.followers++
	if !l.running {
		l.running = true
		go s.runAccruals()
	}
	return a
}

// readReminder reads after how long the person wants to be reminded of a break.
// What is changed later comes with the history's news.
func (s *server) readReminder(ctx context.Context, a *accrual) error {
	return s.Bank.Read(ctx, func(state *bank.State) {
		number, _ := state.PersonByID(a.who.Person)
		minutes, said := state.ReminderMinutes(number)
		if !said {
			minutes = breakMinutes
		}
		a.own.Store(int64(minutes))
	})
}

// breakEvery is after how many minutes a break is reminded of; 0 for never.
func (a *accrual) breakEvery() int {
	if a.breakMinutes == ownBreak {
		return int(a.own.Load())
	}
	return a.breakMinutes
}

func (s *server) leaveAccrual(a *accrual) {
	s.accruals.mu.Lock()
	defer s.accruals.mu.Unlock()
	if a.followers--; a.followers == 0 {
		a.leftMS = s.NowMS()
	}
}

// tidy drops days that nobody has followed for a while, or all of them, whose
// clients are told why. It reports whether any are left, and otherwise that
// nobody serves them any more.
func (l *accruals) tidy(nowMS int64, end error) (some bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, a := range l.open {
		if end == nil && (a.followers > 0 || nowMS-a.leftMS < accrualLinger.Milliseconds()) {
			continue
		}
		a.topic.close(end)
		a.end()
		delete(l.open, key)
		if l.ofWhom[key.subject] = slices.DeleteFunc(l.ofWhom[key.subject], func(other *accrual) bool { return other == a }); len(l.ofWhom[key.subject]) == 0 {
			delete(l.ofWhom, key.subject)
		}
	}
	l.running = len(l.open) > 0
	return l.running
}

// changed returns who follows days that have changed, or everybody's present
// day.
func (l *accruals) changed(list []collect.Change, everybodysDay int32) (days []collect.Change, open map[uint64][]*accrual) {
	l.mu.Lock()
	defer l.mu.Unlock()
	open = map[uint64][]*accrual{}
	for _, change := range list {
		if some := l.ofWhom[change.Subject]; len(some) > 0 {
			days, open[change.Subject] = append(days, change), slices.Clone(some)
		}
	}
	if everybodysDay == 0 {
		return days, open
	}
	for subject, some := range l.ofWhom {
		change := collect.Change{Subject: subject, Day: everybodysDay}
		if !slices.Contains(list, change) {
			days, open[subject] = append(days, change), slices.Clone(some)
		}
	}
	return days, open
}

// runAccruals shows days as they change, until nobody follows any.
func (s *server) runAccruals() {
	refresh := time.NewTicker(accrualRefresh)
	defer refresh.Stop()
	for {
		var everybodysDay int32
		select {
		case <-s.Collector.Changed():
		case <-refresh.C:
			everybodysDay = bank.Day(s.NowMS())
			if !s.accruals.tidy(s.NowMS(), nil) {
				return
			}
		case <-s.Collector.Done():
			s.accruals.tidy(0, collect.ErrStopped)
			return
		}
		changes, all := s.Collector.TakeChanges()
		if all {
			everybodysDay = bank.Day(s.NowMS())
		}
		days, open := s.accruals.changed(changes, everybodysDay)
		for some := range slices.Chunk(days, accrualChunk) {
			list, err := s.Collector.Accrued(context.Background(), some)
			if err != nil {
				s.accruals.tidy(0, err)
				return
			}
			for i := range list {
				for _, a := range open[list[i].Subject] {
					s.showAccrual(a, &list[i])
				}
			}
		}
		time.Sleep(accrualPause)
	}
}

// showAccrual publishes a day to those who follow it, if they see it change.
func (s *server) showAccrual(a *accrual, day *collect.Accrual) {
	a.mu.Lock()
	defer a.mu.Unlock()
	shown, err := s.accrualOf(a, day)
	if err != nil {
		a.topic.close(err)
		return
	}
	text, err := json.Marshal(shown)
	isToday := day.Day == bank.Day(s.NowMS())
	if err != nil || isToday && string(text) == string(a.shown) {
		return // what wire holds can be encoded
	}
	a.topic.publish("accrual", json.RawMessage(text))
	if !isToday {
		return
	}
	a.shown = text
	if reminder := a.remind(s.NowMS(), day); reminder != nil {
		a.topic.publish("break", reminder)
	}
}

// showToday returns the present day, and lets what follows be what changes it.
func (s *server) showToday(ctx context.Context, a *accrual) (wire.Accrual, error) {
	list, err := s.Collector.Accrued(ctx, []collect.Change{{Subject: a.subject, Day: bank.Day(s.NowMS())}})
	if err != nil {
		return wire.Accrual{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shown == nil {
		// What has lasted long already is in the snapshot.
		a.remind(s.NowMS(), &list[0])
	}
	return s.accrualOf(a, &list[0])
}

// remind notes how long the stretch of presence has lasted, and returns a
// reminder if another time has gone by.
func (a *accrual) remind(nowMS int64, day *collect.Accrual) *wire.BreakReminder {
	fromMS, untilMS, found := a.stretch(nowMS, day)
	every := a.breakEvery()
	if !found || every == 0 || every != a.every { // or another one is wanted now
		a.reminded, a.every = 0, every
	}
	if !found || every == 0 {
		return nil
	}
	if fromMS > a.stretchMS+collect.PauseMS { // another one; a late event lets one begin earlier
		a.reminded = 0
	}
	a.stretchMS = fromMS
	minutes := (untilMS - fromMS) / 60_000
	if times := minutes / int64(every); times > a.reminded {
		a.reminded = times
		return &wire.BreakReminder{Since: timeText(fromMS), Minutes: minutes, Every: every}
	}
	return nil
}

// stretch returns the presence that goes on, as the client may see it.
func (a *accrual) stretch(nowMS int64, day *collect.Accrual) (fromMS, untilMS int64, found bool) {
	beganMS := int64(day.Day) * 86_400_000
	fromMS, untilMS, found = day.Stretch(a.world(day), min(nowMS-beganMS, 86_400_000))
	return beganMS + fromMS, min(beganMS+untilMS, nowMS), found
}

// world is the one world of which the client sees a day; 0 for all of it.
func (a *accrual) world(day *collect.Accrual) uint32 {
	if a.view == viewOfWorld || a.view == viewOfPerson && day.Owner != a.subject {
		return a.who.World
	}
	return 0
}

func (s *server) accrualOf(a *accrual, day *collect.Accrual) (wire.Accrual, error) {
	nowMS := s.NowMS()
	shown := wire.Accrual{Day: dayText(day.Day), Provisional: day.Day >= bank.Day(nowMS-collect.HorizonMS), Worlds: []wire.AccrualOfWorld{}}
	if day.Err != nil {
		return shown, day.Err
	}
	only := a.world(day)
	for i := range day.Earned {
		e := &day.Earned[i]
		if only != 0 && e.Award.World != only {
			continue
		}
		code, err := s.worldCode(context.Background(), e.Award.World)
		if err != nil {
			return shown, err
		}
		shown.Worlds = append(shown.Worlds, wire.AccrualOfWorld{
			World: code, Points: points(e.Award.PointsMicro), Minted: points(e.MintedMicro), Present: e.Award.PresentSeconds,
			Interactions: points(e.Award.InteractionsMicro), Spend: amount.Format(e.Award.SpendMinor, 2), SpendWaiting: amount.Format(e.WaitingMinor, 2),
			Currency: e.Policy.Currency, PolicyVersion: e.PolicyVersion, DayCapped: e.Award.DayCapped,
		})
	}
	if day.Day == bank.Day(nowMS) {
		if fromMS, untilMS, found := a.stretch(nowMS, day); found {
			shown.PresentSince, shown.PresentUntil = timeText(fromMS), timeText(untilMS)
		}
	}
	return shown, nil
}
