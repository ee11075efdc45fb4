package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/patrol"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/score"
)

// startMS is where the clock of the tests stands: 2026-01-10T12:00:00Z.
const startMS int64 = 1_768_046_400_000

// stack is the whole API on stores in memory, with a world, a person and keys.
type stack struct {
	*testing.T
	server                                *server
	operator, serverKey, writeKey, person string
	otherServer, otherPerson              string // of world "arena"
	personID, otherPersonID               string
	reopen                                func() *collect.Collector // on what is durable
	nowMS                                 int64

	bank     *failing
	journal  journal.Store
	follower *history.Follower
	faults   []string // operations that failed on the bank's side
	document apiDocument
	unjudged bool // calls that others like them have been judged for
}

// failing is a bank that can be made to fail.
type failing struct {
	*journal.Writer
	err error
}

func (f *failing) Submit(ctx context.Context, commands ...[]byte) ([]journal.Answer, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Writer.Submit(ctx, commands...)
}

// records shows a journal to the history.
type records struct {
	*journal.Writer
	store journal.Store
}

func (r records) Load(ctx context.Context, from uint64) iter.Seq2[history.Record, error] {
	return func(yield func(history.Record, error) bool) {
		for record, err := range r.store.Load(ctx, from) {
			if err != nil {
				yield(history.Record{}, err)
				return
			}
			shown := history.Record{Seq: record.Seq, TimeMS: record.Header().TimeMS, Hash: record.Hash}
			for pair, err := range record.Pairs() {
				if err != nil {
					yield(history.Record{}, err)
					return
				}
				shown.Pairs = append(shown.Pairs, history.Pair{Command: pair.Command, Answer: pair.Answer})
			}
			if !yield(shown, nil) {
				return
			}
		}
	}
}

// watched shows a journal to the patrol.
type watched struct{ records }

func (w watched) Load(ctx context.Context, from uint64) iter.Seq2[patrol.Record, error] {
	return func(yield func(patrol.Record, error) bool) {
		for record, err := range w.records.Load(ctx, from) {
			shown := patrol.Record{Seq: record.Seq, TimeMS: record.TimeMS}
			for _, pair := range record.Pairs {
				shown.Answers = append(shown.Answers, patrol.Answer{IsTransfer: bank.IsTransfer(pair.Command), Facts: pair.Answer})
			}
			if !yield(shown, err) {
				return
			}
		}
	}
}

// catchUp lets the history see everything.
func (s *stack) catchUp() {
	s.Helper()
	if err := s.follower.CatchUp(context.Background()); err != nil {
		s.Fatal(err)
	}
}

func newStack(t *testing.T) *stack {
	t.Helper()
	ctx := context.Background()
	s := &stack{T: t, nowMS: startMS}
	now := func() int64 { return atomic.LoadInt64(&s.nowMS) }
	store, tables := memory.NewJournal(), memory.NewHistory()
	writer, err := journal.Open(ctx, store, &memory.Head{}, journal.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.bank, s.journal = &failing{Writer: writer}, store
	if s.follower, err = history.Open(ctx, tables, records{writer, store}, history.Options{NowMS: now}); err != nil {
		t.Fatal(err)
	}
	registry, err := identity.Open(ctx, memory.NewIdentity(), [32]byte{1}, identity.Options{NowMS: now})
	if err != nil {
		t.Fatal(err)
	}
	log, head := memory.NewEvents(), &memory.Head{}
	policies := func(uint32, int32, uint32) (*score.Policy, uint32) { return score.DefaultPolicy(), 0 }
	s.reopen = func() *collect.Collector {
		collector, err := collect.Open(ctx, log, head, log, memory.People{Registry: registry}, policies, collect.Options{Now: now, Rules: s.reviewRules})
		if err != nil {
			t.Fatal(err)
		}
		return collector
	}
	collector := s.reopen()
	t.Cleanup(func() { collector.Close(); writer.Close(ctx) })
	s.server = newServer(Config{
		Bank: s.bank, Identity: registry, Collector: collector, History: tables, Lag: s.follower.Lag, News: s.follower.Tell,
		Webhooks: Webhooks{Store: memory.NewOutbox(), SendAgain: func(context.Context, uint64) error { return nil }, Secret: func(world, generation uint32) [32]byte { return registry.WorldSecret(world, fmt.Sprint(generation)) }},
		Conduct:  patrol.New(watched{records{writer, store}}, nil, nil),
		Payer:    payment.Party{Name: "Bank of Cafes", IBAN: "DE89370400440532013000"},
		Ready:    func() error { return s.bank.err }, Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "bank_up 1") }), Version: "test", Audience: "testbank", NowMS: now,
		Fault: func(operation string, err error) { s.faults = append(s.faults, operation+": "+err.Error()) },
	})
	s.server.patience = 10 * time.Millisecond // the history is told by hand when to follow
	token, err := registry.OperatorLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, s.operator, err = registry.RedeemOperatorLink(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	s.serverKey, s.personID, s.person = s.addWorld("cafe", "alice")
	s.otherServer, s.otherPersonID, s.otherPerson = s.addWorld("arena", "bob")
	s.writeKey = s.ok("POST", "/v1/worlds/cafe/keys", s.operator, `{"kind":"write"}`)["secret"].(string)
	return s
}

