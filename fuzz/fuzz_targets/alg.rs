#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quirknat_fuzz::feed("alg", data));
