//! Archives that `nyxcore backup` does not write: with a changed manifest, and damaged ones.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The members of an archive in their order.
pub fn members(file: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(fs::File::open(file).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (name, content)
    });
    entries.collect()
}

/// Writes an archive of these members.
pub fn members_write(file: &Path, members: &[(String, Vec<u8>)]) {
    let mut builder = tar::Builder::new(fs::File::create(file).unwrap());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        builder
            .append_data(&mut header, name, content.as_slice())
            .unwrap();
    }
    builder.finish().unwrap();
}

/// Writes a copy of an archive with a changed manifest and the matching checksum.
pub fn forge(file: &Path, to: &Path, change: impl FnOnce(&mut Value)) {
    let mut members = members(file);
    let mut manifest: Value = serde_json::from_slice(&members[0].1).unwrap();
    change(&mut manifest);
    members[0].1 = serde_json::to_vec(&manifest).unwrap();
    members[1].1 = hex::encode(Sha256::digest(&members[0].1)).into_bytes();
    members_write(to, &members);
}
