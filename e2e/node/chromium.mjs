// Chromium over its own protocol (CDP), through a pipe. Drivers for tests keep
// every page visible and focused; here a tab in the background is hidden, as it
// is for people.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// chromium starts a browser. tab(url) opens a tab in front of the others.
export async function chromium() {
  const profile = await mkdtemp(join(tmpdir(), 'attentionbank-chromium-'))
  const args = ['--headless=new', '--no-sandbox', '--no-first-run', '--remote-debugging-pipe', '--user-data-dir=' + profile, 'about:blank']
  const process_ = spawn(process.env.CHROMIUM || '/usr/bin/chromium', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
  const [, , , to, from] = process_.stdio
  const asked = new Map()
  let last = 0
  let text = ''
  from.setEncoding('utf8').on('data', (part) => {
    const messages = (text + part).split('\0')
    text = messages.pop()
    for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
      const answer = asked.get(id)
      asked.delete(id)
      if (answer) error ? answer.reject(new Error(error.message)) : answer.resolve(result)
    }
  })
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      asked.set(++last, { resolve, reject })
      to.write(JSON.stringify({ id: last, method, params, sessionId }) + '\0')
    })
  return {
    async tab(url) {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const tab = {
        send: (method, params) => send(method, params, sessionId),
        // evaluate runs text in the page and returns what it comes to.
        async evaluate(expression) {
          const { result, exceptionDetails } = await tab.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
          return result.value
        },
        async go(url) {
          await tab.send('Page.navigate', { url })
          for (let i = 0; i < 500; i++) {
            const there = await tab.evaluate(`location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`).catch(() => false)
            if (there) return
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
          throw new Error('the page did not come: ' + url)
        },
        front: () => send('Target.activateTarget', { targetId }),
        close: () => send('Target.closeTarget', { targetId }),
        // act moves the mouse, as somebody who is there does.
        act: () => tab.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 10 + 50 * Math.random(), y: 10 }),
        offline: (offline) => tab.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
      }
      await tab.send('Network.enable')
      await tab.go(url)
      return tab
    },
    async close() {
      const ended = new Promise((resolve) => process_.once('exit', resolve))
      process_.kill('SIGKILL')
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 10 })
    }
  }
}
