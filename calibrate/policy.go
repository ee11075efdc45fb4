package calibrate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/score"
	"go.yaml.in/yaml/v3"
)

// startPolicy is what a policy begins with if none is given: the caps of the
// default policy.
const startPolicy = "name: calibrated\ncaps: {slice_interactions: 60, day_spend: 1000}\n"

// Policy returns the text of a policy with the weights of the result, to the
// nearest millionth, in place of its own. Everything else of the text stays,
// comments too; an empty one has the caps of the default policy. Comment is put
// above it.
func (r *Result) Policy(text []byte, comment string) ([]byte, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte(startPolicy)
	}
	old, err := score.ParsePolicy(text)
	if err != nil {
		return nil, err
	}
	if old.HasFormula() {
		return nil, errors.New("the policy has a formula in place of weights; expected one with weights")
	}
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the policy has no fields: expected at least a name")
	}
	fields := document.Content[0]
	for j, w := range r.Weights() {
		setField(fields, Measures[j].Field, amount.Format(rounded(w), 6))
	}
	fields.HeadComment = strings.TrimSpace(comment + "\n\n" + fields.HeadComment)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, fmt.Errorf("writing the policy: %w", err)
	}
	if _, err := score.ParsePolicy(out.Bytes()); err != nil {
		return nil, fmt.Errorf("the policy with the new weights: %w", err)
	}
	return out.Bytes(), nil
}

// setField gives a field of a mapping a number, and puts a field that is not
// there behind the name.
func setField(mapping *yaml.Node, name, number string) {
	value := &yaml.Node{Kind: yaml.ScalarNode, Value: number}
	place := 0
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		switch mapping.Content[i].Value {
		case name:
			value.LineComment = mapping.Content[i+1].LineComment
			mapping.Content[i+1] = value
			return
		case "name", "pack", Measures[0].Field, Measures[1].Field:
			place = i + 2
		}
	}
	pair := []*yaml.Node{{Kind: yaml.ScalarNode, Value: name}, value}
	mapping.Content = append(mapping.Content[:place:place], append(pair, mapping.Content[place:]...)...)
}
