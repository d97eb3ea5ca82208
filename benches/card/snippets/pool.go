package pool

import (
	"context"
	"errors"
	"sync"
)

var ErrClosed = errors.New("pool: closed")

// Pool runs jobs on a fixed number of goroutines.
type Pool struct {
	jobs chan func(context.Context) error
	wg   sync.WaitGroup
	once sync.Once
}

func New(ctx context.Context, size int) *Pool {
	p := &Pool{jobs: make(chan func(context.Context) error, size*2)}
	for i := 0; i < size; i++ {
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			for job := range p.jobs {
				if err := job(ctx); err != nil && !errors.Is(err, context.Canceled) {
					log.Printf("job failed: %v", err)
