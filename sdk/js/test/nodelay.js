// Connects to a broker, and says on how many sockets small packets are sent at once.
import net from "node:net";

import { connect } from "../dist/index.js";

const { setNoDelay } = net.Socket.prototype;
const sockets = new Set();
net.Socket.prototype.setNoDelay = function (...args) {
  if (args[0] !== false) sockets.add(this);
  return setNoDelay.apply(this, args);
};

const ambit = await connect(process.argv[2]);
console.log(sockets.size);
await ambit.close();
