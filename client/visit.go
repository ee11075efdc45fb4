package client

// Visit is somebody being in a world, on one device. Every ten seconds of
// presence are a heartbeat, which is sent when they are over. Several visits of
// one person at a time earn no more than one: the bank counts time once.
type Visit struct {
	tracker             *Tracker
	userID, anonymousID string

	presence // under the tracker's lock
}

// Enter begins a visit of a user.
func (t *Tracker) Enter(userID string) *Visit { return t.enter(&Visit{userID: userID}) }

// EnterAnonymous begins a visit of somebody who is not known yet: what it
// earns waits until the device's user is (Identify).
func (t *Tracker) EnterAnonymous(anonymousID string) *Visit {
	return t.enter(&Visit{anonymousID: anonymousID})
}

func (t *Tracker) enter(v *Visit) *Visit {
	v.tracker = t
	t.mu.Lock()
	defer t.mu.Unlock()
	t.meter.enter(v)
	return v
}

// Touch says that somebody is there: an input, a step, a look around. It
// matters where the Tracker has Idle.
func (v *Visit) Touch() { v.do(func(m *meter) { m.touch(v) }) }

// Act reports an interaction by the name that the world's policy has for it.
func (v *Visit) Act(name string, properties map[string]any) error {
	v.Touch()
	return v.tracker.Track(Event{UserID: v.userID, AnonymousID: v.anonymousID, Name: name, Properties: properties})
}

// Away says that nobody is there for now: the window is in the background, the
// headset was put down.
func (v *Visit) Away() { v.do(func(m *meter) { m.setPresent(v, false) }) }

// Back ends Away.
func (v *Visit) Back() { v.do(func(m *meter) { m.setPresent(v, true) }) }

// Leave ends the visit. What comes after it is without effect.
func (v *Visit) Leave() { v.do(func(m *meter) { m.leave(v) }) }

func (v *Visit) do(change func(*meter)) {
	v.tracker.mu.Lock()
	defer v.tracker.mu.Unlock()
	if _, there := v.tracker.meter.visits[v]; there {
		change(v.tracker.meter)
	}
}
