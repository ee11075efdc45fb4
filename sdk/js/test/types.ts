// Is only checked: a world's program in TypeScript, by the published types.
import { connect, type Verdict, type Meter, type Tracker } from '@attentionbank/sdk'
import * as made from '../index.js'

const tracker = connect({ url: 'https://bank.example', key: 'ab_wk_x', userId: 'ann', token: async () => 'a.b.c', onVerdict: (verdict: Verdict) => verdict.rule?.length })
await tracker.consent(true)
const taken: boolean = tracker.interact('Jumped', { height: 3, high: true, where: 'gate' })
// @ts-expect-error nothing but texts, numbers and booleans is kept
tracker.interact('Jumped', { nested: {} })
// @ts-expect-error spend is reported by the world's server
tracker.purchase
const left: number = await tracker.close()
// What is published is what is there.
const same: (options: ConstructorParameters<typeof Tracker>[0]) => Tracker = made.connect
const measure: new (...given: ConstructorParameters<typeof Meter>) => Meter = made.Meter
export { taken, left, same, measure }
