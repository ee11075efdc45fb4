// Sends events through Segment's Node client and prints which it reports as
// sent. Usage: node segment.mjs HOST KEY USER COUNT
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, userId, count] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, maxRetries: 20, flushAt: 10, flushInterval: 50 })
const sent = []
const failed = []
analytics.on('error', (error) => console.error(String(error.reason ?? error.message ?? error)))

const all = []
for (let i = 0; i < Number(count); i++) {
  all.push(
    new Promise((resolve) => {
      analytics.track({ userId, event: 'Jumped', properties: { height: i } }, (error, context) => {
        if (error) failed.push(context.event.messageId)
        else sent.push(context.event.messageId)
        resolve()
      })
    })
  )
}
await analytics.closeAndFlush({ timeout: 60000 })
await Promise.all(all)
console.log(JSON.stringify({ sent, failed }))
