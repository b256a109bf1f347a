//! Projects, their sources, files and blobs, and the notes written about them.
