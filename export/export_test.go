package export_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/export"
	"pgregory.net/rapid"
)

var manifest = export.Manifest{Person: "7ba0", Made: "2026-01-10T12:00:00Z", Sequence: "12", Batch: "3", About: "A test."}

func field(name string, kind export.Kind, about string) export.Field {
	return export.Field{Name: name, Kind: kind, About: about}
}

// things is a table of every kind of value.
func things(rows ...[]any) export.Table {
	return export.Table{
		Name: "things", About: "Some things.",
		Fields: []export.Field{
			field("name", export.Text, "What it is called."), field("worth", export.Amount, "In GOLD."), field("since", export.Time, "Since when."),
			field("count", export.Number, "How many."), field("whole", export.Bool, "Not broken."), field("more", export.JSON, "Whatever else."),
		},
		Rows: func(emit func(...any) error) error {
			for _, row := range rows {
				if err := emit(row...); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	tables := []export.Table{things([]any{"=a \"cup\"", "-1.50", "2026-01-10T12:00:00Z", 3, true, []string{"x"}}, []any{"", "", "", int64(-1), nil, nil}), {Name: "nothing", Rows: func(func(...any) error) error { return nil }}}
	if err := export.WriteJSON(&out, manifest, tables); err != nil {
		t.Fatal(err)
	}
	want := `{"manifest":{"format":1,"person":"7ba0","made":"2026-01-10T12:00:00Z","journal_sequence":"12","events_batch":"3","about":"A test.","tables":[` +
		`{"name":"things","about":"Some things.","fields":[{"name":"name","type":"text","about":"What it is called."},{"name":"worth","type":"amount","about":"In GOLD."},` +
		`{"name":"since","type":"time","about":"Since when."},{"name":"count","type":"number","about":"How many."},{"name":"whole","type":"boolean","about":"Not broken."},` +
		`{"name":"more","type":"json","about":"Whatever else."}]},{"name":"nothing","about":"","fields":null}]},"tables":{
"things":[
{"name":"=a \"cup\"","worth":"-1.50","since":"2026-01-10T12:00:00Z","count":3,"whole":true,"more":["x"]},
{"name":"","worth":null,"since":null,"count":-1,"whole":null,"more":null}],
"nothing":[]},
"rows":{"nothing":0,"things":2},"complete":true}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// files reads an archive.
func files(t testing.TB, archive []byte) (names []string, texts map[string]string) {
	t.Helper()
	reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	texts = map[string]string{}
	for _, f := range reader.File {
		file, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		names, texts[f.Name] = append(names, f.Name), string(text)
	}
	return names, texts
}

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	if err := export.WriteCSV(&out, manifest, []export.Table{things([]any{"=1+1", "-1.50", "", 3, false, map[string]int{"a": 1}}, []any{"a,\"b\"\nc", "2", "2026-01-10", 0, true, nil})}); err != nil {
		t.Fatal(err)
	}
	names, texts := files(t, out.Bytes())
	if want := []string{"README.txt", "manifest.json", "things.csv", "complete.json"}; !reflect.DeepEqual(names, want) {
		t.Errorf("the files are %v, want %v", names, want)
	}
	if want := "name,worth,since,count,whole,more\r\n'=1+1,-1.50,,3,false,\"{\"\"a\"\":1}\"\r\n\"a,\"\"b\"\"\r\nc\",2,2026-01-10,0,true,\r\n"; texts["things.csv"] != want {
		t.Errorf("got  %q\nwant %q", texts["things.csv"], want)
	}
	for _, said := range []string{"things.csv: Some things.", "count", "How many.", "record 12", "batch 3"} {
		if !strings.Contains(texts["README.txt"], said) {
			t.Errorf("the README does not say %q:\n%s", said, texts["README.txt"])
		}
	}
	var end struct {
		Rows     map[string]int
		Complete bool
	}
	if err := json.Unmarshal([]byte(texts["complete.json"]), &end); err != nil || !end.Complete || end.Rows["things"] != 2 {
		t.Errorf("it ends with %s, %v", texts["complete.json"], err)
	}
}

// What breaks off says so, and is nothing that could be taken for whole.
func TestWhatBreaksOff(t *testing.T) {
	broken := errors.New("the store is gone")
	table := things([]any{"a", "", "", 1, true, nil})
	rows := table.Rows
	table.Rows = func(emit func(...any) error) error {
		if err := rows(emit); err != nil {
			return err
		}
		return broken
	}
	for name, write := range map[string]func(io.Writer, export.Manifest, []export.Table) error{"JSON": export.WriteJSON, "CSV": export.WriteCSV} {
		var out bytes.Buffer
		if err := write(&out, manifest, []export.Table{table}); !errors.Is(err, broken) {
			t.Errorf("%s: it ended with %v", name, err)
		}
		if _, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len())); err == nil || json.Valid(out.Bytes()) {
			t.Errorf("%s: what broke off reads as whole", name)
		}
		for _, row := range [][]any{{"a"}, {1, "", "", 1, true, nil}, {"a", "", "", "1", true, nil}, {"a", "", "", 1, 1, nil}} {
			if err := write(io.Discard, manifest, []export.Table{things(row)}); err == nil {
				t.Errorf("%s: a row %v was written", name, row)
			}
		}
	}
}

// Any texts come back from both forms.
func TestTextsComeBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "text")
		text = strings.NewReplacer("\r\n", "\n", "\r", "").Replace(text) // which CSV has as the end of a line
		var document, archive bytes.Buffer
		tables := []export.Table{things([]any{text, "", "", 0, true, []string{text}})}
		if err := errors.Join(export.WriteJSON(&document, manifest, tables), export.WriteCSV(&archive, manifest, tables)); err != nil {
			rt.Fatal(err)
		}
		var read struct {
			Tables map[string][]struct {
				Name string
				More []string
			}
		}
		if err := json.Unmarshal(document.Bytes(), &read); err != nil || read.Tables["things"][0].Name != text || read.Tables["things"][0].More[0] != text {
			rt.Fatalf("%q came back from JSON as %+v, %v", text, read, err)
		}
		_, texts := files(t, archive.Bytes())
		lines, err := csv.NewReader(strings.NewReader(texts["things.csv"])).ReadAll()
		if err != nil || strings.TrimPrefix(lines[1][0], "'") != strings.TrimPrefix(text, "'") {
			rt.Fatalf("%q came back from CSV as %q, %v", text, lines, err)
		}
	})
}
