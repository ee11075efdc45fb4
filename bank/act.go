package bank

// Bounds of what an act says of itself.
const (
	MaxActBytes     = 4096 // of Before and of After, each
	MaxOperators    = 100
	MaxOperatorKeys = 1000 // that were admitted, of all operators
)

// Actor is the operator by whose credential an act is done.
type Actor struct {
	Operator   uint32   // its number; the first operator is 0
	Credential [10]byte // the id of the key that was shown
}

// Act is what an operator does: a command with who gives it, and what a reader
// of the audit trail should see of it. It lies in the journal as one command,
// so nothing is done without its trail and no trail is left of what was not
// tried. Without a command it notes what is done beside the bank, such as the
// making of a key.
//
// Its idempotency key is that of Command.
type Act struct {
	Actor
	// Operation and Target are ids without personal data.
	Operation, Target string
	// Before and After are JSON, empty where they make no sense.
	Before, After string
	Command       []byte // encoded; no Act
}

// AppendTo appends the encoded command. Before and After have a length in two
// bytes; the command takes the rest.
func (c Act) AppendTo(dst []byte) []byte {
	dst = le.AppendUint32(begin(dst, kindAct, Key{}), c.Operator)
	dst = appendText8(appendText8(append(dst, c.Credential[:]...), c.Operation), c.Target)
	return append(appendText16(appendText16(dst, c.Before), c.After), c.Command...)
}

func appendText16(dst []byte, s string) []byte {
	s = s[:min(len(s), MaxActBytes)]
	return append(le.AppendUint16(dst, uint16(len(s))), s...)
}

// ActOf reads the act that an encoded command is, if it is one.
func ActOf(command []byte) (act Act, isAct bool) {
	r := reader{src: command}
	if kind(r.u8()) != kindAct {
		return act, false
	}
	r.id()
	return readAct(&r), !r.short
}

// CarriedOut returns the command that an encoded command carries out: itself,
// that of an act, or what an approval is of. It is empty for a note.
func CarriedOut(command []byte) []byte {
	if act, isAct := ActOf(command); isAct {
		command = act.Command
	}
	if r := (reader{src: command}); kind(r.u8()) == kindEndProposal {
		r.id()
		r.u64()
		if approve := r.bool(); approve && !r.short && len(r.src) > 0 {
			return r.src
		}
	}
	return command
}

func readAct(r *reader) Act {
	a := Act{Actor: Actor{Operator: r.u32(), Credential: [10]byte(r.take(10))}}
	a.Operation, a.Target = string(r.text8()), string(r.text8())
	a.Before, a.After = string(r.text16()), string(r.text16())
	a.Command, r.src = r.src, nil
	return a
}

// Operator is somebody who runs the bank.
type Operator struct {
	Name    string // 1 to 32 of a-z 0-9 -
	AddedMS int64
	Removed bool
}

// operators are those who run the bank, by number, and how they do it together.
type operators struct {
	list []Operator
	keys []OperatorAdmitted // in the order of their admission
	// twoPersons says that nobody alone changes what all money depends on. It
	// is never taken back.
	twoPersons bool
	proposals  proposals

	// act is that of the running command; acting says that there is one, and
	// approved that a second operator stands behind the command.
	act              Act
	acting, approved bool
}

func newOperators() operators { return operators{list: []Operator{{Name: "first"}}} }

// Operators returns those who run the bank, by number.
func (s *State) Operators() []Operator { return append([]Operator(nil), s.operators.list...) }

// OperatorKeys returns the keys that were admitted, the oldest first, those of
// operators who are gone too.
func (s *State) OperatorKeys() []OperatorAdmitted {
	return append([]OperatorAdmitted(nil), s.operators.keys...)
}

// TwoPersons reports whether two operators are needed to change λ, budgets and
// accounts by hand.
func (s *State) TwoPersons() bool { return s.operators.twoPersons }

func (o *operators) active() (count int) {
	for _, some := range o.list {
		if !some.Removed {
			count++
		}
	}
	return count
}

func (o *operators) has(number uint32) bool {
	return int(number) < len(o.list) && !o.list[number].Removed
}

// needsTwo reports whether a command waits for a second operator.
func (o *operators) needsTwo(k kind) bool {
	if !o.twoPersons || o.approved {
		return false
	}
	switch k {
	case kindSetMonetaryPolicy, kindSetWorldShare, kindSetLimits, kindSetPayoutRate:
		return true
	case kindTransfer, kindPlaceHold, kindSettleHold, kindSettleGroup:
		return o.acting // whoever owns the accounts needs nobody
	case kindAdmitOperator, kindRemoveOperator:
		return o.active() > 1
	}
	return false
}

