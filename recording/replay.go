package recording

import "fmt"

// Replay plays a recording message by message beside the book that it begins
// with and the books that are expected.
type Replay struct {
	Messages Reader
	Player   *Player
	Initial  *Initial // nil for an empty book
	Expected Expected // nil for none
	begun    bool
}

// Next plays the next message and returns it; io.EOF after the last.
func (r *Replay) Next() (Message, error) {
	m, err := r.Messages.Next()
	if err != nil {
		return m, err
	}
	first := !r.begun
	r.begun = true
	if r.Expected != nil {
		if err := r.Expected.Before(r.Player, &m); err != nil {
			return m, fmt.Errorf("expected books: %w", err)
		}
	}
	if !first || r.Initial == nil || !r.Initial.Holds {
		if err := r.Player.Play(&m); err != nil {
			return m, err
		}
	}
	if r.Expected != nil {
		if err := r.Expected.After(r.Player, &m); err != nil {
			return m, fmt.Errorf("expected books: %w", err)
		}
	}
	if r.Initial != nil && !first {
		if err := r.Initial.after(r.Player); err != nil {
			return m, fmt.Errorf("initial book: %w", err)
		}
	}
	return m, nil
}
