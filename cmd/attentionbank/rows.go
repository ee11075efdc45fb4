package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// columns says which columns of a table hold what; a name may join several
// columns with +.
type columns map[string]string

// columnRoles are what a column can be mapped to.
var columnRoles = []string{"person", "time", "hours", "interactions", "spend", "type", "id"}

// check refuses roles that are neither every command's nor in also.
func (c columns) check(also ...string) error {
	roles := slices.Concat(columnRoles, also)
	for role := range c {
		if !slices.Contains(roles, role) {
			return usage("--map: %q cannot be mapped; expected %s", role, strings.Join(roles, ", "))
		}
	}
	if c["person"] == "" {
		return usage("--map: expected at least person=COLUMN")
	}
	return nil
}

// row is one line of behaviour.
type row struct {
	line   int
	person string
	id     string // empty if the source has none
	event  event.Event
	// timed says that the event's time is known; presence that the event is
	// presence by its rule, and not only by the hours that it claims.
	timed, presence bool
	seconds         int64 // hours without a time
	hasInteractions bool
	interactions    int64 // in millionths
	spendMinor      int64
	isSpend         bool
	outcome         string // what came of the person's behaviour, as in the file
}

// rowReader yields the rows of a source; badRow errors are about one line.
type rowReader interface{ next() (row, error) }

// badRow is a line that cannot be read.
type badRow struct {
	line int
	err  error
}

func (b *badRow) Error() string { return fmt.Sprintf("line %d: %v", b.line, b.err) }

// openRows finds out whether a source is NDJSON or a table. Roles in also may
// be mapped beside those that every command knows.
func openRows(src io.Reader, mapping columns, delimiter string, also ...string) (rowReader, error) {
	buffered := bufio.NewReaderSize(src, 1<<20)
	head, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n\ufeff"), []byte("{")) {
		lines := bufio.NewScanner(buffered)
		lines.Buffer(make([]byte, 64<<10), 1<<20)
		return &jsonRows{lines: lines}, nil
	}
	if err := mapping.check(also...); err != nil {
		return nil, err
	}
	table := &tableRows{mapping: mapping}
	if delimiter == "space" {
		lines := bufio.NewScanner(buffered)
		table.read = func() ([]string, error) {
			for ; lines.Scan(); table.line++ {
				if fields := strings.Fields(lines.Text()); len(fields) > 0 {
					return fields, nil
				}
			}
			return nil, errors.Join(io.EOF, lines.Err())
		}
	} else {
		reader := csv.NewReader(buffered)
		reader.FieldsPerRecord, reader.LazyQuotes, reader.ReuseRecord = -1, true, true
		reader.Comma = map[string]rune{"comma": ',', "tab": '\t', "semicolon": ';'}[delimiter]
		table.read = func() ([]string, error) {
			fields, err := reader.Read()
			if err == nil { // lines that are empty, or within quotes, count too
				line, _ := reader.FieldPos(0)
				table.line = line - 1
			}
			return fields, err
		}
	}
	return table, table.readHeader()
}

// jsonRows are events in Segment's form, one a line.
type jsonRows struct {
	lines *bufio.Scanner
	line  int
}

func (j *jsonRows) next() (row, error) {
	for j.lines.Scan() {
		j.line++
		text := bytes.TrimSpace(j.lines.Bytes())
		if len(text) == 0 {
			continue
		}
		e, _, err := event.DecodeSegment(text)
		if err != nil {
			return row{}, &badRow{j.line, err}
		}
		r := row{line: j.line, person: e.UserID, id: e.MessageID, event: e, timed: e.TimeMS != 0, presence: true}
		if r.person == "" {
			r.person = e.AnonymousID
		}
		if !r.timed {
			return row{}, &badRow{j.line, errors.New("timestamp: expected an RFC 3339 time")}
		}
		return r, nil
	}
	if err := j.lines.Err(); err != nil {
		return row{}, fmt.Errorf("reading line %d: %w", j.line+1, err)
	}
	return row{}, io.EOF
}

// tableRows are the rows of a table with a header.
type tableRows struct {
	mapping columns
	read    func() ([]string, error)
	places  map[string][]int // by role
	line    int
}

