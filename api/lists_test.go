package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pages is a list that grows, in a bank of its own.
type pages struct {
	*stack
	path, key string
	id        string   // the member that tells items apart
	also      []string // further members that do, with it
	add       func(n int)
	filters   []filter
	added     int
}

// filter is a query and what it keeps of the whole list.
type filter struct {
	query string
	keep  func(item map[string]any) bool
	// alike says that all items of the list are alike in what is asked for.
	alike bool
}

// bounded are the lists that no cursor is for, each with what bounds it.
var bounded = map[string]string{
	"list-tiers":         "there are ten tiers",
	"list-consents":      "there are three purposes",
	"list-user-consents": "there are three purposes",
	"list-operators":     "a bank has at most 100 operators, removed ones included",
	"list-links":         "a person has at most 64 links, ended ones included",
	"get-attention":      "a day of a person has an item for each of the at most 65 worlds that are linked",
	"get-verdict":        "a message id has a verdict for each source: write, server, import",
}

// isList reports whether an operation answers with items.
func (d *apiDocument) isList(op apiOperation) bool {
	if op.method != http.MethodGet {
		return false
	}
	for status, response := range op.Responses {
		if schema := d.resolve(response.Content["application/json"].Schema); status == "200" && schema != nil && schema.Properties["items"] != nil {
			return true
		}
	}
	return false
}

func (d *apiDocument) resolve(schema *apiSchema) *apiSchema {
	for schema != nil && schema.Ref != "" {
		schema = d.Components.Schemas[strings.TrimPrefix(schema.Ref, "#/components/schemas/")]
	}
	return schema
}

// Every list of the description is read page by page within bounds, or is
// bounded itself; what it can be filtered by is explained. Walking its pages, of
// any size, while it grows shows everything that was there when the walk began
// exactly once and in order; a filter shows what a naive one keeps of the whole;
// a cursor that the bank has not made, or has made for another list, is refused.
func TestEveryList(t *testing.T) {
	s := newStack(t)
	foreign := s.foreignCursor()
	tried := map[string]bool{}
	for _, op := range s.operations() {
		if !s.document.isList(op) {
			continue
		}
		tried[op.OperationID] = true
		if why, is := bounded[op.OperationID]; is {
			if slices.ContainsFunc(op.Parameters, func(p apiParameter) bool { return p.Name == "cursor" }) {
				t.Errorf("%s has pages, and needs none: %s", op.OperationID, why)
			}
			continue
		}
		make, known := lists[op.OperationID]
		if !known {
			t.Errorf("%s %s is a list that no test walks: give it cursor and limit, and say in lists how it grows", op.method, op.path)
			continue
		}
		t.Run(op.OperationID, func(t *testing.T) {
			list := make(newStack(t))
			list.checkParameters(op)
			for range 4 {
				list.grow()
			}
			list.checkHostile(foreign)
			list.unjudged = true
			if !t.Failed() {
				rapid.Check(t, list.checkWalk)
			}
			list.checkFilters()
		})
	}
	for id := range lists {
		if !tried[id] {
			t.Errorf("%s is no list any more", id)
		}
	}
	for id := range bounded {
		if !tried[id] {
			t.Errorf("%s is no list any more", id)
		}
	}
}

func (s *stack) foreignCursor() string {
	list := listAssets(s)
	for range 3 {
		list.grow()
	}
	_, cursor := list.read("limit=1")
	return cursor
}

func (l *pages) grow() {
	l.Helper()
	l.nowMS += 20
	l.add(l.added)
	l.added++
	l.catchUp()
}

// read reads a page.
func (l *pages) read(query string) (items []map[string]any, next string) {
	l.Helper()
	l.nowMS += 20
	separator := "?"
	if strings.Contains(l.path, "?") {
		separator = "&"
	}
	return l.items(l.path+separator+query, l.key)
}

func (l *pages) name(item map[string]any) string {
	name := fmt.Sprint(item[l.id])
	for _, member := range l.also {
		name += " " + fmt.Sprint(item[member])
	}
	return name
}

// whole reads the list to its end, in pages of a size.
func (l *pages) whole(query string, limit int) (items []map[string]any) {
	l.Helper()
	for cursor := ""; ; {
		page, next := l.read(strings.Trim(fmt.Sprintf("%s&limit=%d%s", query, limit, cursor), "&"))
		items = append(items, page...)
		if next == "" {
			return items
		}
		cursor = "&cursor=" + next
	}
}

func (l *pages) names(items []map[string]any) (names []string) {
	for _, item := range items {
		names = append(names, l.name(item))
	}
	return names
}

func (l *pages) checkParameters(op apiOperation) {
	l.Helper()
	paged := 0
	for _, p := range op.Parameters {
		switch {
		case p.In != "query":
		case p.Name == "limit" || p.Name == "cursor":
			paged++
			if p.Name == "limit" && (p.Schema.Minimum == nil || *p.Schema.Minimum != 1 || p.Schema.Maximum == nil || *p.Schema.Maximum > 500) {
				l.Errorf("limit has the bounds %v and %v", p.Schema.Minimum, p.Schema.Maximum)
			}
		case p.Description == "" && p.Schema.Description == "":
			l.Errorf("the filter %s is not explained", p.Name)
		case !strings.Contains(l.path, "?"+p.Name+"=") && !slices.ContainsFunc(l.filters, func(f filter) bool { return strings.Contains("&"+f.query, "&"+p.Name+"=") }):
			l.Errorf("no filter by %s is compared with a naive one", p.Name)
		}
	}
	if paged != 2 {
		l.Errorf("it has not cursor and limit")
	}
}

