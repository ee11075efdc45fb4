// Package packs is what the events of kinds of clients mean, as YAML: for each
// event the presence that it covers, its weight as an interaction, its spend. A
// world's policy names a pack to begin with. schema.json describes the form.
//
// A pack's name ends in its version. What is published under a name never
// changes, because policies that name it were published too: a correction is a
// new version.
package packs

import (
	"embed"
	"errors"
	"strings"
)

//go:embed *.yaml
var files embed.FS

//go:embed schema.json
var schema []byte

// ErrUnknown is returned for a name of no pack.
var ErrUnknown = errors.New("there is no such pack")

// Text returns the YAML of a pack, or ErrUnknown.
func Text(name string) ([]byte, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, ErrUnknown
	}
	return text, nil
}

// Names returns the names of all packs, in order.
func Names() (names []string) {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("packs: the embedded files cannot be listed: " + err.Error())
	}
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Schema returns the JSON Schema (2020-12) of a pack.
func Schema() []byte { return schema }
