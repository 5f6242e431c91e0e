//! The log of predictions, drift and live performance: what is kept, what is seen in it, and what is not.

mod load;
mod log;
mod plant;
mod replay;
mod service;
mod whole_loop;
