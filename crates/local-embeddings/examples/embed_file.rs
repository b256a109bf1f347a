//! Prints the vectors of a file's lines, each as a line of JSON, and on standard error how long they took: `embed_file
//! FOLDER FILE [THREADS]`. A line may be a JSON string, so that a text can have several lines.

use std::time::Instant;

use nyxcore_local_embeddings::{LocalModel, ModelFolder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, file, threads @ ..] = arguments.as_slice() else {
        return Err("usage: embed_file FOLDER FILE [THREADS]".into());
    };
    let folder = ModelFolder::open(folder)?;
    let begun = Instant::now();
    let model = match threads.first() {
        Some(threads) => LocalModel::open_with(&folder, threads.parse()?)?,
        None => LocalModel::open(&folder)?,
    };
    let opened = begun.elapsed();
    let text = std::fs::read_to_string(file)?;
    let of_line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| line.to_owned());
    let texts: Vec<String> = text.lines().map(of_line).collect();
    let begun = Instant::now();
    let answer = model.embed(&texts)?;
    let took = begun.elapsed();
    for vector in &answer.vectors {
        println!("{}", serde_json::to_string(vector)?);
    }
    let seconds = took.as_secs_f64();
    eprintln!(
        "opened in {:.2} s; {} texts of {} tokens in {seconds:.2} s",
        opened.as_secs_f64(),
        texts.len(),
        answer.tokens
    );
    Ok(())
}
