/** What became of an event. */
export interface Verdict {
  message_id: string
  verdict: 'accepted' | 'capped' | 'duplicate' | 'late' | 'quarantined' | 'rejected'
  rule?: string
  first?: string
  detail?: string
}

export interface Options {
  /** Where the bank listens, such as https://bank.example. */
  url: string
  /**
   * The world's write key (ab_wk_…), which may lie open; in Node also its server key. A page needs it at unload even
   * where it has tokens, since the last request bears no header.
   */
  key?: string
  /** Fetches a token that the world signed for its user; called again before that ends. */
  token?: () => string | Promise<string>
  /** The world's own id of the user; see identify. */
  userId?: string
  /** The world's own id of the device, for users who are not known. The default is a random one, kept in the browser. */
  anonymousId?: string
  /** Whether the person has agreed already; without it nothing is stored or sent until consent(true). */
  consent?: boolean
  /** Presence ends so long after the last sign of somebody, ms; 0: never. The default is 30,000 in a page and 0 in Node. */
  idleMS?: number
  /** How long events wait for others to be sent with, ms; the default is 5,000. */
  flushMS?: number
  /** How many events may wait for the bank; the default is 10,000, about a day of presence. Further ones are dropped and counted. */
  maxWaiting?: number
  /** Name of what is kept in the browser; the default is attentionbank. */
  name?: string
  /** The default is that of the browser or Node. */
  fetch?: typeof fetch
  /** Told what became of each event. */
  onVerdict?: (verdict: Verdict) => void
  /** Told what went wrong, also if it is tried again. */
  onFault?: (error: unknown) => void
}

/** Reports what somebody does. There is no report of spend: that counts from the world's server alone. */
export declare class Tracker {
  constructor(options: Options)
  /** Resolves when what earlier pages have left was taken over. */
  readonly ready: Promise<void>
  /** Events that were not taken because too many waited, or that the bank cannot read. */
  readonly dropped: number
  /** Whether the person agrees. Before that nothing is stored or sent; withdrawing it destroys what waits, in all tabs. */
  consent(granted: boolean): Promise<void>
  /** From now on it is this user. */
  identify(userId: string): void
  /** Reports an interaction by the name that the world's policy has for it; false if it was not taken. */
  interact(name: string, properties?: Record<string, string | number | boolean>): boolean
  /** A sign of somebody that the page does not see, such as a video that plays. */
  touch(): void
  /** Somebody is there: needed in Node, and in a page after leave. */
  enter(): void
  /** Nobody is there until enter. */
  leave(): void
  /** Sends what waits, as far as the bank takes it now; resolves with how many events still wait. */
  flush(): Promise<number>
  /** Ends it; what still waits stays for the next page. */
  close(): Promise<number>
}

export declare function connect(options: Options): Tracker

/** The measure of presence by itself, by two clocks in ms: one that may be set, one that never is. */
export declare class Meter {
  constructor(heartbeat: (bucketMS: number) => void, idleMS: number, clock?: { wall: () => number; steady: () => number })
  look(): number
  touch(): void
  set(present: boolean): void
  end(): void
}