// addWorld adds a world with a server key and a user who holds a key.
func (s *stack) addWorld(code, user string) (serverKey, personID, personKey string) {
	s.Helper()
	s.ok("POST", "/v1/worlds", s.operator, `{"world":"`+code+`"}`)
	serverKey = s.ok("POST", "/v1/worlds/"+code+"/keys", s.operator, `{"kind":"server"}`)["secret"].(string)
	s.ok("POST", "/v1/track", serverKey, `{"event":"Jumped","userId":"`+user+`","messageId":"`+code+`-1"}`)
	claim := s.ok("POST", "/v1/worlds/"+code+"/users/"+user+"/claim", serverKey, "")
	key := s.ok("POST", "/v1/claims", "", `{"code":"`+claim["code"].(string)+`"}`)
	return serverKey, key["person"].(string), key["secret"].(string)
}

func (s *stack) do(method, path, key, body string, headers ...string) *httptest.ResponseRecorder {
	s.Helper()
	if key != "" {
		headers = append([]string{"Authorization", "Bearer " + key}, headers...)
	}
	if body != "" {
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	return s.sent(method, path, body, headers...)
}

// ok makes a request that must succeed and returns the members of its answer.
func (s *stack) ok(method, path, key, body string, headers ...string) map[string]any {
	s.Helper()
	answer := s.do(method, path, key, body, headers...)
	if answer.Code/100 != 2 {
		s.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	return members(s.T, answer.Body)
}

// refused makes a request that must be refused with a status and a code.
func (s *stack) refused(status int, code, method, path, key, body string, headers ...string) {
	s.Helper()
	answer := s.do(method, path, key, body, headers...)
	problem := members(s.T, bytes.NewBuffer(answer.Body.Bytes()))
	if answer.Code != status || problem["code"] != code || problem["detail"] == "" {
		s.Errorf("%s %s: %d %s; expected %d %s", method, path, answer.Code, answer.Body, status, code)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/problem+json" {
		s.Errorf("%s %s: a problem has content type %q", method, path, got)
	}
}

func members(t *testing.T, body *bytes.Buffer) map[string]any {
	t.Helper()
	if body.Len() == 0 {
		return nil
	}
	var list map[string]any
	if err := json.Unmarshal(body.Bytes(), &list); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return list
}

// gold makes an asset with two decimal places, gives the person 10 of it and
// returns the accounts of the person, of world cafe and of the issuer.
func (s *stack) gold() (person, world, issuer string) {
	s.Helper()
	issuer = s.ok("POST", "/v1/assets", s.operator, `{"asset":"GOLD","scale":2,"world":"cafe"}`)["issuer"].(string)
	person = s.ok("POST", "/v1/accounts", s.person, `{"person":"`+s.personID+`","asset":"GOLD"}`)["account"].(string)
	world = s.ok("POST", "/v1/accounts", s.serverKey, `{"world":"cafe","asset":"GOLD"}`)["account"].(string)
	s.ok("POST", "/v1/transfers", s.operator, legs("", issuer, person, "10"))
	return person, world, issuer
}

// legs is the body of a transfer with one leg.
func legs(reference, from, to, amount string) string {
	return `{"reference":"` + reference + `","legs":[{"from":"` + from + `","to":"` + to + `","amount":"` + amount + `"}]}`
}

// placed places a hold of the person for the world and returns its id.
func (s *stack) placed(body string, headers ...string) string {
	s.Helper()
	return s.ok("POST", "/v1/holds", s.person, body, headers...)["hold"].(map[string]any)["hold"].(string)
}

// items returns the items of a list.
func (s *stack) items(path, key string) (items []map[string]any, next string) {
	s.Helper()
	answer := s.ok("GET", path, key, "")
	for _, item := range answer["items"].([]any) {
		items = append(items, item.(map[string]any))
	}
	next, _ = answer["next_cursor"].(string)
	return items, next
}

// walk reads a list to its end, page by page, and returns a member of each item.
func (s *stack) walk(path, key, member string) (values []string) {
	s.Helper()
	for cursor := ""; ; {
		items, next := s.items(path+cursor, key)
		if len(items) == 0 {
			s.Fatalf("%s: an empty page after %v", path+cursor, values)
		}
		for _, item := range items {
			values = append(values, item[member].(string))
		}
		if next == "" {
			return values
		}
		cursor = "&cursor=" + next
	}
}
