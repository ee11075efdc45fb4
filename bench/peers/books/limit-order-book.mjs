// The book of the package limit-order-book, whose numbers are decimal texts.
import lob from 'limit-order-book'

/**
 * Opens an empty book; what it returns is as in nodejs-order-book.mjs. Names that
 * do not look like numbers would make this book slower.
 */
export function open(trade) {
  const book = new lob.LimitOrderBook({ symbol: 'GOLD', priceStep: '1', sizeStep: '1' })
  return {
    name: (number) => String(number),
    numberOf: Number,
    order: (number, sells, price, quantity) => new lob.LimitOrder(String(number), sells ? 'ask' : 'bid', String(price), String(quantity)),
    place(number, order) {
      for (const maker of book.add(order).makers) trade(number, maker.orderId, maker.price, maker.filled)
    },
    cancel: (name) => book.remove(name) !== null,
  }
}
