package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// ExportPerson is export-person: everything that is kept about a person, who may
// be "me", written to w as it comes; format is "json", or "csv" for a ZIP of CSV
// files. It is made once: what has come to w when it breaks off cannot be opened.
// GET /v1/people/{person}/export; operator, person.
func (c *Client) ExportPerson(ctx context.Context, person, format string, w io.Writer, options ...Option) error {
	request := newCall(http.MethodGet, "/v1/people/"+in(person)+"/export", again, nil, options)
	request.query.Set("format", format)
	request.filters = []string{"format"}
	if err := request.check(); err != nil {
		return err
	}
	patient, unbounded := *c, *c.http
	unbounded.Timeout = 0 // it takes as long as there is something to tell
	patient.http = &unbounded
	response, err := patient.open(ctx, request, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("client: the export broke off: %w", err)
	}
	return nil
}
