package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Request is a call of an operation by its method and path, for programs that
// read the bank's description. Others have a method for each operation.
type Request struct {
	Method, Path string
	Query        url.Values
	Body         json.RawMessage // nil for none
	// Keyed says that the operation takes an Idempotency-Key.
	Keyed bool
}

// Do makes a call and returns the body of its answer, which may be empty. A call
// that makes something without an Idempotency-Key is made once, since another
// attempt might make another.
func (c *Client) Do(ctx context.Context, r Request, options ...Option) (json.RawMessage, error) {
	repeat := once
	switch {
	case r.Keyed:
		repeat = keyed
	case r.Method != http.MethodPost:
		repeat = again
	}
	var body any
	if r.Body != nil {
		body = r.Body
	}
	request := newCall(r.Method, r.Path, repeat, body, options)
	for name, values := range r.Query {
		request.query[name] = values
		request.filters = append(request.filters, name)
	}
	var answer []byte
	err := c.do(ctx, request, &answer)
	return answer, err
}