// checkWalk walks pages of any size while the list grows.
func (l *pages) checkWalk(t *rapid.T) {
	before := l.names(l.whole("", l.most()))
	var walked []string
	for cursor := ""; ; {
		limit := max(rapid.SampledFrom([]int{1, 2, 3, 5, 20}).Draw(t, "limit"), len(before)/6)
		limit = min(limit, l.most())
		page, next := l.read(fmt.Sprintf("limit=%d%s", limit, cursor))
		if len(page) > limit {
			t.Fatalf("a page of %d with a limit of %d", len(page), limit)
		}
		walked = append(walked, l.names(page)...)
		if next == "" {
			break
		}
		cursor = "&cursor=" + next
		if l.added < 40 && rapid.Bool().Draw(t, "grows") {
			l.grow()
		}
	}
	was := map[string]bool{}
	for _, name := range before {
		was[name] = true
	}
	once := slices.DeleteFunc(slices.Clone(walked), func(name string) bool { return !was[name] })
	if !slices.Equal(once, before) {
		t.Fatalf("there was\n%q\nand the walk showed\n%q", before, walked)
	}
	if seen := slices.Compact(slices.Sorted(slices.Values(walked))); len(seen) != len(walked) {
		t.Fatalf("the walk showed some of it twice: %q", walked)
	}
}

// most is the largest limit.
func (l *pages) most() int {
	if strings.HasSuffix(l.path, "policies") || strings.HasSuffix(l.path, "review-rules") {
		return 100
	}
	return 500
}

func (l *pages) checkFilters() {
	l.Helper()
	all := l.whole("", l.most())
	if len(all) < 4 {
		l.Fatalf("the list has only %d items", len(all))
	}
	for _, f := range l.filters {
		kept := slices.DeleteFunc(slices.Clone(all), func(item map[string]any) bool { return !f.keep(item) })
		if !f.alike && (len(kept) == 0 || len(kept) == len(all)) {
			l.Errorf("%s is no filter that tells: it keeps %d of %d", f.query, len(kept), len(all))
		}
		for _, limit := range []int{1, 3, l.most()} {
			if got := l.whole(f.query, limit); !reflect.DeepEqual(l.names(got), l.names(kept)) {
				l.Errorf("%s, %d a page, shows\n%q\nof which a naive filter keeps\n%q", f.query, limit, l.names(got), l.names(kept))
			}
		}
	}
}

// checkHostile tries cursors that the bank did not make for this list.
func (l *pages) checkHostile(foreign string) {
	l.Helper()
	_, cursor := l.read("limit=1")
	if cursor == "" {
		l.Fatal("one item a page, and there is one page")
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		l.Fatal(err)
	}
	hostile := []string{
		"nowhere", "0", "-1", "1", "18446744073709551616", "..", "%00", cursor[1:], cursor[:len(cursor)-1], cursor + "A", cursor + "==", cursor + cursor, strings.ToUpper(cursor),
		base64.RawURLEncoding.EncodeToString(raw[cursorMacBytes:]), base64.RawURLEncoding.EncodeToString(raw[:cursorMacBytes]), strings.Repeat("A", 4096), "' OR 1=1 --",
		foreign,
	}
	for i := range raw {
		changed := slices.Clone(raw)
		changed[i] ^= 1 << (i % 8)
		hostile = append(hostile, base64.RawURLEncoding.EncodeToString(changed))
	}
	for _, f := range l.filters {
		if _, of := l.read(f.query + "&limit=1"); of != "" {
			hostile = append(hostile, of) // made for the list with another filter
		}
	}
	for _, text := range hostile {
		if text == cursor {
			continue
		}
		l.nowMS += 20
		separator := "?"
		if strings.Contains(l.path, "?") {
			separator = "&"
		}
		l.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", l.path+separator+"cursor="+url.QueryEscape(text), l.key, "")
	}
	l.read("limit=1&cursor=" + cursor) // and its own goes on
}

// A cursor outlives the process that made it.
func TestCursorsOutliveARestart(t *testing.T) {
	s := newStack(t)
	list := listAssets(s)
	for range 3 {
		list.grow()
	}
	page, cursor := list.read("limit=2")
	s.server = newServer(s.server.Config)
	rest, _ := list.read("limit=500&cursor=" + cursor)
	if all := list.whole("", 500); !reflect.DeepEqual(append(page, rest...), all) {
		t.Errorf("%v and %v are not %v", page, rest, all)
	}
	fresh := newStack(t)
	fresh.server.cursorSecret = [32]byte{9} // a bank with another secret
	fresh.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", "/v1/supply?cursor="+cursor, "", "")
}

func member(name string, value any) func(map[string]any) bool {
	return func(item map[string]any) bool { return reflect.DeepEqual(item[name], value) }
}

// atLeast and below compare times as they are written.
func atLeast(name, text string) func(map[string]any) bool {
	return func(item map[string]any) bool { return item[name].(string) >= text }
}

func below(name, text string) func(map[string]any) bool {
	return func(item map[string]any) bool { return item[name].(string) < text }
}
