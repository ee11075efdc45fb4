// Package client is the bank for programs in Go: a method for every operation
// of the API, and Tracker, by which a world reports what its people do.
//
// The methods bear the names of the operations in /openapi.json (create-world
// is CreateWorld) and are written from it, see write_test.go. Messages are those
// of package wire. It needs nothing beyond the standard library.
package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/wire"
)

// Problem is what the bank answers when it does not do what was asked: Code is
// stable, Detail says what would be accepted. Find it in an error by errors.As.
type Problem = wire.Problem

// Code returns the code of the Problem in an error; empty if there is none.
func Code(err error) string {
	if p := new(Problem); errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// Proposed is the error of a call by one operator that takes two: it waits as a
// proposal until another operator approves it.
type Proposed struct{ wire.Proposal }

// Error implements error.
func (p *Proposed) Error() string {
	return "a second operator has to approve proposal " + p.Number + " by " + p.Expires
}

// Config says which bank, and as whom.
type Config struct {
	// URL is where the bank listens, such as https://bank.example.
	URL string
	// Key is a key, or a token that a world signed for its user; empty for what
	// is public.
	Key string
	// HTTP makes the requests. The default gives an attempt 35 seconds, a little
	// more than the bank itself does.
	HTTP *http.Client
	// Attempts is how often a call is made at the most before its error is
	// returned; the default is 6. Calls are made again after 429, 502, 503, 504
	// and lost connections, where that cannot do anything twice.
	Attempts int
	// MaxWait bounds the pause between two attempts; the default is a minute. A
	// bank that asks for a longer one (Retry-After) gets no further attempt.
	MaxWait time.Duration
}

// Client calls the bank. It may be used from several goroutines.
type Client struct {
	base     string
	key      string
	http     *http.Client
	attempts int
	maxWait  time.Duration
}

// New returns a client. It connects to nothing yet.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.User != nil {
		return nil, fmt.Errorf("client: %q is no address of a bank; expected one such as https://bank.example", config.URL)
	}
	c := &Client{base: strings.TrimRight(base.String(), "/"), key: config.Key, attempts: config.Attempts, maxWait: config.MaxWait}
	if c.attempts <= 0 {
		c.attempts = 6
	}
	if c.maxWait <= 0 {
		c.maxWait = time.Minute
	}
	given := config.HTTP
	if given == nil {
		given = &http.Client{Timeout: 35 * time.Second}
	}
	shared := *given
	// Whoever redirects is no bank; following it would hand it the key.
	shared.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &shared
	return c, nil
}

// As returns a client of the same bank with another key or token.
func (c *Client) As(key string) *Client {
	other := *c
	other.key = key
	return &other
}

// Option changes a single call.
type Option func(*call)

// IdempotencyKey names a call that changes something, so that it can be made
// again after the program was restarted, within 24 hours. Without it a call
// gets a name of its own, which its attempts share.
func IdempotencyKey(key string) Option { return func(c *call) { c.idempotencyKey = key } }

// PageSize sets how many items of a list are fetched at once.
func PageSize(n int) Option { return Where("limit", strconv.Itoa(n)) }

// After begins a list behind a cursor.
func After(cursor string) Option { return Where("cursor", cursor) }

// Where sets a filter. Which ones an operation has stands in the comment of its
// method; an unknown one is an error.
func Where(name, value string) Option { return func(c *call) { c.query.Set(name, value) } }

// Since goes on with a stream behind an event that was seen.
func Since(eventID string) Option { return func(c *call) { c.lastEventID = eventID } }

// Header keeps the headers of the answer, such as Idempotent-Replayed,
// X-Journal-Sequence, X-History-Lag-Ms, RateLimit and X-Request-Id.
func Header(into *http.Header) Option { return func(c *call) { c.header = into } }

// repetition says whether an attempt whose outcome is unknown may be repeated.
type repetition int

const (
	// again: what is to be so is named, so doing it twice is doing it once.
	again repetition = iota
	// keyed: the bank knows a repeated call by its Idempotency-Key.
	keyed
	// once: a secret is made, which is shown only once; another attempt would
	// make another.
	once
)

// call is one operation being called.
type call struct {
	method, path   string
	repeat         repetition
	body           any
	query          url.Values
	filters        []string // that the operation has, besides cursor and limit
	paged          bool
	idempotencyKey string
	header         *http.Header
	streams        bool
	lastEventID    string
}

func newCall(method, path string, repeat repetition, body any, options []Option) *call {
	c := &call{method: method, path: path, repeat: repeat, body: body, query: url.Values{}}
	for _, option := range options {
		option(c)
	}
	if c.repeat == keyed && c.idempotencyKey == "" {
		c.idempotencyKey = rand.Text()
	}
	return c
}

// check refuses options that would be without effect.
func (c *call) check() error {
	for name := range c.query {
		known := c.paged && (name == "cursor" || name == "limit")
		for _, filter := range c.filters {
			known = known || name == filter
		}
		if !known {
			return fmt.Errorf("client: %s %s has no filter %q; it has: %s", c.method, c.path, name, strings.Join(c.filters, ", "))
		}
	}
	if c.lastEventID != "" && !c.streams {
		return fmt.Errorf("client: %s %s is no stream", c.method, c.path)
	}
	if c.idempotencyKey != "" && c.repeat != keyed {
		return fmt.Errorf("client: %s %s takes no Idempotency-Key", c.method, c.path)
	}
	return nil
}

// get reads one thing.
func get[T any](ctx context.Context, c *Client, path string, options []Option, filters ...string) (out T, err error) {
	request := newCall(http.MethodGet, path, again, nil, options)
	request.filters = filters
	return out, c.do(ctx, request, &out)
}

// items reads a list that comes whole.
func items[T any](ctx context.Context, c *Client, path string, options []Option, filters ...string) ([]T, error) {
	list, err := get[wire.List[T]](ctx, c, path, options, filters...)
	return list.Items, err
}

// pages reads a list page by page, as far as it is asked for. An error ends it.
func pages[T any](ctx context.Context, c *Client, path string, options []Option, filters ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		request := newCall(http.MethodGet, path, again, nil, options)
		request.filters, request.paged = filters, true
		for {
			var page wire.List[T]
			if err := c.do(ctx, request, &page); err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			request.query.Set("cursor", page.NextCursor)
		}
	}
}

// send changes something and returns what it has become.
func send[T any](ctx context.Context, c *Client, method, path string, repeat repetition, body any, options []Option) (out T, err error) {
	return out, c.do(ctx, newCall(method, path, repeat, body, options), &out)
}

// sendOnly changes something of which there is nothing to show.
func sendOnly(ctx context.Context, c *Client, method, path string, repeat repetition, body any, options []Option) error {
	return c.do(ctx, newCall(method, path, repeat, body, options), nil)
}

// sendItems changes several things, each with an answer of its own.
func sendItems[T any](ctx context.Context, c *Client, method, path string, repeat repetition, body any, options []Option) ([]T, error) {
	list, err := send[wire.List[T]](ctx, c, method, path, repeat, body, options)
	return list.Items, err
}

// in writes an id into a path.
func in(id string) string { return url.PathEscape(id) }
