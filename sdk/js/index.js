// Reports to an Attention Bank what somebody does in a world: presence,
// interactions. For pages and for Node 20. docs/sdk.md says more.

// The bank counts presence in buckets of 10 s by UTC. Time between two looks at
// the clock that are further apart than GAP is a sleep, and nobody's presence. A
// wall clock that is off the monotonic one by more than DRIFT was set.
const BUCKET = 10_000
const GAP = 15_000
const DRIFT = 2_000
const HORIZON = 7 * 24 * 3600_000 // older events would not count any more
const BATCH = 500 // events, and
const BYTES = 60_000 // bytes at once: a page that ends may send 64 KiB

/**
 * Measures presence on the monotonic clock, and tells of each bucket of which at
 * least half was there. What rounding leaves over is carried on, so that the
 * heartbeats stay within a bucket of the truth.
 */
export class Meter {
  /**
   * @param {(bucketMS: number) => void} heartbeat
   * @param {number} idleMS presence ends so long after the last touch; 0: never
   * @param {{wall: () => number, steady: () => number}} [clock]
   */
  constructor(heartbeat, idleMS, clock = { wall: Date.now, steady: () => performance.now() }) {
    this.heartbeat = heartbeat
    this.idleMS = idleMS
    this.clock = clock
    this.present = false
    this.since = this.touched = this.counted = this.carried = 0
    this.wall = this.last = this.steady = this.lastSteady = this.bucket = 0
    this.anchor()
  }

  anchor() {
    this.wall = this.last = this.clock.wall()
    this.steady = this.lastSteady = this.clock.steady()
    this.bucket = this.wall - (this.wall % BUCKET)
  }

  /** Brings everything up to now, and returns it. */
  look() {
    const steady = this.clock.steady()
    const now = this.wall + Math.round(steady - this.steady)
    if (steady - this.lastSteady > GAP || Math.abs(this.clock.wall() - now) > DRIFT) {
      const last = this.last
      this.settle(last)
      this.anchor()
      this.touched += this.last - last
      return (this.since = this.last)
    }
    this.last = now
    this.lastSteady = steady
    for (; this.bucket + BUCKET <= now; this.bucket += BUCKET) this.settle(this.bucket + BUCKET)
    return now
  }

  /** @param {number} at */
  settle(at) {
    this.count(at)
    let due = this.carried + this.counted
    if (this.counted > 0 && due >= BUCKET / 2) {
      this.heartbeat(this.bucket)
      due -= BUCKET
    }
    this.carried = due
    this.counted = 0
  }

  /** @param {number} at */
  count(at) {
    if (!this.present) return
    const until = this.idleMS ? Math.min(at, this.touched + this.idleMS) : at
    this.counted += Math.max(until - this.since, 0)
    this.since = at
  }

  /** Somebody did something. */
  touch() {
    const now = this.look()
    this.count(now)
    this.touched = now
  }

  /** @param {boolean} present */
  set(present) {
    const now = this.look()
    this.count(now)
    if (present && !this.present) this.touched = now
    this.present = present
    this.since = now
  }

  /** Ends what was measured so far. */
  end() {
    this.settle(this.look())
    this.carried = 0
  }
}

/** @param {IDBRequest} request @returns {Promise<any>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const hex = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** @param {string} token @returns {number} when it ends, ms; 0 if it does not say */
function expiry(token) {
  try {
    return JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).exp * 1000 || 0
  } catch {
    return 0
  }
}

/** @param {string | null} header @returns {number} ms */
function retryAfter(header) {
  if (!header) return 0
  return Math.max(/^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now(), 0) || 0
}

/** @typedef {import('./types.d.ts').Options} Options */
/** @typedef {{messageId: string, at: number, by: string, text: string, user: string}} Waiting */

