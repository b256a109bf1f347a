//! Long-running work: queued, claimed, leased, finished once, with an event log to replay.
