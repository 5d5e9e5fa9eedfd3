package sessions

// options returns the settings as they are now, which nobody writes.
func (e *Engine) options() *Options { return e.settings.Load() }

// Reload has other settings count from now on: some for what happens, some for connections
// that are made. What clients were told when they connected stays, as does how topics are
// read. Topics that were asked about are asked about again: the handler may know others.
func (e *Engine) Reload(o Options) {
	now := e.options()
	o.Topics, o.TopicAliases, o.ReceiveMaximum = now.Topics, now.TopicAliases, now.ReceiveMaximum
	o.ConnectBytes, o.ConnectTimeout = now.ConnectBytes, now.ConnectTimeout
	o.Quotas.Counts, o.Log = now.Quotas.Counts, now.Log
	e.settings.Store(&o)
	e.meanings.Add(1)
}
