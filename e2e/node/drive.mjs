// Drives a client, unmodified, through the cases that it reads as JSON from
// standard input, and prints for each what the client said of its events:
//   node drive.mjs CLIENT < {"key":…,"cases":[{"name","host","user","devices","skewMS","drops","times":[ms or null]}]}
// A case gives each device as many events as it has times; null is "now".
// An answer is {"name","acknowledged","again"}: again counts how often the
// client gave up, so that the program had to give it the same events again.
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'

const require = createRequire(import.meta.url)
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const deadlineMS = 180_000

// Each client gives back send(events): events have an id, a user and a time, a
// Date or nothing. It resolves with how many were acknowledged and how often
// the client had to be asked again.
const clients = {
  async 'segment-node'({ host, key }) {
    const { Analytics } = await import('@segment/analytics-node')
    const analytics = new Analytics({ host, writeKey: key, flushAt: 5, flushInterval: 50 })
    return byCallback(
      (event, done) => analytics.track({ userId: event.user, event: 'Jumped', messageId: event.id, timestamp: event.time }, done),
      () => analytics.closeAndFlush({ timeout: deadlineMS })
    )
  },
  async 'segment-node-old'({ host, key }) {
    const Analytics = require('analytics-node')
    const analytics = new Analytics(key, { host, flushAt: 5, flushInterval: 50, errorHandler() {} })
    return byCallback((event, done) => analytics.track(given({ userId: event.user, event: 'Jumped', messageId: event.id, timestamp: event.time }), done))
  },
  async rudderstack({ host, key }) {
    const { default: RudderAnalytics } = await import('@rudderstack/rudder-sdk-node')
    const analytics = new RudderAnalytics(key, { dataPlaneUrl: host, flushAt: 5, flushInterval: 50, logLevel: 'none', errorHandler() {} })
    return byCallback((event, done) => analytics.track(given({ userId: event.user, event: 'Jumped', messageId: event.id, timestamp: event.time }), done))
  },
  async cloudevents({ host, key }) {
    const { CloudEvent, emitterFor, httpTransport, Mode } = await import('cloudevents')
    const transport = httpTransport(host + '/v1/cloudevents')
    const emit = { binary: emitterFor(transport, { mode: Mode.BINARY }), structured: emitterFor(transport, { mode: Mode.STRUCTURED }) }
    const headers = { authorization: 'Basic ' + Buffer.from(key + ':').toString('base64') }
    return oneByOne(async (event, i) => {
      const made = new CloudEvent(given({ id: event.id, source: '/world', type: 'Jumped', subject: event.user, time: event.time?.toISOString(), data: { height: i } }))
      // The client knows no status; the answer says whether it is one.
      const answer = await emit[i % 2 ? 'binary' : 'structured'](made, { headers })
      return JSON.parse(answer.body || '{}').success === true
    })
  },
  async 'snowplow-node'({ host, key }) {
    return snowplowNode(host, key, 'post')
  },
  async 'snowplow-node-get'({ host, key }) {
    return snowplowNode(host, key, 'get')
  },
  async 'posthog-node'({ host, key }) {
    const { PostHog } = await import('posthog-node')
    const client = new PostHog(key, { host, flushAt: 100, flushInterval: 60_000, fetchRetryDelay: 300 })
    return async (events) => {
      const capture = () => events.forEach((event) => client.capture(given({ distinctId: event.user, event: 'Jumped', uuid: event.id, timestamp: event.time })))
      capture()
      for (let again = 0; ; again++) {
        try {
          await client.flush()
          return { acknowledged: events.length, again }
        } catch {
          await pause(300)
          capture()
        }
      }
    }
  },
  async 'segment-browser'(config) {
    return segmentBrowser(config, { path: /\/v1\/t$/, ids: (body) => [JSON.parse(body).messageId] }, {})
  },
  async 'segment-browser-batch'(config) {
    const deliveryStrategy = { strategy: 'batching', config: { size: 3, timeout: 200 } }
    return segmentBrowser(config, { path: /\/v1\/b$/, ids: (body) => JSON.parse(body).batch.map((event) => event.messageId) }, { integrations: { 'Segment.io': { deliveryStrategy } } })
  },
  async 'snowplow-browser'(config) {
    return inBrowser(config, 'snowplow', { path: /\/tp2$/, ids: (body) => JSON.parse(body).data.map((event) => event.eid) }, {
      start: ([host, key]) => snowplowBrowserTracking.newTracker('sp', host, { appId: key }),
      send: (events) => {
        snowplowBrowserTracking.setUserId(events[0].user)
        for (const event of events) snowplowBrowserTracking.trackStructEvent({ category: 'game', action: 'Jumped', ...(event.time && { timestamp: { type: 'ttm', value: Date.parse(event.time) } }) })
      },
      again: () => snowplowBrowserTracking.flushBuffer()
    })
  },
  async 'posthog-browser'(config) {
    return inBrowser(config, 'posthog', { path: /\/e\/$/, ids: posthogJumps }, {
      // The user is known from the start, so that nothing but the events is sent.
      start: ([host, key, { user }]) =>
        posthog.init(key, {
          api_host: host, opt_out_useragent_filter: true, autocapture: false, capture_pageview: false, capture_pageleave: false, disable_compression: true,
          advanced_disable_flags: true, persistence: 'memory', bootstrap: { distinctID: user, isIdentifiedID: true }
        }),
      send: (events) => {
        for (const event of events) posthog.capture('Jumped', {}, { ...(event.time && { timestamp: new Date(event.time) }) })
      },
      options: { user: config.user }
    })
  }
}

