package wire

import (
	"net/http"
	"strconv"
)

// Problem is an error as RFC 9457 has it, with a code that does not change.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code" doc:"Stable name of what went wrong."`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty" doc:"What happened, and what would be accepted."`
	// Operation is where a refusal stands in the journal, which keeps it as it
	// keeps every answer of the bank.
	Operation string `json:"operation,omitempty" doc:"Of a refusal by the bank: position of the command in the journal."`
	// Leg is the index of the leg for which a transfer was refused.
	Leg *int `json:"leg,omitempty" doc:"Of a transfer: the index of the leg that was refused."`
	// RetryAfterSeconds is when to try again, if that is not in a second.
	RetryAfterSeconds int64   `json:"-"`
	Errors            []Fault `json:"errors,omitempty" doc:"The fields that are wrong."`
}

// Fault is what is wrong with a field of a request.
type Fault struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"Such as body.legs[0].amount or query.limit."`
}

// Error implements error.
func (p *Problem) Error() string {
	text := p.Code + ": " + p.Detail
	for _, fault := range p.Errors {
		text += "; " + fault.Location + ": " + fault.Message
	}
	return text
}

// GetStatus returns the status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of problems, whatever was asked for.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders returns the headers that come with the answer: when to try again,
// and how to say who asks.
func (p *Problem) GetHeaders() http.Header {
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return http.Header{"Retry-After": {strconv.FormatInt(max(p.RetryAfterSeconds, 1), 10)}}
	case http.StatusUnauthorized:
		return http.Header{"Www-Authenticate": {"Bearer"}}
	}
	return nil
}
