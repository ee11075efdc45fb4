import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { connect } from '../index.js'

/**
 * A bank that answers as it is told, one after the other, and then well; it
 * keeps what it was sent.
 * @param {import('node:test').TestContext} t
 * @param {Array<number | 'cut' | {status: number, retryAfter?: string}>} faults
 */
async function bank(t, ...faults) {
  /** @type {Array<{body: any, at: number, headers: any}>} */
  const requests = []
  /** @type {Map<string, any>} what counts, by message id */
  const counted = new Map()
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    const body = JSON.parse(text)
    requests.push({ body, at: performance.now(), headers: request.headers })
    const fault = faults.shift()
    if (typeof fault === 'number' || typeof fault === 'object') {
      const { status, retryAfter = '' } = typeof fault === 'number' ? { status: fault } : fault
      response.writeHead(status, retryAfter ? { 'Retry-After': retryAfter } : {}).end('{}')
      return
    }
    const verdicts = body.batch.map((/** @type {any} */ event) => {
      const verdict = counted.has(event.messageId) ? 'duplicate' : 'accepted'
      counted.set(event.messageId, event)
      return { message_id: event.messageId, verdict }
    })
    if (fault === 'cut') return void request.socket.destroy()
    response.end(JSON.stringify({ success: true, verdicts }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => server.close())
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://127.0.0.1:${port}`, requests, counted }
}

/** @param {import('../index.js').Tracker} tracker */
async function drained(tracker) {
  while (await tracker.flush()) await new Promise((resolve) => setTimeout(resolve, 20))
}

const ids = (/** @type {any} */ request) => request.body.batch.map((/** @type {any} */ event) => event.messageId)

test('it is smaller than 6 kB', async () => {
  const packed = gzipSync(await readFile(new URL('../index.js', import.meta.url)), { level: 9 }).length
  assert.ok(packed < 6000, `${packed} bytes`)
  const { dependencies } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  assert.equal(dependencies, undefined)
})

test('a failed request is made again with the same events under the same message ids', async (t) => {
  const b = await bank(t, 503, 'cut', 429)
  const tracker = connect({ url: b.url, key: 'ab_wk_x', userId: 'ann', consent: true })
  for (let i = 0; i < 3; i++) assert.equal(tracker.interact('Jumped', { height: i }), true)
  await drained(tracker)
  assert.equal(b.requests.length, 4)
  for (const request of b.requests) assert.deepEqual(ids(request), ids(b.requests[0]))
  assert.equal(b.counted.size, 3)
  const [event] = b.counted.values()
  assert.deepEqual([event.type, event.event, event.userId, event.properties], ['track', 'Jumped', 'ann', { height: 0 }])
  assert.equal(b.requests[0].body.writeKey, 'ab_wk_x')
  assert.match(b.requests[0].headers['content-type'], /^text\/plain/)
  await tracker.close()
})

test('nobody comes back before the time that the bank asks for', async (t) => {
  const b = await bank(t, { status: 429, retryAfter: '2' })
  const tracker = connect({ url: b.url, key: 'k', userId: 'ann', consent: true })
  tracker.interact('Jumped')
  await drained(tracker)
  const pause = b.requests[1].at - b.requests[0].at
  assert.ok(pause >= 1990, `${pause} ms`)
  await tracker.close()
})

test('one event that cannot be read costs none of the others', async (t) => {
  const b = await bank(t, 413, 400, 400)
  /** @type {unknown[]} */
  const faults = []
  const tracker = connect({ url: b.url, key: 'k', userId: 'ann', consent: true, onFault: (error) => faults.push(error) })
  for (let i = 0; i < 4; i++) tracker.interact('Jumped', { height: i })
  await drained(tracker)
  assert.equal(b.counted.size, 3)
  assert.equal(tracker.dropped, 1)
  assert.equal(faults.length, 1)
  await tracker.close()
})

test('before consent nothing is taken or sent, and withdrawing it destroys what waits', async (t) => {
  const b = await bank(t, 503, 503, 503, 503)
  const tracker = connect({ url: b.url, key: 'k', userId: 'ann' })
  assert.equal(tracker.interact('Jumped'), false)
  assert.equal(await tracker.flush(), 0)
  assert.equal(b.requests.length, 0)
  await tracker.consent(true)
  assert.equal(tracker.interact('Jumped'), true)
  assert.equal(await tracker.flush(), 1)
  assert.equal(b.requests.length, 1)
  await tracker.consent(false)
  assert.equal(await tracker.flush(), 0)
  assert.equal(tracker.interact('Jumped'), false)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(b.requests.length, 1)
  await tracker.consent(true)
  tracker.interact('Landed')
  assert.equal(b.counted.size, 0)
  await tracker.close()
})

test('what waits is bounded', async (t) => {
  const b = await bank(t)
  const tracker = connect({ url: b.url, key: 'k', userId: 'ann', consent: true, maxWaiting: 3 })
  const taken = [1, 2, 3, 4, 5].map(() => tracker.interact('Jumped'))
  assert.deepEqual(taken, [true, true, true, false, false])
  assert.equal(tracker.dropped, 2)
  assert.equal(await tracker.close(), 0)
  assert.equal(b.counted.size, 3)
})

test('large backlogs go in requests that a page may send at its end', async (t) => {
  const b = await bank(t)
  const tracker = connect({ url: b.url, key: 'k', userId: 'ann', consent: true })
  for (let i = 0; i < 2000; i++) tracker.interact('Jumped', { where: 'ß'.repeat(20) })
  assert.equal(await tracker.close(), 0)
  assert.equal(b.counted.size, 2000)
  for (const { headers, body } of b.requests) {
    assert.ok(Number(headers['content-length']) < 65_536, headers['content-length'])
    assert.ok(body.batch.length <= 500)
  }
})

test('a token is the credential, is renewed, and sends its own user alone', async (t) => {
  const b = await bank(t, 503)
  let made = 0
  const token = () => `h.${Buffer.from(JSON.stringify({ exp: Date.now() / 1000 + 10, n: made++ })).toString('base64url')}.s`
  const tracker = connect({ url: b.url, token, userId: 'ann', consent: true })
  tracker.interact('Jumped')
  await tracker.flush() // 503
  tracker.identify('bo')
  tracker.interact('Landed')
  while (b.counted.size === 0) {
    await tracker.flush()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual([...b.counted.values()].map((event) => event.userId), ['bo'])
  tracker.identify('ann') // is back
  await drained(tracker)
  assert.deepEqual([...b.counted.values()].map((event) => event.userId), ['bo', 'ann'])
  assert.ok(made >= 3, 'a token that ends in 10 s is not used again')
  for (const { headers, body } of b.requests) {
    assert.match(headers.authorization, /^Bearer h\./)
    assert.equal(body.writeKey, undefined)
  }
  await tracker.close()
})

test('in Node somebody is there between enter and leave', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.UTC(2026, 0, 10, 12) })
  let steady = 0
  t.mock.method(performance, 'now', () => steady)
  /** @type {any[]} */
  const events = []
  const fetch = /** @type {any} */ (async (/** @type {string} */ _, /** @type {any} */ request) => {
    const { batch } = JSON.parse(request.body)
    events.push(...batch)
    return { ok: true, headers: new Headers(), json: async () => ({ success: true, verdicts: [] }) }
  })
  const tracker = connect({ url: 'http://bank', key: 'k', userId: 'ann', consent: true, fetch })
  const run = (/** @type {number} */ seconds) => {
    for (let i = 0; i < seconds; i++) {
      steady += 1000
      t.mock.timers.tick(1000)
    }
  }
  run(20)
  tracker.enter()
  run(30)
  tracker.leave()
  run(20)
  await tracker.close()
  assert.deepEqual(events.map((event) => `${event.event} ${event.timestamp.slice(14, 19)}`), ['heartbeat 00:20', 'heartbeat 00:30', 'heartbeat 00:40'])
})

test('a key or a token is needed', () => {
  assert.throws(() => connect({ url: 'http://bank' }), /key or a token/)
})
