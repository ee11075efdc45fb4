package identity

// generations is a bounded cache. What is used lives in the young generation;
// when that is full, it becomes the old one and what was not used since the
// last time is dropped. This keeps the entries in use like a list by last use
// would, without a list.
type generations[K comparable, V any] struct {
	size       int // of one generation
	young, old map[K]V
}

func (g *generations[K, V]) get(key K) (value V, found bool) {
	if value, found = g.young[key]; found {
		return value, true
	}
	if value, found = g.old[key]; found {
		g.put(key, value)
	}
	return value, found
}

func (g *generations[K, V]) put(key K, value V) {
	if len(g.young) >= g.size || g.young == nil {
		g.old, g.young = g.young, make(map[K]V)
	}
	g.young[key] = value
}

func (g *generations[K, V]) drop(key K) {
	delete(g.young, key)
	delete(g.old, key)
}

func (g *generations[K, V]) clear() { g.young, g.old = nil, nil }
