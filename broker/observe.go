package broker

import "time"

// Observe says what is told of the broker besides /metrics, which is always there.
type Observe struct {
	// SysInterval is how often the topics below $SYS/broker are published. With 0 there
	// are none.
	SysInterval time.Duration `mapstructure:"sys_interval"`
}

func defaultObserve() Observe { return Observe{SysInterval: 10 * time.Second} }

func (o Observe) check(k *check) {
	if o.SysInterval != 0 {
		k.duration("sys_interval", o.SysInterval, time.Second, time.Hour)
	}
}
