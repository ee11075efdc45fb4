package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds a line: a snapshot of twenty levels has some 2 KiB.
const maxLine = 64 << 10

// lines reads a file line by line and knows which one it is at.
type lines struct {
	scanner *bufio.Scanner
	number  uint64
	peeked  string
}

func newLines(r io.Reader) *lines {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 4096), maxLine)
	return &lines{scanner: scanner}
}

// next returns the next line that is not empty; io.EOF after the last.
func (l *lines) next() (string, error) {
	if text := l.peeked; text != "" {
		l.peeked = ""
		return text, nil
	}
	for l.scanner.Scan() {
		l.number++
		if text := strings.TrimSpace(l.scanner.Text()); text != "" {
			return text, nil
		}
	}
	err := l.scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return "", fmt.Errorf("line %d has more than %d bytes", l.number+1, maxLine)
	}
	if err != nil {
		return "", fmt.Errorf("reading line %d: %w", l.number+1, err)
	}
	return "", io.EOF
}

// peek returns the next line without taking it.
func (l *lines) peek() (_ string, err error) {
	l.peeked, err = l.next()
	return l.peeked, err
}

// at names the line in an error.
func (l *lines) at(err error) error { return fmt.Errorf("line %d: %w", l.number, err) }

// table reads comma-separated lines under a heading. Its fields are plain: no
// source of these quotes any.
type table struct {
	*lines
	columns int
}

// newTable reads the heading and returns where each of the named columns is.
func newTable(l *lines, names ...string) (table, []int, error) {
	heading, err := l.next()
	if errors.Is(err, io.EOF) {
		return table{}, nil, errors.New("the file is empty, expected a heading")
	}
	if err != nil {
		return table{}, nil, err
	}
	columns := strings.Split(heading, ",")
	positions := make([]int, len(names))
	for i, name := range names {
		positions[i] = -1
		for at, column := range columns {
			if strings.TrimSpace(column) == name {
				positions[i] = at
			}
		}
		if positions[i] < 0 {
			return table{}, nil, l.at(fmt.Errorf("the heading has no column %s", name))
		}
	}
	return table{l, len(columns)}, positions, nil
}

func (t table) row() ([]string, error) {
	text, err := t.next()
	if err != nil {
		return nil, err
	}
	fields := strings.Split(text, ",")
	if len(fields) != t.columns {
		return nil, t.at(fmt.Errorf("%d fields, the heading has %d", len(fields), t.columns))
	}
	return fields, nil
}
