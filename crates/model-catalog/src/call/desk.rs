//! Batches the admission of one tenant's calls. Calls that arrive while a transaction is under way share the next one:
//! the busier a tenant is, the less database work each of its calls takes, and calls never queue for the row of a
//! budget that they all update.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use nyxcore_tenancy::{Error, TenantId};
use tokio::sync::{Mutex as Turn, oneshot};

use super::admit::{AdmittedCall, NewCall, admit_together};
use super::service::Inner;
use crate::error::ModelError;

/// The most calls that are admitted together.
const GROUP_MAX: usize = 64;

/// A call that waits for admission, with the channel for the result.
struct Waiting {
    call: NewCall,
    answer: oneshot::Sender<Result<AdmittedCall, ModelError>>,
}

/// The queue for the admission of a tenant's calls in this process.
pub(super) struct Desk {
    tenant: TenantId,
    waiting: Mutex<Vec<Waiting>>,
    turn: Turn<()>,
}

impl Desk {
    pub(super) fn new(tenant: TenantId) -> Arc<Self> {
        Arc::new(Self {
            tenant,
            waiting: Mutex::default(),
            turn: Turn::new(()),
        })
    }

    /// Admits a call, together with those that already wait.
    pub(super) async fn admit(
        &self,
        inner: &Inner,
        call: NewCall,
    ) -> Result<AdmittedCall, ModelError> {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Waiting { call, answer });
        loop {
            tokio::select! {
                biased;
                answer = &mut answered => return answer.unwrap_or(Err(ModelError::Closed)),
                // Whoever holds the lock admits all calls that wait by then.
                turn = self.turn.lock() => {
                    self.group_admit(inner).await;
                    drop(turn);
                }
            }
        }
    }

    async fn group_admit(&self, inner: &Inner) {
        let mut group: Vec<Waiting> = {
            let mut waiting = self.waiting();
            let count = waiting.len().min(GROUP_MAX);
            waiting.drain(..count).collect()
        };
        if group.is_empty() {
            return;
        }
        let mut calls: Vec<&mut NewCall> = group.iter_mut().map(|one| &mut one.call).collect();
        match admit_together(inner, self.tenant, &mut calls).await {
            Ok(rooms) => {
                for (one, room) in group.into_iter().zip(rooms) {
                    let answer = match room {
                        Ok(room) => Ok(one.call.accept(room)),
                        Err(error) => one.call.refuse(error),
                    };
                    // The caller may be gone: then the call is dropped and so settled.
                    let _gone = one.answer.send(answer);
                }
            }
            Err(error) if group.len() == 1 => {
                if let Some(one) = group.pop() {
                    let _gone = one.answer.send(one.call.refuse(error));
                }
            }
            // A budget does not cover all of them: each is admitted by itself.
            Err(_) => {
                let alone = group.into_iter().map(|one| self.admit_alone(inner, one));
                drop(join_all(alone).await);
            }
        }
    }

    async fn admit_alone(&self, inner: &Inner, mut one: Waiting) {
        let admitted = admit_together(inner, self.tenant, &mut [&mut one.call]).await;
        let room = admitted.and_then(|mut rooms| rooms.pop().unwrap_or(Err(Error::Busy.into())));
        let answer = match room {
            Ok(room) => Ok(one.call.accept(room)),
            Err(error) => one.call.refuse(error),
        };
        let _gone = one.answer.send(answer);
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
