// Package attentionbank is the root of the module. It holds no code but the
// test of the architecture; ARCHITECTURE.md has the story, and the command is
// in cmd/attentionbank.
package attentionbank
