package sessions

import (
	"testing"
	"testing/synctest"
)

func TestAPortionHoldsNoMoreThanItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p portion
		waited := 0
		waits := func() { waited++ }
		p.take(2*maxPortion, waits) // an empty one takes anything
		taken := make(chan int)
		go func() {
			for i := range 3 {
				p.take(maxPortion/2, waits)
				taken <- i
			}
		}()
		synctest.Wait()
		select {
		case i := <-taken:
			t.Fatalf("take %d did not wait", i)
		default:
		}
		p.give(2 * maxPortion)
		<-taken
		<-taken
		synctest.Wait()
		select {
		case i := <-taken:
			t.Fatalf("take %d did not wait", i)
		default:
		}
		p.give(maxPortion / 2)
		<-taken
		if waited != 2 {
			t.Errorf("it was told %d times that it waits, want 2", waited)
		}
	})
}
