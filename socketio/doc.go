// Package socketio serves clients of Socket.IO 4, over WebSocket and over HTTP long polling
// with the upgrade from that: the framing of Engine.IO 4, its sessions, heartbeats and limits,
// and of Socket.IO the namespace /, events and acknowledgements. It knows nothing of what they say.
//
// Messages are text: a client that sends binary data is told that it is not taken.
package socketio
