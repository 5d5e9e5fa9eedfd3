// Package agnost runs npm altogic and npm socket.io-client, unmodified, against a running broker, in Node.js and
// in Chromium: what Agnost's and Altogic's guides show of realtime, both transports, and MQTT beside it.
package agnost
