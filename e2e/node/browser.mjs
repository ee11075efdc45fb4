// Runs clients in Chromium, on a page of an origin of its own.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { chromium } from 'playwright-core'

const scripts = {
  '/segment.js': 'node_modules/@segment/analytics-next/dist/umd/index.js',
  '/snowplow.js': 'node_modules/@snowplow/browser-tracker/dist/index.umd.js',
  '/snowplow-media.js': 'node_modules/@snowplow/browser-plugin-media/dist/index.umd.js',
  '/posthog.js': 'node_modules/posthog-js/dist/array.full.no-external.js'
}

// browser starts Chromium and a server of pages. open(scripts, skewMS) opens a
// page with these clients, in a context of its own; skewMS shifts its clock.
export async function browser() {
  const pages = createServer(async (request, response) => {
    const file = scripts[request.url]
    response.setHeader('Content-Type', file ? 'text/javascript' : 'text/html')
    response.end(file ? await readFile(new URL(file, import.meta.url)) : '<!doctype html><title>World</title><body style="height:4000px">')
  })
  await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve))
  const chrome = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] })
  const origin = `http://127.0.0.1:${pages.address().port}`
  return {
    async open(names, skewMS = 0) {
      const context = await chrome.newContext()
      if (skewMS) {
        await context.addInitScript((skew) => {
          const Real = Date
          const now = () => Real.now() + skew
          globalThis.Date = class extends Real {
            constructor(...args) {
              if (args.length) super(...args)
              else super(now())
            }
            static now() {
              return now()
            }
          }
        }, skewMS)
      }
      const page = await context.newPage()
      if (process.env.VERBOSE) page.on('console', (message) => console.error(message.text()))
      await page.goto(origin + '/world')
      for (const name of names) await page.addScriptTag({ url: `/${name}.js` })
      return page
    },
    async close() {
      await chrome.close()
      pages.close()
    }
  }
}
