// Package store keeps things.
package store

import (
	"fmt"

	. "github.com/a/b"
	client "github.com/a/client/v2"
)

// Limit is one. TODO: two
const Limit, other = 1, 2

// Store stores.
type Store[T any] struct {
	client.Base
	items map[string]Item
}

type reader interface {
	Read(p []byte) (int, error)
}

type Handler = func(w io.Writer) Status

var fallback, backup = open(Limit), &Store[int]{}

// Get gets.
func (s *Store[T]) Get(a, b int, rest ...client.Option) (*Item, error) {
	if a > 0 && b > 0 || a == other {
		return nil, fmt.Errorf("get: %w", ErrRange)
	} else if found, ok := s.items[key(a)]; ok && check(b && a) {
		return &found, nil
	} else {
		defer s.lock.Unlock()
	}
outer:
	for _, option := range rest {
		switch value := option.(type) {
		case Item, *Store[T]:
			go func() {
				if value.ready {
					s.done <- value
				}
			}()
		case nil:
			continue outer
		default:
			goto end
		}
	}
	select {
	case x := <-s.done:
		list(x).first.Close()
	default:
	}
end:
	return Item{Name: Default, Size: len(rest)}, nil
}

func init() { register(Handler(nil)) }

func TestGet(t *testing.T) { t.Run("a", check) }
