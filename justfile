set positional-arguments

# List the recipes.
default:
    @just --list

# Describe the data and look for what is wrong with it, e.g. `just explore --strict`.
explore *arguments:
    cargo run --release -- explore "$@"

# Train with params.toml; extra arguments go to `massay train`.
train *arguments:
    cargo run --release -- train "$@"

# Run every test but those that need a graphics adapter or Python.
test *arguments:
    cargo test --release "$@"

# Check the format, the lints and the documentation.
check:
    cargo fmt --check
    cargo clippy --release --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps

# Measure the speed of training; arguments go to the benchmark, e.g. `just bench --folds 10`.
bench *arguments:
    cargo bench --bench stack -- "$@"

# Serve predictions, e.g. `just serve --checkpoint checkpoints/first`.
serve *arguments:
    cargo run --release -- serve "$@"

# Write a synthetic data set, e.g. `just simulate --containers 500 --out more.csv`.
simulate *arguments:
    cargo run --release -- simulate "$@"

# Do everything that CI does.
ci:
    .ci/run
