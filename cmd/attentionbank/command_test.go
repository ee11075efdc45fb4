package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"attentionbank": func() {
			os.Exit(run(&environment{context.Background(), os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
		},
	})
}

// TestCommands runs testdata/*.txtar, which show what the commands print.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != ""})
}
