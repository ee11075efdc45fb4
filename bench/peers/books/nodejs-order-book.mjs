// The book of the package nodejs-order-book, without its journal.
import lob from 'nodejs-order-book'

/**
 * Opens an empty book. Of an operation, order makes what place takes and name
 * what cancel takes; both are made before the clock runs. place calls trade with
 * the taker's number, the maker's name, the price and the quantity, in the order
 * of the trades; numberOf reads a name, after the clock. Names that look like
 * numbers would make this book slower.
 */
export function open(trade) {
  const book = new lob.OrderBook()
  return {
    name: (number) => `o${number}`,
    numberOf: (name) => Number(name.slice(1)),
    order: (number, sells, price, quantity) => ({
      id: `o${number}`, side: sells ? lob.Side.SELL : lob.Side.BUY, size: quantity, price,
    }),
    place(number, order) {
      const { done, partial, partialQuantityProcessed, quantityLeft, err } = book.limit(order)
      if (err !== null) throw err
      // When nothing is left, the last that is done is the taker, and the
      // partial order is a maker; otherwise it is the taker.
      const filled = quantityLeft === 0
      const makers = filled ? done.length - 1 : done.length
      for (let i = 0; i < makers; i++) trade(number, done[i].id, done[i].price, done[i].size)
      if (filled && partial !== null) trade(number, partial.id, partial.price, partialQuantityProcessed)
    },
    cancel: (name) => book.cancel(name) !== undefined,
  }
}
