// Package wire holds the messages of the API, as the server and its clients
// read and write them. Amounts are decimal strings in the asset's own scale,
// times RFC 3339 in UTC, days YYYY-MM-DD in UTC, ids strings without a meaning.
package wire

// List is a page of things.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor to read on; absent at the end."`
}

// Next returns where the page's end is said.
func (l *List[T]) Next() *string { return &l.NextCursor }

// Health says that the process answers, or that it can serve.
type Health struct {
	Status string `json:"status"`
}
