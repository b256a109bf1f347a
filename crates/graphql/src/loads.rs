//! Schedules the loads of an operation: they begin when no field can proceed without them, and not after a delay.
//!
//! [`DataLoader`](async_graphql::dataloader::DataLoader) passes each load to a spawner, and waits for a fixed time
//! before it reads the keys. A fixed time is too long for one field, and too short for a thousand fields, whose keys it
//! splits. Here the loads of an operation wait in its queue. [`with_loads`] polls them only when its fields wait for
//! nothing else. By then all sibling fields have requested their keys, however many they are.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::task::AtomicWaker;

type Load = BoxFuture<'static, ()>;

/// The loads that an operation's fields have requested. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct LoadQueue(Arc<LoadSets>);

#[derive(Default)]
struct LoadSets {
    asked: Mutex<Vec<Load>>,
    /// The loads in progress. They outlast one execution: a subscription executes once for each event.
    begun: Mutex<FuturesUnordered<Load>>,
}

impl LoadQueue {
    /// Adds a load.
    pub(crate) fn push(&self, load: Load) {
        lock(&self.0.asked).push(load);
    }

    /// Starts the requested loads, and polls all. Ready when one has ended.
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let asked = std::mem::take(&mut *lock(&self.0.asked));
        let mut begun = lock(&self.0.begun);
        begun.extend(asked);
        match begun.poll_next_unpin(context) {
            Poll::Ready(Some(())) => Poll::Ready(()),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The waker of the fields. It records that the fields can proceed, and wakes the task of the operation.
struct Signal {
    is_set: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// Executes the fields of an operation and the loads that they ask for.
pub(crate) async fn with_loads<T>(queue: &LoadQueue, fields: impl Future<Output = T>) -> T {
    let mut fields = pin!(fields);
    let signal = Arc::new(Signal {
        is_set: AtomicBool::new(true),
        task: AtomicWaker::new(),
    });
    let waker = Waker::from(Arc::clone(&signal));
    poll_fn(move |context| {
        signal.task.register(context.waker());
        loop {
            if signal.is_set.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(answer) = fields.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return Poll::Ready(answer);
                }
                if signal.is_set.load(Ordering::Acquire) {
                    // The fields were woken by other events, and some have not requested their keys yet. The task is
                    // already woken.
                    return Poll::Pending;
                }
            }
            if queue.poll(context).is_pending() && !signal.is_set.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use async_graphql::dataloader::{DataLoader, Loader};
    use futures::future::join_all;

    use super::*;

    struct Numbers(Arc<AtomicUsize>);

    #[async_graphql::async_trait::async_trait]
    impl Loader<usize> for Numbers {
        type Value = usize;
        type Error = ();

        async fn load(&self, keys: &[usize]) -> Result<HashMap<usize, usize>, ()> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(keys.iter().map(|key| (*key, key + 1)).collect())
        }
    }

    fn loader(queue: &LoadQueue) -> (DataLoader<Numbers>, Arc<AtomicUsize>) {
        let (queue, loads) = (queue.clone(), Arc::new(AtomicUsize::new(0)));
        let numbers = Numbers(Arc::clone(&loads));
        let loader = DataLoader::new(numbers, move |load| queue.push(load))
            .delay(Duration::ZERO)
            .max_batch_size(usize::MAX);
        (loader, loads)
    }

    #[tokio::test]
    async fn siblings_of_any_number_and_depth_share_their_loads() {
        for siblings in [1, 10, 1000, 5000] {
            let queue = LoadQueue::default();
            let (loader, loads) = loader(&queue);
            let fields = (0..siblings).map(|number| {
                let loader = &loader;
                async move {
                    // A field that waits for something else before it requests its key.
                    tokio::task::yield_now().await;
                    let below = loader.load_one(number * 10).await.unwrap().unwrap();
                    join_all((0..3).map(|child| loader.load_one(below + child)))
                        .await
                        .len()
                }
            });
            let counts = with_loads(&queue, join_all(fields)).await;
            assert_eq!(counts, vec![3; siblings]);
            assert_eq!(loads.load(Ordering::Relaxed), 2);
        }
    }

    #[tokio::test]
    async fn a_load_that_nobody_waits_for_ends_with_the_next_execution() {
        let queue = LoadQueue::default();
        let (loader, loads) = loader(&queue);
        let given_up = async {
            let mut load = std::pin::pin!(loader.load_one(1));
            assert!(futures::poll!(load.as_mut()).is_pending());
        };
        with_loads(&queue, given_up).await;
        assert_eq!(loads.load(Ordering::Relaxed), 0);
        let found = with_loads(&queue, loader.load_one(2)).await;
        assert_eq!(found, Ok(Some(3)));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }
}
