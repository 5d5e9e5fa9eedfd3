// A client on mqtt.js that keeps a session: see session_clients_test.go.
//
//   node mqtt.mjs mqtt://127.0.0.1:1883 4 first   connects, hears itself, and is cut off
//   node mqtt.mjs mqtt://127.0.0.1:1883 4 again   gets what has waited, and says goodbye
import { createRequire } from 'node:module'

const mqtt = createRequire(new URL('../node/', import.meta.url))('mqtt')
const [url, version, phase] = process.argv.slice(2)

const client = mqtt.connect(url, {
  protocolVersion: Number(version),
  clientId: 'session',
  clean: false,
  reconnectPeriod: 0,
  properties: { sessionExpiryInterval: 3600 },
  will: { topic: 'session/will', payload: 'gone', qos: 1 },
})
let heard = () => {}
client.on('error', (error) => console.log(String(error)))
client.on('connect', async ({ sessionPresent }) => {
  console.log(`session present ${Number(sessionPresent)}`)
  if (phase !== 'first') return
  await client.subscribeAsync('session/in', { qos: 2 })
  for (const qos of [0, 1, 2]) {
    const message = new Promise((resolve) => { heard = resolve })
    await client.publishAsync('session/in', `to myself ${qos}`, { qos })
    await message
  }
  process.exit() // without a DISCONNECT
})
let waited = 0
client.on('message', (topic, payload, { qos }) => {
  console.log(`qos ${qos} ${payload}`)
  heard()
  if (phase === 'again' && ++waited === 2) client.end() // when the flow of the last is complete
})
