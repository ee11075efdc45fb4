// Plays a stream of operations on a released order book and says how long the
// book took, and every trade.
//
//   node run.mjs NAME < STREAM > TRADES
//
// Both are little-endian 32-bit numbers. An operation is four: the number of the
// operation whose order is cancelled, or 0 for a limit order; its price, its
// quantity, and 1 if it sells. Operations are numbered from 1. What is written is
// a line of JSON and then, for each trade, the numbers of taker and maker, the
// price and the quantity.
import { readFileSync } from 'node:fs'

const FIELDS = 4 // of an operation, and of a trade
const PART = 10_000 // operations between two looks at the clock
const WARM_UP = 10 // the share of the stream that is played on another book first: a tenth

const name = process.argv[2]
const { open } = await import(`./${name}.mjs`)
const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)))
const input = readFileSync(0)
const stream = new Uint32Array(input.buffer.slice(input.byteOffset, input.byteOffset + input.byteLength))
const operations = stream.length / FIELDS

play(Math.floor(operations / WARM_UP))
const { seconds, trades, unknown } = play(operations)
process.stdout.write(JSON.stringify({ with: `${name} ${version}, Node ${process.version}`, operations, seconds, unknown }) + '\n')
process.stdout.write(new Uint8Array(Uint32Array.from(trades).buffer))

/**
 * Plays the first operations of the stream on a book of its own. Arguments are
 * made before, and trades are read after the clock of a part; unknown counts
 * cancellations of orders that the book does not have.
 */
function play(count) {
  const trades = []
  let part = []
  const book = open((taker, maker, price, quantity) => part.push(taker, maker, price, quantity))
  let milliseconds = 0
  let unknown = 0
  for (let from = 0; from < count; from += PART) {
    const to = Math.min(from + PART, count)
    const cancelled = []
    const placed = []
    for (let i = from; i < to; i++) {
      const [cancel, price, quantity, sells] = stream.subarray(i * FIELDS, (i + 1) * FIELDS)
      cancelled.push(cancel === 0 ? null : book.name(cancel))
      placed.push(cancel === 0 ? book.order(i + 1, sells === 1, price, quantity) : null)
    }
    part = []
    const began = performance.now()
    for (let i = 0; i < to - from; i++) {
      if (placed[i] !== null) book.place(from + i + 1, placed[i])
      else if (!book.cancel(cancelled[i])) unknown++
    }
    milliseconds += performance.now() - began
    for (let i = 0; i < part.length; i += FIELDS) {
      trades.push(part[i], book.numberOf(part[i + 1]), Number(part[i + 2]), Number(part[i + 3]))
    }
  }
  return { seconds: milliseconds / 1000, trades, unknown }
}
