// mqtt.js, driven by the tests: one JSON command per line on standard input,
// one JSON event per line on standard output.
//
//   node client.js ws://127.0.0.1:8080/mqtt 5
//   < {"do":"subscribe","topics":["fleet/trucks/+"]}      > {"event":"granted","codes":[1]}
//   < {"do":"publish","topic":"a/b/c","payload":"{}"}     > {"event":"published"}
//                                                         > {"event":"message","topic":…,"payload":…,"retain":false}
import { createInterface } from 'node:readline'
import mqtt from 'mqtt'

const [url, version] = process.argv.slice(2)
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n')

const client = mqtt.connect(url, {
  protocolVersion: version === '5' ? 5 : 4,
  reconnectPeriod: 0,
})
client.on('connect', () => tell({ event: 'connected' }))
client.on('error', (error) => tell({ event: 'error', error: String(error) }))
client.on('close', () => tell({ event: 'closed' }))
client.on('message', (topic, payload, packet) =>
  tell({ event: 'message', topic, payload: payload.toString(), retain: packet.retain }))
// The callback of subscribe() hides the codes of refused filters.
client.on('packetreceive', (packet) => {
  if (packet.cmd === 'suback') tell({ event: 'granted', codes: packet.granted })
})

const commands = {
  subscribe: ({ topics }) => client.subscribe(topics, { qos: 1 }, () => {}),
  publish: ({ topic, payload, retain }) =>
    client.publish(topic, payload, { qos: 1, retain }, (error) =>
      tell(error ? { event: 'error', error: String(error) } : { event: 'published' })),
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  commands[command.do](command)
}
client.end()
