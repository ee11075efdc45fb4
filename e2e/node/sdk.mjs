// Drives our own client for pages and Node through what happens to people, in
// Chromium, and prints what was true, as JSON by user:
//   node sdk.mjs < {"url":…,"key":…,"faulty":{"429":url,…},"ask":…}
// faulty are networks that fail once; ask answers how many interactions of
// ?user= count, and under /token a token that the world signs for ?user=.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { chromium } from './chromium.mjs'
import { connect } from '../../sdk/js/index.js'

const { url, key, faulty, ask } = JSON.parse(await text(process.stdin))
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const source = await readFile(new URL('../../sdk/js/index.js', import.meta.url))
const pages = createServer((request, response) => {
  const script = request.url === '/sdk.js'
  response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html')
  response.end(script ? source : '<!doctype html><title>World</title><body style="height:4000px">')
})
await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${pages.address().port}/`

// world is a page of the world with a tracker; settings go to connect.
async function world(browser, settings) {
  const tab = await browser.tab(origin)
  await begin(tab, settings)
  return tab
}

const begin = (tab, { signed, ...settings }) =>
  tab.evaluate(`(async () => {
    const { connect } = await import('/sdk.js')
    globalThis.said = []
    globalThis.asked = 0
    globalThis.token = () => (asked++, fetch('${ask}/token?user=${settings.userId}').then((r) => r.text()))
    const credential = ${signed ? '{ token }' : JSON.stringify({ key })}
    globalThis.tracker = connect({ url: ${JSON.stringify(url)}, ...credential, ...${JSON.stringify(settings)}, onVerdict: (v) => said.push(v.verdict) })
    await tracker.ready
  })()`)

const kept = (tab) => tab.evaluate(`indexedDB.databases().then((bases) => ({ bases: bases.length, items: localStorage.length }))`)

// waiting is how many events IndexedDB holds.
const waiting = (tab) =>
  tab.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('attentionbank')
    opening.onerror = reject
    opening.onsuccess = () => {
      const counting = opening.result.transaction('events').objectStore('events').count()
      counting.onsuccess = () => { opening.result.close(); resolve(counting.result) }
    }
  })`)

// until waits for something to become true.
async function until(what, holds) {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return
    await pause(20)
  }
  throw new Error(what + ' did not come about')
}

// present keeps somebody active in a tab, and adds to the truth how long.
async function present(tab, seconds, truth) {
  const began = performance.now()
  for (; performance.now() - began < seconds * 1000; await pause(500)) await tab.act()
  truth.presentMS += performance.now() - began
}

