mod lines;
mod patterns;
mod properties;
