package export

import (
	"archive/zip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteCSV writes tables as a ZIP: README.txt and manifest.json, a file name.csv a
// table with the names of the fields in its first line (RFC 4180, UTF-8), and at
// last complete.json, which says how many rows each has.
//
// A text that a spreadsheet would take for a formula, since it begins with one of
// = + - @ or a tab, has an apostrophe before it.
func WriteCSV(w io.Writer, m Manifest, tables []Table) error {
	if err := writeArchive(zip.NewWriter(w), m, tables); err != nil {
		return fmt.Errorf("exporting as CSV: %w", err)
	}
	return nil
}

func writeArchive(archive *zip.Writer, m Manifest, tables []Table) error {
	readme, err := archive.Create("README.txt")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(readme, readMe(m, tables)); err != nil {
		return err
	}
	if err := writeMember(archive, "manifest.json", describe(m, tables)); err != nil {
		return err
	}
	end := ending{Rows: map[string]uint64{}, Complete: true}
	for i := range tables {
		file, err := archive.Create(tables[i].Name + ".csv")
		if err != nil {
			return err
		}
		if end.Rows[tables[i].Name], err = tables[i].writeCSV(file); err != nil {
			return err
		}
	}
	if err := writeMember(archive, "complete.json", end); err != nil {
		return err
	}
	return archive.Close()
}

func writeMember(archive *zip.Writer, name string, value any) error {
	file, err := archive.Create(name)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func (t *Table) writeCSV(file io.Writer) (rows uint64, err error) {
	lines := csv.NewWriter(file)
	lines.UseCRLF = true
	cells := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		cells[i] = f.Name
	}
	if err := lines.Write(cells); err != nil {
		return 0, err
	}
	rows, err = t.read(func(row []any) error {
		for i, value := range row {
			cells[i] = cell(t.Fields[i].Kind, value)
		}
		return lines.Write(cells)
	})
	if err != nil {
		return rows, err
	}
	lines.Flush()
	return rows, lines.Error()
}

func cell(k Kind, value any) string {
	switch v := value.(type) {
	case string:
		if k == Text && v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			return "'" + v
		}
		return v
	case json.RawMessage:
		return string(v)
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// readMe is the manifest for people.
func readMe(m Manifest, tables []Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Everything that is kept about the person %s.\n\n%s\n\n", m.Person, m.About)
	fmt.Fprintf(&b, "Made %s, up to record %s of the journal and batch %s of the events.\n", m.Made, m.Sequence, m.Batch)
	b.WriteString("The archive is whole if complete.json is in it, which says how many rows each file has.\n")
	b.WriteString("A text that begins with one of = + - @ has an apostrophe before it here, so that no spreadsheet takes it for a formula.\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "\n%s.csv: %s\n", t.Name, t.About)
		for _, f := range t.Fields {
			fmt.Fprintf(&b, "    %-18s %-8s %s\n", f.Name, f.Kind, f.About)
		}
	}
	return b.String()
}
