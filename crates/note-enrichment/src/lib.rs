//! Puts what is known about a project under a note, with citations that resolve.