func (t *tableRows) readHeader() error {
	header, err := t.read()
	if err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	t.line++
	names := map[string]int{}
	for i, name := range header {
		names[strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	t.places = map[string][]int{}
	for role, joined := range t.mapping {
		for name := range strings.SplitSeq(joined, "+") {
			place, found := names[name]
			if !found {
				return usage("--map: there is no column %q; the header is: %s", name, strings.Join(header, ", "))
			}
			t.places[role] = append(t.places[role], place)
		}
	}
	return nil
}

func (t *tableRows) next() (row, error) {
	fields, err := t.read()
	t.line++
	if errors.Is(err, io.EOF) {
		return row{}, io.EOF
	}
	if err != nil {
		return row{}, &badRow{t.line, err}
	}
	r, err := t.row(fields)
	if err != nil {
		return row{}, &badRow{t.line, err}
	}
	return r, nil
}

// field returns what a role's columns hold, joined by a byte that no text file
// has; ok is false if the role is not mapped or a column is missing.
func (t *tableRows) field(fields []string, role string) (text string, ok bool) {
	for i, place := range t.places[role] {
		if place >= len(fields) {
			return "", false
		}
		if i > 0 {
			text += "\x00"
		}
		text += strings.TrimSpace(fields[place])
	}
	return text, len(t.places[role]) > 0
}

func (t *tableRows) row(fields []string) (row, error) {
	person, ok := t.field(fields, "person")
	if !ok || person == "" || len(person) > event.MaxID {
		return row{}, fmt.Errorf("person: expected 1 to %d bytes", event.MaxID)
	}
	r := row{line: t.line, person: strings.Clone(person), event: event.Event{Call: event.Track, Type: "row", UserID: person}}
	if id, mapped := t.field(fields, "id"); mapped {
		r.id = id
	}
	kind, hasType := t.field(fields, "type")
	if hasType {
		r.event.Type = strings.Clone(kind)
	}
	if text, mapped := t.field(fields, "time"); mapped {
		at, err := parseTime(text)
		if err != nil {
			return row{}, err
		}
		r.event.TimeMS, r.timed = at, true
	}
	measured := false
	if text, mapped := t.field(fields, "hours"); mapped {
		micro, err := amount.Parse(text, 6)
		seconds, fits := amount.MulDivDown(micro, 3600, score.Micro)
		if err != nil || micro < 0 || !fits || seconds > 1<<40 {
			return row{}, fmt.Errorf("hours: %q: expected a number of hours such as 1.5", text)
		}
		r.seconds, measured = seconds, true
	}
	if text, mapped := t.field(fields, "interactions"); mapped {
		micro, err := amount.Parse(text, 6)
		if err != nil || micro < 0 {
			return row{}, fmt.Errorf("interactions: %q: expected a number from 0 on", text)
		}
		r.interactions, r.hasInteractions, measured = micro, true, true
	}
	if text, mapped := t.field(fields, "spend"); mapped {
		measured = true
		minor, ok := score.ParseSpend(text)
		if !ok && (text != "" || !hasType) {
			return row{}, fmt.Errorf("spend: %q: expected an amount such as 19.90", text)
		}
		r.spendMinor, r.isSpend = minor, !hasType
	}
	if text, mapped := t.field(fields, "outcome"); mapped {
		r.outcome = strings.Clone(text)
	}
	r.presence = r.timed && (hasType || !measured)
	return r, nil
}

// parseTime reads the forms of time that files have, in UTC.
func parseTime(text string) (ms int64, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli(), nil
		}
	}
	if len(text) == 8 {
		if t, err := time.Parse("20060102", text); err == nil {
			return t.UnixMilli(), nil
		}
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if _, err := strconv.ParseUint("0"+fraction, 10, 64); err == nil {
		if seconds, err := strconv.ParseInt(whole, 10, 64); err == nil && seconds >= 0 && seconds < 1<<40 {
			ms, _ := strconv.ParseInt((fraction + "000")[:3], 10, 64)
			return seconds*1000 + ms, nil
		}
	}
	return 0, fmt.Errorf("time: %q: expected RFC 3339, YYYY-MM-DD hh:mm:ss, YYYY-MM-DD, YYYYMMDD or seconds since 1970", text)
}
