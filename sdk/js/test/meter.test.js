// The same cases as client/presence_test.go: both clients measure alike.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from '../index.js'

/** A meter, by clocks that the test turns, from 12:00:00 on. @param {number} idleMS */
function measure(idleMS = 0) {
  const noon = Date.UTC(2026, 0, 10, 12)
  const hands = { wall: noon, steady: 0 }
  /** @type {string[]} */
  const beats = []
  const meter = new Meter((at) => beats.push(new Date(at).toISOString().slice(11, 19)), idleMS, { wall: () => hands.wall, steady: () => hands.steady })
  const pass = (/** @type {number} */ ms) => {
    hands.wall += ms
    hands.steady += ms
  }
  const run = (/** @type {number} */ seconds) => {
    for (let i = 0; i < seconds; i++) {
      pass(1000)
      meter.look()
    }
  }
  return { hands, beats, meter, pass, run }
}

/** @type {Array<[string, number, (m: ReturnType<typeof measure>) => void, string]>} */
const cases = [
  ['half a minute is three heartbeats', 0, (m) => { m.meter.set(true); m.run(30) }, '12:00:00 12:00:10 12:00:20'],
  ['a bucket counts from half of it on', 0, (m) => { m.run(4); m.meter.set(true); m.run(10); m.meter.set(false); m.meter.end() }, '12:00:00'],
  ['what rounding left over is carried on', 0, (m) => {
    for (let i = 0; i < 5; i++) { m.meter.set(true); m.run(6); m.meter.set(false); m.run(4) }
  }, '12:00:00 12:00:20 12:00:40'],
  ['nobody is present while away', 0, (m) => { m.meter.set(true); m.run(10); m.meter.set(false); m.run(30); m.meter.set(true); m.run(10) }, '12:00:00 12:00:40'],
  ['without a sign of somebody presence ends', 20_000, (m) => { m.meter.set(true); m.run(60); m.meter.touch(); m.run(60) }, '12:00:00 12:00:10 12:01:00 12:01:10'],
  ['signs of somebody keep it up', 20_000, (m) => {
    m.meter.set(true)
    for (let i = 0; i < 4; i++) { m.run(15); m.meter.touch() }
  }, '12:00:00 12:00:10 12:00:20 12:00:30 12:00:40 12:00:50'],
  ['the machine sleeps and its steady clock with it', 0, (m) => { m.meter.set(true); m.run(20); m.hands.wall += 8 * 3600_000; m.run(20) }, '12:00:00 12:00:10 20:00:20 20:00:30'],
  ['the machine sleeps and its steady clock goes on', 0, (m) => { m.meter.set(true); m.run(20); m.pass(8 * 3600_000); m.run(20) }, '12:00:00 12:00:10 20:00:20 20:00:30'],
  ['the clock is set ahead', 0, (m) => { m.meter.set(true); m.run(20); m.hands.wall += 300_000; m.run(20) }, '12:00:00 12:00:10 12:05:20 12:05:30'],
  ['the clock is set back', 0, (m) => { m.meter.set(true); m.run(20); m.hands.wall -= 10_000; m.run(20) }, '12:00:00 12:00:10 12:00:10 12:00:20'],
  ['a clock that is slewed is followed by none', 0, (m) => {
    m.meter.set(true)
    for (let i = 0; i < 30; i++) { m.run(1); m.hands.wall += 20 }
  }, '12:00:00 12:00:10 12:00:20']
]

for (const [name, idleMS, act, want] of cases) {
  test(name, () => {
    const m = measure(idleMS)
    act(m)
    assert.equal(m.beats.join(' '), want)
  })
}

test('whatever somebody does, heartbeats stand for the truth to within a bucket', () => {
  let seed = 7
  const random = (/** @type {number} */ n) => (seed = (seed * 48271) % 0x7fffffff) % n
  for (let round = 0; round < 300; round++) {
    const m = measure()
    m.pass(random(10_000))
    m.meter.anchor()
    let present = false
    let truth = 0
    for (let step = random(60); step > 0; step--) {
      const ms = 1 + random(14_000)
      m.pass(ms)
      if (present) truth += ms
      if (random(2)) m.meter.set((present = !present))
      else m.meter.look()
    }
    m.meter.end()
    assert.ok(Math.abs(m.beats.length * 10_000 - truth) <= 10_000, `${m.beats.length} heartbeats for ${truth} ms, round ${round}`)
    assert.equal(new Set(m.beats).size, m.beats.length)
  }
})