// proposable reports whether a second operator may let a command of this kind
// be carried out.
func proposable(k kind) bool {
	switch k {
	case kindSetMonetaryPolicy, kindSetWorldShare, kindSetLimits, kindTransfer, kindPlaceHold, kindSettleHold, kindSettleGroup, kindAdmitOperator, kindRemoveOperator, kindSetPayoutRate:
		return true
	}
	return false
}

// RequireTwoPersons demands two operators for λ, budgets and manual entries,
// from now on and for ever. It also happens by itself when a second operator is
// admitted.
type RequireTwoPersons struct{ Key Key }

// AppendTo appends the encoded command.
func (c RequireTwoPersons) AppendTo(dst []byte) []byte {
	return begin(dst, kindRequireTwoPersons, c.Key)
}

func (s *State) requireTwoPersons(r *reader) Refusal {
	if !r.finished() {
		return Malformed
	}
	s.operators.twoPersons = true
	s.answer = append(s.answer, uint8(factTwoPersonsRequired))
	return Accepted
}

// AdmitOperator adds an operator, or a further key of one who is there. The key
// is made by whom it is for, and nobody else sees more than its hash; so who
// admits somebody cannot act in their name.
type AdmitOperator struct {
	Key     Key
	Name    string
	KeyHash [32]byte // SHA-256 of the secret
}

// AppendTo appends the encoded command.
func (c AdmitOperator) AppendTo(dst []byte) []byte {
	return append(appendText8(begin(dst, kindAdmitOperator, c.Key), c.Name), c.KeyHash[:]...)
}

// OperatorAdmitted says the number of an operator and the hash of a key.
type OperatorAdmitted struct {
	Operator uint32
	KeyHash  [32]byte
}

func (s *State) admitOperator(r *reader) Refusal {
	name, hash := r.text8(), r.digest()
	if !r.finished() {
		return Malformed
	}
	valid := len(name) >= 1 && len(name) <= 32 && codeValid(name, func(c byte) bool {
		return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	})
	if !valid {
		return CodeInvalid
	}
	o := &s.operators
	if len(o.keys) >= MaxOperatorKeys {
		return TooMany
	}
	number := len(o.list)
	for i := range o.list {
		if o.list[i].Name == string(name) {
			number = i
		}
	}
	switch {
	case number == len(o.list) && number >= MaxOperators:
		return TooMany
	case number < len(o.list) && o.list[number].Removed:
		return CodeTaken // the trail must not tell of two people by one name
	case number == len(o.list):
		o.list = append(o.list, Operator{Name: string(name), AddedMS: s.nowMS})
	}
	admitted := OperatorAdmitted{Operator: uint32(number), KeyHash: hash}
	o.keys = append(o.keys, admitted)
	o.twoPersons = o.twoPersons || o.active() > 1
	dst := le.AppendUint32(append(s.answer, uint8(factOperatorAdmitted)), uint32(number))
	s.answer = append(dst, hash[:]...)
	return Accepted
}

// RemoveOperator ends what an operator may do, for good.
type RemoveOperator struct {
	Key      Key
	Operator uint32
}

// AppendTo appends the encoded command.
func (c RemoveOperator) AppendTo(dst []byte) []byte {
	return le.AppendUint32(begin(dst, kindRemoveOperator, c.Key), c.Operator)
}

// OperatorRemoved says who is no operator any more.
type OperatorRemoved struct{ Operator uint32 }

func (s *State) removeOperator(r *reader) Refusal {
	number := r.u32()
	if !r.finished() {
		return Malformed
	}
	o := &s.operators
	if !o.has(number) {
		return OperatorNotFound
	}
	if o.active() == 1 {
		return LastOperator
	}
	o.list[number].Removed = true
	s.answer = le.AppendUint32(append(s.answer, uint8(factOperatorRemoved)), number)
	return Accepted
}

// actor returns who gives the running command; only operators are named.
func (s *State) actor() (number uint32, acting bool) {
	return s.operators.act.Operator, s.operators.acting
}

// beginAct reads the act around a command and leaves the command itself.
func (s *State) beginAct(r *reader) Refusal {
	o := &s.operators
	o.act = readAct(r)
	if r.short || len(o.act.Before) > MaxActBytes || len(o.act.After) > MaxActBytes {
		return Malformed
	}
	if !o.has(o.act.Operator) {
		return OperatorNotFound
	}
	o.acting = true
	r.src = o.act.Command
	return Accepted
}

// NeedsTwo reports whether a command of an operator is only carried out once a
// second operator has approved it.
func (s *State) NeedsTwo(command []byte) bool {
	o := s.operators
	o.acting, o.approved = true, false
	return len(command) > 0 && o.needsTwo(kind(command[0]))
}
