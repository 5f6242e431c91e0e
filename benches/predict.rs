//! Speed of a predictor by the number of rows it is asked for at once.
//!
//! `cargo bench --bench predict -- --checkpoint checkpoints/NAME` prints a line for each number of
//! rows, or for `--rows N` alone; `RAYON_NUM_THREADS` sets the threads, `--backend ndarray` computes networks by burn's tensors.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops where it fails")]

use std::{path::PathBuf, time::Instant};

use massay::{
    data::Generator,
    model::{Backend, BackendKind},
    train::Checkpoint,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == "--checkpoint") else {
        println!("usage: cargo bench --bench predict -- --checkpoint checkpoints/NAME");
        return;
    };
    let checkpoint = Checkpoint::read(&PathBuf::from(&arguments[at + 1])).unwrap();
    let tensors = arguments.iter().any(|argument| argument == "ndarray");
    let backend = if tensors { BackendKind::Ndarray } else { BackendKind::Cpu };
    let predictor = checkpoint.predictor(&Backend::select(backend).unwrap());
    let columns = predictor.columns().len();
    let mut generator = Generator::new(1, &[]);
    let asked = arguments.iter().position(|argument| argument == "--rows");
    let asked = asked.map(|at| vec![arguments[at + 1].parse().unwrap()]);
    for rows in asked.unwrap_or_else(|| vec![1, 4, 16, 64, 1024, 10_000]) {
        let table: Vec<f64> = (0..rows * columns).map(|_| 50.0 * generator.uniform()).collect();
        let repeats = (20_000 / rows).clamp(3, 10_000);
        let began = Instant::now();
        for _ in 0..repeats {
            assert_eq!(predictor.predict(&table).len(), rows);
        }
        let micros = began.elapsed().as_secs_f64() * 1e6 / repeats as f64;
        println!("{rows} rows: {micros:.1} us, {:.2} us per row", micros / rows as f64);
    }
}