export class Tracker {
  /** @param {Options} options */
  constructor(options) {
    const page = globalThis.document
    if (page && options.key?.startsWith('ab_sk_')) throw new Error('a server key is secret: a page needs the write key (ab_wk_…)')
    if (!options.key && !options.token) throw new Error('a key or a token is needed')
    this.options = { idleMS: page ? 30_000 : 0, flushMS: 5000, maxWaiting: 10_000, name: 'attentionbank', ...options }
    this.url = options.url.replace(/\/+$/, '') + '/v1/batch'
    this.page = page
    this.run = hex()
    this.count = 0
    this.user = options.userId ?? ''
    this.device = options.anonymousId ?? ''
    /** @type {Waiting[]} */
    this.waiting = []
    this.dropped = 0
    this.failures = 0
    this.notBefore = 0 // ms, monotonic: an attempt before is one too early
    this.asked = 0 // ms, monotonic: the bank asked for that
    this.most = BATCH
    this.consented = false
    this.away = !page // in Node there is nobody until enter
    this.meter = new Meter((bucket) => this.track('heartbeat', undefined, bucket), this.options.idleMS)
    /** @type {Array<() => void>} */
    this.undo = []
    /** @type {IDBDatabase | undefined} */
    this.base = undefined
    /** @type {Promise<void> | undefined} */
    this.sending = undefined
    /** @type {(() => void) | undefined} */
    this.release = undefined
    this.ready = options.consent ? this.consent(true) : Promise.resolve()
  }

  /**
   * Says whether the person agrees. Before that nothing is stored or sent;
   * withdrawing it destroys what waits, in all tabs.
   * @param {boolean} granted
   */
  async consent(granted) {
    if (granted && this.consented) return
    this.consented = granted
    if (!granted) {
      this.stop()
      this.waiting = []
      this.cancel?.abort()
      this.device = this.options.anonymousId ?? ''
      return this.remove()
    }
    if (!this.user && !this.device) this.device = this.remember() || hex()
    this.start()
    await this.open().catch((error) => this.fault(error)) // without a disk it waits in memory
    await this.flush()
  }

  /** The id of this device, kept from page to page. @returns {string} */
  remember() {
    try {
      const kept = localStorage.getItem(this.options.name) || hex()
      localStorage.setItem(this.options.name, kept)
      return kept
    } catch {
      return '' // Node, or a browser that keeps nothing
    }
  }

  start() {
    const every = (/** @type {number} */ ms, /** @type {() => void} */ act) => {
      const timer = /** @type {any} */ (setInterval(act, ms))
      timer.unref?.() // Node may end
      this.undo.push(() => clearInterval(timer))
    }
    every(1000, () => this.meter.look())
    every(this.options.flushMS, () => this.flush())
    const on = (/** @type {EventTarget} */ target, /** @type {string} */ names, /** @type {() => void} */ act) => {
      for (const name of names.split(' ')) {
        target.addEventListener(name, act, { passive: true, capture: true })
        this.undo.push(() => target.removeEventListener(name, act, true))
      }
    }
    this.see()
    if (!this.page) return
    let touched = -1000
    on(globalThis, 'pointerdown pointermove keydown scroll wheel touchstart', () => {
      if (performance.now() - touched < 1000) return
      touched = performance.now()
      this.touch()
    })
    on(globalThis, 'focus blur', () => this.see())
    on(globalThis, 'pageshow', () => {
      if (this.base) this.live()
      this.see()
    })
    on(globalThis, 'online', () => {
      this.notBefore = 0
      this.flush()
    })
    on(this.page, 'visibilitychange', () => {
      this.see()
      if (this.page.visibilityState === 'hidden') this.beacon()
    })
    on(globalThis, 'pagehide', () => {
      this.meter.set(false)
      this.meter.end()
      this.beacon()
      this.release?.() // the page may be kept, and never come back
    })
  }

  stop() {
    this.meter.set(false)
    for (const undo of this.undo.splice(0)) undo()
  }

  /** Looks whether somebody is there. */
  see() {
    const page = this.page
    this.meter.set(!this.away && (!page || (page.visibilityState === 'visible' && page.hasFocus())))
  }