// posthogJumps are the ids of what a body of posthog-js tells of this test.
function posthogJumps(body) {
  const told = JSON.parse(body)
  return (told.batch ?? [told].flat()).filter((event) => event.event === 'Jumped').map((event) => event.uuid)
}

// given leaves out what is undefined.
function given(message) {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined))
}

// byCallback is for clients that call back once an event is done with.
function byCallback(track, close = async () => {}) {
  return async (events) => {
    let again = 0
    const deliver = async (event) => {
      for (;;) {
        const failed = await new Promise((resolve) => track(event, (error) => resolve(error)))
        if (!failed) return
        again++
        await pause(300)
      }
    }
    const all = Promise.all(events.map(deliver))
    await pause(0)
    await Promise.all([all, close()])
    return { acknowledged: events.length, again }
  }
}

// oneByOne is for clients that send an event at a time and say how it went.
function oneByOne(emit) {
  return async (events) => {
    let again = 0
    for (const [i, event] of events.entries()) {
      while (!(await emit(event, i).catch(() => false))) {
        again++
        await pause(300)
      }
    }
    return { acknowledged: events.length, again }
  }
}

function segmentBrowser(config, seen, options) {
  return inBrowser(config, 'segment', seen, {
    start: async ([host, key, options]) => {
      globalThis.analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: host }, options)
      await globalThis.analytics
    },
    send: (events) => events.forEach((event) => analytics.track('Jumped', {}, { userId: event.user, messageId: event.id, ...(event.time && { timestamp: new Date(event.time) }) })),
    options
  })
}

async function snowplowNode(host, key, eventMethod) {
  const { newTracker, buildStructEvent } = await import('@snowplow/node-tracker')
  let acknowledged = 0
  const { hostname, port } = new URL(host)
  const tracker = newTracker(
    { namespace: 'sp', appId: key, encodeBase64: false },
    { endpoint: hostname, port: Number(port), protocol: 'http', eventMethod, bufferSize: 100, onRequestSuccess: (batch) => (acknowledged += batch.length) }
  )
  return async (events) => {
    tracker.setUserId(events[0].user)
    for (const event of events) {
      tracker.track(buildStructEvent({ category: 'game', action: 'Jumped' }), [], event.time && { type: 'ttm', value: event.time.getTime() })
    }
    let again = -1
    while (acknowledged < events.length) {
      again++
      await tracker.flush()
      await pause(300)
    }
    return { acknowledged, again }
  }
}

let shared
// inBrowser counts the events that the bank has answered with 200, as the page
// sees it; each once, since a client that lost patience sends it again.
async function inBrowser({ host, key, skewMS, drops }, script, { path, ids }, { start, send, again, options = {} }) {
  shared ??= (await import('./browser.mjs')).browser()
  const page = await (await shared).open([script], skewMS)
  const acknowledged = new Set()
  page.on('response', (response) => {
    const request = response.request()
    if (request.method() === 'POST' && response.status() === 200 && path.test(new URL(request.url()).pathname)) for (const id of ids(request.postData())) acknowledged.add(id)
  })
  await page.evaluate(start, [host, key, options])
  return async (events) => {
    await page.evaluate(
      send,
      events.map((event) => ({ ...event, time: event.time?.toISOString() }))
    )
    let asked = 0
    const patienceMS = drops ? 10_000 : deadlineMS
    for (let waited = 0; acknowledged.size < events.length && waited < patienceMS; waited += 100) {
      await pause(100)
      if (again && waited > 0 && waited % 2000 === 0) {
        asked++
        await page.evaluate(again)
      }
    }
    await page.close()
    return { acknowledged: acknowledged.size, again: asked }
  }
}

const [name] = process.argv.slice(2)
const { key, cases } = JSON.parse(await text(process.stdin))
const results = cases.map(async (test) => {
  const said = { name: test.name, acknowledged: 0, again: 0 }
  const devices = Array.from({ length: test.devices }, async (_, device) => {
    const send = await clients[name]({ ...test, key })
    const events = test.times.map((ms) => ({ id: crypto.randomUUID(), user: test.user, time: ms === null ? undefined : new Date(ms) }))
    const { acknowledged, again } = await send(events)
    said.acknowledged += acknowledged
    said.again += again
  })
  await Promise.all(devices)
  return said
})
console.log(JSON.stringify(await Promise.all(results)))
await (await shared)?.close()
process.exit(0)
