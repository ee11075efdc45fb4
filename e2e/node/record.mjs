// Records what real clients send when an application reports the events that a
// scenario pack is for, into packs/testdata: node record.mjs
// Names and properties are those of the applications' own sources, which each
// pack names; the requests are the clients'.
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { writeFile } from 'node:fs/promises'
import { Analytics } from '@segment/analytics-node'
import { PostHog } from 'posthog-node'
import { browser } from './browser.mjs'

const key = 'ab_wk_KEY'
let requests = []
const sink = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*')
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '')
    response.setHeader('Content-Type', 'application/json')
    if (request.url.endsWith('/settings')) {
      const integration = { apiKey: key, apiHost: request.headers.host + '/v1', protocol: 'http' }
      return response.end(JSON.stringify({ integrations: { 'Segment.io': integration }, metrics: { sampleRate: 0 } }))
    }
    let body = Buffer.concat(chunks)
    if (body[0] === 0x1f) body = gunzipSync(body)
    if (request.method === 'POST' && !request.url.startsWith('/flags')) requests.push({ path: request.url.split('?')[0], body: JSON.parse(body) })
    response.end('{"status":1}')
  })
})
await new Promise((resolve) => sink.listen(0, '127.0.0.1', resolve))
const host = `http://127.0.0.1:${sink.address().port}`
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const chrome = await browser()

async function save(pack) {
  const text = JSON.stringify(requests, null, 1).replaceAll(host, 'http://bank.example').replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://world.example')
  await writeFile(new URL(`../../packs/testdata/${pack}.json`, import.meta.url), text + '\n')
  requests = []
}

async function posthogPage(events) {
  const page = await chrome.open(['posthog'])
  await page.evaluate(
    ([host, key, events]) => {
      posthog.init(key, { api_host: host, opt_out_useragent_filter: true, autocapture: false, capture_pageview: false })
      posthog.identify('alice')
      for (const [name, properties] of events) posthog.capture(name, properties)
    },
    [host, key, events]
  )
  await pause(8000)
  await page.close()
}

const explorer = new Analytics({ host, writeKey: key, flushAt: 50 })
const common = { dcl_eth_address: '0x7ba641833a2925d71046351f97a92235dc777616', realm: 'main', position: '1.2, 0.0, 3.4', session_id: 's1', renderer_version: '0.30.0' }
for (const [event, properties] of [
  ['move_to_parcel', { old_parcel: '(NaN, NaN)', new_parcel: '(0, 1)', scene_hash: 'plaza', is_empty_scene: false }],
  ['walked_distance', { step_count: 64 }],
  ['used_emote', { item_id: 'wave', is_base: true, name: '', emote_index: -1 }],
  ['chat_message_sent', { is_command: false, origin: 'chat', is_mention: false, is_private: false }],
  ['chat_message_sent', { is_command: true, origin: 'chat', is_mention: false, is_private: false }],
  ['chat_conversation_opened', { was_already_open: false }],
  ['successful_gift', { item: 'urn:x', sender: '0x1', receiver: '0x2', item_type: 'wearable' }],
  ['donation_ended', { from: '0x1', to: '0x2', mana: 2.5, usd: 1.25, success: true }],
  ['donation_ended', { from: '0x1', to: '0x2', mana: 2.5, usd: 1.25, success: false }],
  ['performance_report', { total_used_memory: 1024.5, quality_level: 'High' }],
  ['time_spent_in_world', { time_spent: 3600 }]
]) {
  explorer.track({ userId: 'alice', event, properties: { ...common, ...properties } })
}
await explorer.closeAndFlush()
const shop = await chrome.open(['segment'])
await shop.evaluate(
  async ([host, key]) => {
    const analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: host })
    await analytics.identify('alice')
    const item = { item_id: '1', contract_address: '0x3', token_id: null, price_usd: 1.5 }
    const purchase = { items: [item], value_credits: 15, value_usd: 1.5, payment_type: 'credits', no_crypto_step: true, transaction_hash: '0x4' }
    await analytics.track('Shop Completed Purchase', { ...purchase, purchase_type: 'item', is_primary: true })
    await analytics.track('Shop Completed Purchase', { ...purchase, purchase_type: 'nft_resale', is_primary: false })
  },
  [host, key]
)
await shop.close()
await save('virtual-land-1')

await posthogPage([
  ['$pageview', { $current_url: 'Room' }],
  ['Composer', { isEditing: false, isReply: false, inThread: false, messageType: 'Text' }],
  ['Composer', { isEditing: true, isReply: false, inThread: false, messageType: 'Text' }],
  ['PollVote', {}],
  ['JoinedRoom', { isDM: false, isSpace: false, roomSize: 'ThreeToTen', trigger: 'RoomDirectory' }],
  ['CallStarted', { placed: true, isVideo: true, numParticipants: 2 }],
  ['CallEnded', { placed: true, isVideo: true, durationMs: 60000, numParticipants: 2 }],
  ['PerformanceTimer', { name: 'StartupInitialSync', timeMs: 900 }]
])
await save('social-1')

await posthogPage([
  ['enteredRoom'],
  ['wa-emote-launch', { name: 'wave' }],
  ['wa-entered-meeting-room', { roomName: 'stage', roomId: 'r1' }],
  ['wa_spontaneous_discussion', { peerId: 'p', userId: '2', uuid: 'u' }],
  ['wa_start_megaphone'],
  ['wa_setting_camera', { checkbox: 'true' }]
])
const stage = await chrome.open(['snowplow', 'snowplow-media'])
await stage.evaluate(
  ([host, key]) => {
    const { newTracker, trackPageView, enableActivityTracking, setUserId } = snowplowBrowserTracking
    newTracker('sp', host, { appId: key, bufferSize: 1, plugins: [snowplowMedia.SnowplowMediaPlugin()] })
    setUserId('alice')
    enableActivityTracking({ minimumVisitLength: 2, heartbeatDelay: 2 })
    trackPageView()
    snowplowMedia.startMediaTracking({ id: 'stage', player: { currentTime: 1, duration: 600 }, pings: { pingInterval: 3 } })
    snowplowMedia.trackMediaPlay({ id: 'stage' })
  },
  [host, key]
)
await stage.mouse.move(10, 10)
await stage.mouse.wheel(0, 100)
await pause(4000)
await stage.evaluate(() => snowplowMedia.trackMediaPause({ id: 'stage' }))
await pause(500)
await stage.close()
await save('vr-venue-1')

await posthogPage([
  ['game_started', { adventurerId: 7, dungeon: '0x5', settingsId: 0, payment_token: null }],
  ['player_died', { adventurerId: 7, xp: 120, level: 10 }],
  ['tx_reverted', { txHash: '0x6' }]
])
const server = new PostHog(key, { host })
for (const event of ['player-connected', 'player-disconnected']) {
  server.capture({ distinctId: 'alice', event, properties: { domain: 'd', player: 'alice', gameserver: 'g' } })
}
await server.shutdown()
const purchases = new Analytics({ host, writeKey: key })
purchases.track({ userId: 'alice', event: 'Order Completed', properties: { order_id: 'o1', revenue: 4.99, currency: 'USD', products: [{ product_id: 'gems', price: 4.99, quantity: 1 }] } })
await purchases.closeAndFlush()
await save('game-1')

await chrome.close()
sink.close()
