package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes tables as one document:
//
//	{"manifest": {…}, "tables": {"name": [{"field": value, …}, …], …}, "rows": {"name": 1, …}, "complete": true}
func WriteJSON(w io.Writer, m Manifest, tables []Table) error {
	out := &document{Writer: bufio.NewWriterSize(w, 32<<10)}
	out.text(`{"manifest":`)
	out.value(describe(m, tables))
	out.text(`,"tables":{`)
	end := ending{Rows: map[string]uint64{}, Complete: true}
	for i := range tables {
		t := &tables[i]
		if i > 0 {
			out.text(",")
		}
		out.text("\n")
		out.value(t.Name)
		out.text(":[")
		first := true
		rows, err := t.read(func(row []any) error {
			if !first {
				out.text(",")
			}
			first = false
			out.text("\n")
			out.row(t.Fields, row)
			return out.err
		})
		if err != nil {
			return fmt.Errorf("exporting as JSON: %w", err)
		}
		end.Rows[t.Name] = rows
		out.text("]")
	}
	out.text("},\n\"rows\":")
	out.value(end.Rows)
	out.text(`,"complete":true}` + "\n")
	if out.err == nil {
		out.err = out.Flush()
	}
	if out.err != nil {
		return fmt.Errorf("exporting as JSON: %w", out.err)
	}
	return nil
}

// document is a JSON document that is being written; err is the first error.
type document struct {
	*bufio.Writer
	err error
}

func (d *document) text(text string) {
	if d.err == nil {
		_, d.err = d.WriteString(text)
	}
}

func (d *document) value(value any) {
	text, err := json.Marshal(value)
	if d.err == nil {
		d.err = err
	}
	if d.err == nil {
		_, d.err = d.Write(text)
	}
}

func (d *document) row(fields []Field, row []any) {
	d.text("{")
	for i, value := range row {
		if i > 0 {
			d.text(",")
		}
		d.value(fields[i].Name)
		d.text(":")
		d.value(value)
	}
	d.text("}")
}
