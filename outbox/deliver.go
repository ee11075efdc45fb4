package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// waits are the pauses after the first, second, … failed attempt, as the
// Standard Webhooks specification proposes: about three days in all.
var waits = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// MaxAttempts is how often a message is sent before it is dead.
const MaxAttempts = len(waits) + 1

const (
	attemptTimeout = 15 * time.Second
	maxAnswerBytes = 64 << 10
)

// ErrURL is returned for an endpoint to which nothing is sent.
var ErrURL = errors.New("expected an https URL of a public host, without user information, of at most 1,000 bytes")

// CheckURL returns ErrURL unless messages may go there. With private, http and
// hosts of private networks are allowed too.
func CheckURL(text string, private bool) error {
	place, err := url.Parse(text)
	if err != nil || len(text) > 1000 || place.Host == "" || place.User != nil || place.Fragment != "" {
		return ErrURL
	}
	if place.Scheme != "https" && !(private && place.Scheme == "http") {
		return ErrURL
	}
	if address, err := netip.ParseAddr(strings.Trim(place.Hostname(), "[]")); err == nil && !private && !public(address) {
		return ErrURL
	}
	return nil
}

// public reports whether an address is one of the open internet.
func public(address netip.Addr) bool {
	address = address.Unmap()
	return address.IsGlobalUnicast() && !address.IsPrivate() && !sharedAddresses.Contains(address)
}

// sharedAddresses are of carriers (RFC 6598): no public host has one.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// newClient returns a client that follows no redirect and, unless private is
// set, connects to no address of a private network, whatever a name resolves to.
func newClient(private bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !public(to.Addr()) {
				return fmt.Errorf("%s is no public address", address)
			}
			return nil
		}
	}
	return &http.Client{
		Timeout:       attemptTimeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what a receiver said.
type answer struct {
	status int
	// delivered is set if the receiver said whether a service was rendered.
	delivered *bool
}

func (b *Outbox) post(ctx context.Context, endpoint Endpoint, message Message) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.URL, bytes.NewReader(message.Body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "AttentionBank")
	sign(request.Header, b.options.Secret(endpoint.World, endpoint.Generation), idOf(message.Number), b.options.NowMS(), message.Body)
	response, err := b.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	said := answer{status: response.StatusCode}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return answer{}, err
	}
	if response.StatusCode == http.StatusOK {
		var outcome struct {
			Delivered *bool `json:"delivered"`
		}
		if json.Unmarshal(text, &outcome) == nil { // what is no outcome says nothing
			said.delivered = outcome.Delivered
		}
	}
	return said, nil
}

// attempt sends a message once and marks what became of it.
func (b *Outbox) attempt(ctx context.Context, message Message) error {
	if message.Kind == payoutKind {
		return b.pay(ctx, message)
	}
	endpoint, err := b.store.Endpoint(ctx, message.World)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	message.Attempts++
	switch {
	case endpoint.URL == "" || endpoint.Disabled:
		message.Status, message.Fault = Dead, "the world has no endpoint"
	default:
		said, err := b.post(ctx, endpoint, message)
		if ctx.Err() != nil {
			return nil // it stays due
		}
		if message.Fault = faultOf(said, err); message.Fault == "" {
			if err := b.outcome(ctx, message, said); err != nil {
				return err
			}
			message.Status = Delivered
			break
		}
		if said.status == http.StatusGone {
			endpoint.Disabled = true
			if err := b.store.SetEndpoint(ctx, endpoint); err != nil {
				return err
			}
		}
		if message.Attempts >= MaxAttempts || said.status == http.StatusGone {
			message.Status = Dead
		} else {
			message.NextMS = b.options.NowMS() + waits[message.Attempts-1].Milliseconds()
		}
	}
	b.count(message)
	return b.store.Mark(ctx, message)
}

// faultOf says in a few words why an attempt failed; empty if it did not. It
// never quotes the receiver.
func faultOf(said answer, err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case err != nil && errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case err != nil:
		return "no connection"
	case said.status/100 != 2:
		return fmt.Sprintf("status %d", said.status)
	}
	return ""
}

// outcome carries out what the receiver of a purchase said of it.
func (b *Outbox) outcome(ctx context.Context, message Message, said answer) error {
	if said.delivered == nil || message.Kind != "purchase.created" {
		return nil
	}
	var told struct{ Data purchaseData }
	if err := json.Unmarshal(message.Body, &told); err != nil {
		return fmt.Errorf("reading message %d: %w", message.Number, err)
	}
	if !told.Data.Service {
		return nil
	}
	var purchase uint64
	if _, err := fmt.Sscan(told.Data.Purchase, &purchase); err != nil {
		return fmt.Errorf("reading message %d: %w", message.Number, err)
	}
	return b.options.EndPurchase(ctx, purchase, *said.delivered)
}
