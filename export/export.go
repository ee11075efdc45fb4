// Package export writes tables, a row after the other, as one JSON document or
// as a ZIP of CSV files, with a manifest that names every field. It holds no
// more than a row in memory. What has ended before its time is no document and
// no archive that can be opened; a whole one says that it is complete.
package export

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Format is the version of the form in which exports are written.
const Format = 1

// Kind is what the values of a field are.
type Kind uint8

// The kinds of values. Text is free text or an id, Amount a decimal number as
// text, Time a time by RFC 3339 in UTC or a day YYYY-MM-DD, Number a whole number,
// Bool true or false, and JSON anything that JSON can say, in CSV as its text. A
// value that is not there is null, in CSV empty.
const (
	Text Kind = iota
	Amount
	Time
	Number
	Bool
	JSON
)

var kindNames = [...]string{"text", "amount", "time", "number", "boolean", "json"}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[k] }

// Field is a column.
type Field struct {
	Name  string
	Kind  Kind
	About string
}

// Table is rows of one kind.
type Table struct {
	Name, About string
	Fields      []Field
	// Rows gives the rows to emit, one after the other, each with a value for
	// every field: a string for text, amount and time, of which an empty one of
	// the latter two is none; an integer for a number; a bool; nil for none. An
	// error of emit ends it.
	Rows func(emit func(row ...any) error) error
}

// Manifest says what an export is of.
type Manifest struct {
	Person string `json:"person"`
	Made   string `json:"made"`
	// Sequence is the last record of the bank's journal that is in it, Batch the
	// last batch of events.
	Sequence string `json:"journal_sequence"`
	Batch    string `json:"events_batch"`
	About    string `json:"about"`
}

// described is the manifest with what it says of the tables.
type described struct {
	Format int `json:"format"`
	Manifest
	Tables []describedTable `json:"tables"`
}

type describedTable struct {
	Name   string           `json:"name"`
	About  string           `json:"about"`
	Fields []describedField `json:"fields"`
}

type describedField struct {
	Name  string `json:"name"`
	Kind  string `json:"type"`
	About string `json:"about"`
}

func describe(m Manifest, tables []Table) described {
	d := described{Format: Format, Manifest: m}
	for _, t := range tables {
		table := describedTable{Name: t.Name, About: t.About}
		for _, f := range t.Fields {
			table.Fields = append(table.Fields, describedField{f.Name, f.Kind.String(), f.About})
		}
		d.Tables = append(d.Tables, table)
	}
	return d
}

// ending says how many rows each table has, once all are written.
type ending struct {
	Rows     map[string]uint64 `json:"rows"`
	Complete bool              `json:"complete"`
}

// read gives the rows of a table to write, checked, and counts them.
func (t *Table) read(write func(row []any) error) (rows uint64, err error) {
	row := make([]any, len(t.Fields))
	err = t.Rows(func(given ...any) (err error) {
		if len(given) != len(row) {
			return fmt.Errorf("a row of %d values, fields are %d", len(given), len(row))
		}
		for i, value := range given {
			if row[i], err = t.Fields[i].fit(value); err != nil {
				return err
			}
		}
		rows++
		return write(row)
	})
	if err != nil {
		return rows, fmt.Errorf("table %s: %w", t.Name, err)
	}
	return rows, nil
}

// fit returns a value as what its field is: nil, string, bool or, of a number and
// JSON, its JSON text.
func (f *Field) fit(value any) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		if v == "" && (f.Kind == Time || f.Kind == Amount) {
			return nil, nil
		}
		if f.Kind <= Time {
			return v, nil
		}
	case bool:
		if f.Kind == Bool {
			return v, nil
		}
	case int:
		return f.number(int64(v))
	case int32:
		return f.number(int64(v))
	case int64:
		return f.number(v)
	case uint32:
		return f.number(int64(v))
	}
	if f.Kind == JSON {
		text, err := json.Marshal(value)
		return json.RawMessage(text), err
	}
	return nil, fmt.Errorf("field %s is of the kind %s, the value %T", f.Name, f.Kind, value)
}

func (f *Field) number(v int64) (any, error) {
	if f.Kind != Number {
		return nil, fmt.Errorf("field %s is of the kind %s, the value a number", f.Name, f.Kind)
	}
	return json.RawMessage(strconv.FormatInt(v, 10)), nil
}