  /** Somebody is there (again), as far as the page is seen. */
  enter() {
    this.away = false
    if (this.consented) this.see()
  }

  /** Nobody is there until enter. */
  leave() {
    this.away = true
    if (this.consented) this.meter.set(false)
    this.meter.end()
  }

  /** A sign of somebody that the page does not see, such as a video that plays. */
  touch() {
    if (this.consented) this.meter.touch()
  }

  /** @param {string} userId from now on it is this user */
  identify(userId) {
    if (userId === this.user) return
    this.meter.end()
    this.user = userId
  }

  /**
   * @param {string} name as the world's policy has it
   * @param {Record<string, string | number | boolean>} [properties]
   * @returns {boolean} whether it was taken
   */
  interact(name, properties) {
    this.touch()
    return this.track(name, properties, Date.now())
  }

  /**
   * @param {string} event
   * @param {object | undefined} properties
   * @param {number} at
   */
  track(event, properties, at) {
    if (!this.consented) return false
    if (this.waiting.length >= this.options.maxWaiting) {
      this.dropped++
      return false
    }
    const messageId = this.run + '-' + (this.count++).toString(36)
    const who = this.user ? { userId: this.user } : { anonymousId: this.device }
    const text = JSON.stringify({ type: 'track', messageId, ...who, event, timestamp: new Date(at), properties })
    const item = { messageId, at, by: this.run, text, user: this.user }
    this.waiting.push(item)
    this.store((events) => events.put(item))
    if (this.waiting.length >= this.most) this.flush()
    return true
  }

