package score

import (
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// formulaCost bounds the work of one evaluation, in CEL's own cost units.
const formulaCost = 10_000

// formula is f(T, I, C) of a slice in CEL, on integers only:
//
//	t_seconds          presence, in seconds
//	interactions_micro weighted interactions, in millionths
//	spend_minor        spend, in hundredths of the currency
//
// Its value is points in millionths.
type formula struct{ program cel.Program }

// compileFormula reads a formula. Every part of it must be an integer or a
// boolean: no double, string, list or macro.
func compileFormula(text string) (*formula, error) {
	env, err := cel.NewEnv(
		cel.ClearMacros(),
		cel.Variable("t_seconds", cel.IntType),
		cel.Variable("interactions_micro", cel.IntType),
		cel.Variable("spend_minor", cel.IntType),
		pick("min", func(a, b types.Int) types.Int { return min(a, b) }),
		pick("max", func(a, b types.Int) types.Int { return max(a, b) }),
		cel.ParserExpressionSizeLimit(4096),
		cel.ParserRecursionLimit(64),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the language: %w", err)
	}
	const accepted = "expected integers with + - * / %, comparisons, && || ! ?: and min(a, b), max(a, b) on t_seconds, interactions_micro, spend_minor"
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("%w; %s", err, accepted)
	}
	for _, kind := range ast.NativeRep().TypeMap() {
		if !kind.IsExactType(cel.IntType) && !kind.IsExactType(cel.BoolType) {
			return nil, fmt.Errorf("a part of it is of type %s; %s", kind, accepted)
		}
	}
	if !ast.OutputType().IsExactType(cel.IntType) {
		return nil, fmt.Errorf("its value is of type %s, expected an integer: points in millionths", ast.OutputType())
	}
	program, err := env.Program(ast, cel.CostLimit(formulaCost))
	if err != nil {
		return nil, fmt.Errorf("compiling: %w", err)
	}
	return &formula{program}, nil
}

func pick(name string, choose func(a, b types.Int) types.Int) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_int_int", []*cel.Type{cel.IntType, cel.IntType}, cel.IntType,
		cel.BinaryBinding(func(a, b ref.Val) ref.Val { return choose(a.(types.Int), b.(types.Int)) })))
}

var errFormula = errors.New("the formula has no value here")

// points evaluates the formula for a slice. Below zero is zero. A division by
// zero, an overflow or a cost over the limit is an error, for which the slice
// earns nothing.
func (f *formula) points(tSeconds, interactionsMicro, spendMinor int64) (int64, error) {
	value, _, err := f.program.Eval(map[string]any{
		"t_seconds": tSeconds, "interactions_micro": interactionsMicro, "spend_minor": spendMinor,
	})
	if err != nil {
		return 0, errFormula
	}
	points, isInt := value.(types.Int)
	if !isInt || int64(points) > Micro*Micro {
		return 0, errFormula
	}
	return max(int64(points), 0), nil
}