const people = {
  // Somebody looks at another tab for a while, and at the same time nothing else
  // changes: the page goes on, unseen.
  async tabs(browser) {
    const truth = { presentMS: 0 }
    const tab = await world(browser, { userId: 'tabs', consent: true })
    await present(tab, 16, truth)
    const other = await browser.tab(origin)
    truth.hidden = await tab.evaluate('document.visibilityState')
    await pause(25_000)
    await other.close()
    await tab.front()
    await present(tab, 16, truth)
    truth.left = await tab.evaluate('tracker.close()')
    return truth
  },

  // Somebody goes away from a page that stays in front.
  async idle(browser) {
    const truth = { presentMS: 0 }
    const tab = await world(browser, { userId: 'idle', consent: true, idleMS: 6000 })
    await present(tab, 14, truth)
    truth.presentMS += 6000
    await pause(30_000)
    truth.hidden = await tab.evaluate('document.visibilityState')
    truth.left = await tab.evaluate('tracker.close()')
    return truth
  },

  // The network is away, and so is the page before it comes back.
  async offline(browser) {
    const tab = await world(browser, { userId: 'offline', consent: true, idleMS: 1 })
    await tab.offline(true)
    await tab.evaluate(`for (let i = 0; i < 3; i++) tracker.interact('Jumped'); tracker.flush()`)
    await tab.offline(false) // the browser says that it is online
    await until('what waited offline', async () => (await tab.evaluate('said.length')) >= 3)
    await tab.offline(true)
    await tab.evaluate(`for (let i = 0; i < 4; i++) tracker.interact('Jumped'); tracker.flush()`)
    await until('four events on disk', async () => (await waiting(tab)) >= 4)
    await tab.close()
    const later = await world(browser, { userId: 'offline', consent: true, idleMS: 1 })
    await until('what the page before has left', async () => (await later.evaluate('said.length')) >= 4)
    await until('an empty disk', async () => (await waiting(later)) === 0)
    return { interactions: 7 }
  },

  // The page ends before its events were sent.
  async unload(browser) {
    const tab = await world(browser, { userId: 'unload', consent: true, idleMS: 1, flushMS: 3600_000 })
    await tab.evaluate(`for (let i = 0; i < 5; i++) tracker.interact('Jumped'); said.length`)
    await tab.go('about:blank')
    let beacon = 0 // what counts before another page sends the same again
    await until('the beacon', async () => (beacon = await counted('unload')) >= 5)
    const later = await world(browser, { userId: 'unload', consent: true, idleMS: 1 })
    await until('the same events again', async () => (await later.evaluate('said.length')) >= 5)
    return { interactions: 5, beacon, verdicts: await later.evaluate('[...new Set(said)]') }
  },

  // Nothing is stored or sent without consent; withdrawn, it leaves nothing.
  async consent(browser) {
    const truth = { interactions: 1, kept: [] }
    const settings = { userId: 'consent', idleMS: 1, flushMS: 100 }
    const tab = await world(browser, settings)
    await tab.evaluate(`tracker.interact('Jumped'); tracker.flush()`)
    await pause(500)
    truth.kept.push(await kept(tab))
    await tab.evaluate(`(async () => { await tracker.consent(true); tracker.interact('Jumped'); await tracker.flush() })()`)
    await tab.offline(true)
    await tab.evaluate(`tracker.interact('Jumped')`)
    await until('an event on disk', async () => (await waiting(tab)) > 0)
    const second = await world(browser, { ...settings, userId: undefined, consent: true, name: 'attentionbank' })
    await second.offline(true)
    truth.device = (await kept(second)).items // a device without a user has an id, with consent
    await second.evaluate(`tracker.interact('Jumped')`)
    await tab.evaluate('tracker.consent(false)')
    await until('the other tab to forget', async () => (await second.evaluate('tracker.waiting.length + +tracker.consented')) === 0)
    truth.kept.push(await kept(tab))
    await tab.offline(false)
    await second.offline(false)
    await pause(1000)
    return truth
  },

  // The page has no key: the world signs tokens of its user, short ones, and the
  // page has them renewed. They are good for a session and for what is earned.
  // Its interactions cover half a minute each, so presence is told of others.
  async token(browser) {
    const truth = { interactions: 2 }
    const there = { presentMS: 0 }
    const settings = { userId: 'token', consent: true, signed: true }
    const tab = await world(browser, settings)
    await tab.evaluate(`tracker.interact('Jumped'); tracker.flush()`)
    await present(tab, 16, there)
    await until('a token renewed', async () => (await tab.evaluate('asked')) >= 2)
    truth.statuses = await tab.evaluate(`(async () => {
      const headers = { Authorization: 'Bearer ' + (await token()) }
      const calls = [['POST', '/v1/sessions'], ['GET', '/v1/people/me/attention'], ['GET', '/v1/people/me']]
      return Promise.all(calls.map(([method, path]) => fetch('${url}' + path, { method, headers, credentials: 'omit' }).then((r) => r.status)))
    })()`)
    // A page that ends sends nothing without a key: what waits is the next one's.
    await tab.evaluate(`tracker.options.flushMS = 1e9; tracker.notBefore = Infinity; tracker.interact('Jumped')`)
    await until('an event on disk', async () => (await waiting(tab)) > 0)
    await present(tab, 32, there)
    truth.tokens = await tab.evaluate('asked')
    await tab.close()
    const later = await world(browser, { ...settings, idleMS: 1 })
    await until('what the page before has left', async () => (await waiting(later)) === 0)
    truth.counted = await counted('token')
    return truth
  },

  // Node, behind networks that fail once.
  async node() {
    for (const host of Object.values(faulty)) {
      const tracker = connect({ url: host, key, userId: 'node', consent: true, flushMS: 50 })
      for (let i = 0; i < 6; i++) tracker.interact('Jumped')
      while (await tracker.flush()) await pause(20)
      await tracker.close()
    }
    return { interactions: 6 * Object.keys(faulty).length }
  }
}

// counted asks the test how much of a user's day counts now.
const counted = async (user) => Number(await (await fetch(ask + '?user=' + user)).text())

const truths = {}
await Promise.all(
  Object.entries(people).map(async ([name, live]) => {
    const browser = name === 'node' ? undefined : await chromium()
    try {
      truths[name] = await live(browser)
    } finally {
      await browser?.close()
    }
  })
)
console.log(JSON.stringify(truths))
pages.close()