  /** Opens what is kept, and takes over what pages that are gone have left. */
  async open() {
    const { indexedDB } = globalThis
    if (!indexedDB) return
    const name = this.options.name
    this.live()
    this.undo.push(() => this.release?.())
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore('events', { keyPath: 'messageId' })
    /** @type {IDBDatabase} */
    const base = await done(request)
    base.onversionchange = () => {
      base.close() // consent was withdrawn in another tab
      if (this.base === base) this.base = undefined
      this.consent(false)
    }
    if (!this.consented) return base.close()
    this.base = base
    const alive = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name))
    await this.store((events) => {
      for (const item of this.waiting) events.put(item) // from before it was open
      events.getAll().onsuccess = (event) => {
        /** @type {Waiting[]} */
        const kept = /** @type {any} */ (event.target).result
        for (const item of kept.sort((a, b) => a.at - b.at)) {
          if (item.at < Date.now() - HORIZON) events.delete(item.messageId)
          else if (item.by !== this.run && !alive.has(`${name}:${item.by}`)) this.waiting.push(item)
        }
      }
    })
  }

  /** Holds a lock that says that this page is alive, so that others leave its events alone. */
  live() {
    this.release?.()
    const hold = () => new Promise((/** @type {(value?: unknown) => void} */ resolve) => (this.release = resolve))
    navigator.locks?.request(`${this.options.name}:${this.run}`, hold).catch(() => {})
  }

  /** @param {(events: IDBObjectStore) => void} change */
  store(change) {
    const base = this.base
    if (!base) return Promise.resolve()
    return new Promise((resolve) => {
      try {
        const work = base.transaction('events', 'readwrite')
        work.oncomplete = () => resolve(undefined)
        work.onabort = work.onerror = () => resolve(this.fault(work.error))
        change(work.objectStore('events'))
      } catch (error) {
        resolve(this.fault(error)) // the base was closed meanwhile
      }
    })
  }

  async remove() {
    const { name } = this.options
    try {
      this.base?.close()
      this.base = undefined
      globalThis.localStorage?.removeItem(name)
      if (globalThis.indexedDB) await done(indexedDB.deleteDatabase(name))
    } catch (error) {
      this.fault(error)
    }
  }

  /** @param {unknown} error */
  fault(error) {
    this.options.onFault?.(error)
  }

  /** The oldest events, as many as are sent at once. With a token, only its user's. */
  batch() {
    const list = []
    let bytes = 200
    for (const item of this.waiting) {
      if (this.options.token && item.user && item.user !== this.user) continue
      bytes += item.text.length * (/[^\0-\x7f]/.test(item.text) ? 3 : 1)
      if (list.length && (list.length >= this.most || bytes > BYTES)) break
      list.push(item)
    }
    return list
  }

  /** @param {Waiting[]} list @param {boolean} keyed */
  body(list, keyed) {
    const key = keyed && this.options.key ? `"writeKey":${JSON.stringify(this.options.key)},` : ''
    return `{${key}"sentAt":"${new Date().toISOString()}","batch":[${list.map((item) => item.text)}]}`
  }

  /** Sends what waits by a request that outlives the page. It stays until it is acknowledged. */
  beacon() {
    const list = this.consented && this.options.key ? this.batch() : []
    if (list.length) navigator.sendBeacon?.(this.url, this.body(list, true))
  }

  /**
   * Sends what waits, as far as the bank takes it now.
   * @returns {Promise<number>} how many events still wait
   */
  async flush() {
    this.sending ??= this.deliver().finally(() => (this.sending = undefined))
    await this.sending
    return this.waiting.length
  }

  async deliver() {
    for (;;) {
      const list = this.batch()
      if (!this.consented || !list.length || performance.now() < Math.max(this.notBefore, this.asked)) return
      const cancel = (this.cancel = new AbortController())
      const timer = setTimeout(() => cancel.abort(), 35_000)
      let wish = 0
      try {
        const response = await this.send(list, cancel.signal)
        wish = retryAfter(response.headers.get('Retry-After'))
        if (response.ok) {
          const answer = await response.json()
          if (!answer.success) throw new Error('what answered is no bank')
          this.failures = 0
          this.most = BATCH
          for (const verdict of answer.verdicts) this.options.onVerdict?.(verdict)
          await this.acknowledged(list)
          continue
        }
        const error = new Error(`${response.status} ${await response.text()}`)
        if ([400, 413, 422].includes(response.status)) {
          if (list.length > 1) {
            this.most = Math.ceil(list.length / 2) // one of them is at fault
            continue
          }
          this.most = BATCH
          this.dropped++
          this.fault(error)
          await this.acknowledged(list)
          continue
        }
        if (response.status === 401) this.token = undefined
        throw error
      } catch (error) {
        if (!this.consented) return
        this.fault(error)
        const pause = Math.min(500 * 2 ** this.failures++, 60_000) * (0.5 + Math.random())
        this.notBefore = performance.now() + pause
        this.asked = wish && performance.now() + wish
        return
      } finally {
        clearTimeout(timer)
      }
    }
  }

  /** @param {Waiting[]} list @param {AbortSignal} signal */
  async send(list, signal) {
    const { token, fetch = globalThis.fetch } = this.options
    /** @type {Record<string, string>} */
    const headers = { 'Content-Type': 'text/plain' } // for which browsers ask nobody first
    if (token) {
      if (!this.token || (expiry(this.token) || Infinity) < Date.now() + 30_000) this.token = await token()
      headers.Authorization = 'Bearer ' + this.token
    }
    return fetch(this.url, { method: 'POST', body: this.body(list, !token), headers, signal, credentials: 'omit' })
  }

  /** @param {Waiting[]} list */
  async acknowledged(list) {
    const ids = new Set(list.map((item) => item.messageId))
    this.waiting = this.waiting.filter((item) => !ids.has(item.messageId))
    await this.store((events) => ids.forEach((id) => events.delete(id)))
  }

  /** Ends it. What the bank does not take now stays for the next page. */
  async close() {
    await this.ready
    if (this.consented) this.meter.set(false)
    this.meter.end()
    const left = await this.flush()
    this.stop()
    this.base?.close()
    this.base = undefined
    this.consented = false
    return left
  }
}

/** @param {Options} options */
export const connect = (options) => new Tracker(options)
