// Runs firmware-examples/micropython/truck.py in MicroPython's WebAssembly port:
// node run.js HOST PORT ID. What the truck says is printed.
//
// MicroPython runs in a thread of its own and waits for sockets as a board does; this
// thread has the sockets. One request at a time goes from there to here.
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const answerBytes = 1 << 16

if (isMainThread) serve()
else await run()

function serve() {
  const shared = new SharedArrayBuffer(8 + answerBytes)
  const state = new Int32Array(shared, 0, 2) // answered, length of the answer
  const answer = new Uint8Array(shared, 8)
  let socket, received, ended, reading

  const reply = (bytes) => {
    if (bytes) answer.set(bytes)
    state[1] = bytes ? bytes.length : -1
    Atomics.store(state, 0, 1)
    Atomics.notify(state, 0)
  }
  const give = () => {
    if (!reading || (received.length < reading && !ended)) return
    const n = reading
    reading = 0
    reply(received.length < n ? undefined : received.subarray(0, n))
    received = received.subarray(n)
  }
  const does = {
    open({ host, port }) {
      socket?.destroy()
      received = Buffer.alloc(0)
      ended = false
      const s = (socket = net.connect({ host, port, noDelay: true }))
      let asked = true // for the connection
      s.on('connect', () => ((asked = false), reply(Buffer.of(1))))
      s.on('data', (data) => s === socket && ((received = Buffer.concat([received, data])), give()))
      s.on('error', () => {}) // close follows
      s.on('close', () => {
        if (s !== socket) return
        ended = true
        if (asked) reply()
        else give()
      })
    },
    write: ({ hex }) => socket.write(Buffer.from(hex, 'hex'), (err) => reply(err || ended ? undefined : Buffer.of(1))),
    read({ n }) {
      reading = n
      give()
    },
    waits: () => reply(received.length || ended ? Buffer.of(1) : undefined),
  }
  const worker = new Worker(new URL(import.meta.url), { workerData: { shared, argv: process.argv.slice(2) } })
  worker.on('message', (m) => (m.say ? console.log(m.say) : does[m.does](m)))
}

async function run() {
  const { shared, argv } = workerData
  const state = new Int32Array(shared, 0, 2)
  const answer = new Uint8Array(shared, 8)
  const ask = (m) => {
    Atomics.store(state, 0, 0)
    parentPort.postMessage(m)
    Atomics.wait(state, 0, 0)
    return state[1] < 0 ? undefined : Buffer.from(answer.subarray(0, state[1])).toString('hex')
  }
  const { loadMicroPython } = await import('@micropython/micropython-webassembly-pyscript')
  const py = await loadMicroPython()
  py.registerJsModule('_net', {
    open: (host, port) => ask({ does: 'open', host, port }) !== undefined,
    write: (hex) => ask({ does: 'write', hex }) !== undefined,
    read: (n) => ask({ does: 'read', n }) ?? null,
    waits: () => ask({ does: 'waits' }) !== undefined,
    say: (text) => parentPort.postMessage({ say: text }),
  })
  const install = (path, from) => {
    py.FS.mkdirTree(path.replace(/\/[^/]*$/, ''))
    py.FS.writeFile(path, readFileSync(new URL(from, import.meta.url)))
  }
  install('/lib/umqtt/simple.py', './umqtt/simple.py')
  install('/lib/truck.py', '../../../../firmware-examples/micropython/truck.py')
  const [host, port, id] = argv.map((s) => JSON.stringify(s))
  py.runPython(`import _net, truck\ntruck.Truck(${id}, ${host}, int(${port}), _net.say).drive(100)`)
}
