package api

import "github.com/attentionbank/attentionbank/wire"

// Problem is what every error is answered with. Like all messages it is of
// package wire, which clients share.
type Problem = wire.Problem

// body is an answer, or a request, that is nothing but its body.
type body[T any] struct{ Body T }

// seen is an answer out of the state of the bank between two records.
type seen[T any] struct {
	Sequence string `header:"X-Journal-Sequence" doc:"The last record of the journal that the answer shows."`
	Body     T
}

// answered is the answer to a call that can be repeated.
type answered[T any] struct {
	Replayed string `header:"Idempotent-Replayed" doc:"true when the call was carried out before, under the same Idempotency-Key."`
	Body     T
}

// told is an answer out of history.
type told[T any] struct {
	HistoryLag
	Body wire.List[T]
}

// HistoryLag says how far what is read from history is behind the bank.
type HistoryLag struct {
	Records      string `header:"X-History-Lag-Records"`
	Milliseconds string `header:"X-History-Lag-Ms"`
}

// cut returns what of a list is on the page, which was asked for with one
// more, and whether there is more.
func cut[T any](rows []T, limit int) (page []T, more bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}
