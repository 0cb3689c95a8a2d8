//! What futures weigh: what is alive across their awaits, and the futures in them.

use std::future::ready;
use std::hint::black_box;

/// One await, and nothing that is needed after it.
async fn light() -> u8 {
    ready(()).await;
    1
}

/// 1024 bytes are alive across the await.
async fn heavy() -> u8 {
    let bytes = black_box([1; 1024]);
    ready(()).await;
    bytes[0]
}

/// The same bytes, in a block that ends before the await.
async fn in_a_block() -> u8 {
    let first = {
        let bytes = black_box([1; 1024]);
        bytes[0]
    };
    ready(()).await;
    first
}

/// A future that awaits another contains it.
async fn outer() -> u8 {
    heavy().await
}

async fn outermost() -> u8 {
    outer().await
}

/// Holds a pointer to it.
async fn boxed() -> u8 {
    Box::pin(heavy()).await
}

fn main() {
    let weights = [
        ("light", size_of_val(&light())),
        ("heavy", size_of_val(&heavy())),
        ("in_a_block", size_of_val(&in_a_block())),
        ("outermost", size_of_val(&outermost())),
        ("boxed", size_of_val(&boxed())),
        ("two of them", size_of_val(&(heavy(), heavy()))),
        ("two in boxes", size_of_val(&(Box::pin(heavy()), Box::pin(heavy())))),
        ("a box of heavy", size_of_val(&Box::pin(heavy()))),
    ];
    let numbers: Vec<String> = weights.iter().map(|(name, bytes)| format!("{name} {bytes}")).collect();
    println!("bytes: {}", numbers.join(", "));
    let weight = |name: &str| weights.iter().find(|(other, _)| *other == name).map_or(0, |(_, bytes)| *bytes);
    println!("heavy holds its 1024 bytes: {}", weight("heavy") >= 1024);
    println!("in_a_block holds them: {}", weight("in_a_block") >= 1024);
    println!("outermost holds them: {}", weight("outermost") >= 1024);
    println!("boxed holds them: {}", weight("boxed") >= 1024);
}
