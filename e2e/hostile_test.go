package e2e

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
)

// Hostile bodies are refused with a reason, and the server keeps serving.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	bomb := func(unpacked int) string {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		zeros := make([]byte, 1<<20)
		for range unpacked >> 20 {
			w.Write(zeros)
		}
		w.Close()
		return packed.String()
	}
	for _, test := range []struct {
		name, encoding, body string
		status               int
	}{
		{"a body over the limit", "", `{"batch":["` + strings.Repeat("x", 2<<20) + `"]}`, http.StatusRequestEntityTooLarge},
		{"an object of many keys", "", `{"batch":[{` + strings.Repeat(`"k":1,`, 100_000) + `"k":1}]}`, http.StatusBadRequest},
		{"a million keys, packed", "gzip", pack(`{"batch":[{` + strings.Repeat(`"k":1,`, 600_000) + `"k":1}]}`), http.StatusBadRequest},
		{"deep nesting", "", `{"batch":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`, http.StatusBadRequest},
		{"a gzip bomb", "gzip", bomb(512 << 20), http.StatusRequestEntityTooLarge},
		{"no gzip", "gzip", `{"batch":[]}`, http.StatusBadRequest},
		{"an unknown encoding", "br", `{"batch":[]}`, http.StatusUnsupportedMediaType},
		{"no JSON", "", `]`, http.StatusBadRequest},
		{"no envelope", "", `{"events":[]}`, http.StatusBadRequest},
		{"an empty body", "", ``, http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequest("POST", b.url+"/v1/batch", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(b.server, "")
			if test.encoding != "" {
				request.Header.Set("Content-Encoding", test.encoding)
			}
			var problem struct{ Code, Detail string }
			decode(t, do(t, request), test.status, &problem)
			if problem.Code == "" || problem.Detail == "" {
				t.Errorf("refused without a reason: %+v", problem)
			}
		})
	}
	b.call("POST", "/v1/batch", b.server, `{"batch":[`+eventBody("after")+`]}`, http.StatusOK, nil)
	if verdict := b.verdict("after"); verdict != "accepted" {
		t.Errorf("after all that, an event is %s", verdict)
	}
}

func pack(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(text))
	w.Close()
	return packed.String()
}
