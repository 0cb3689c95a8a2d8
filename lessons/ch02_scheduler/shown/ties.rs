//! Twenty sleepers with the same deadline: what one `=` decides.

fn main() {
    let deadline = 3;
    let mut sleepers: Vec<(u64, u32)> = Vec::new();
    for task in 1..=20 {
        let place = sleepers.partition_point(|(other, _)| *other <= deadline);
        sleepers.insert(place, (deadline, task));
    }
    println!("<=  {}", tasks(&sleepers));

    let mut sleepers: Vec<(u64, u32)> = Vec::new();
    for task in 1..=20 {
        let place = sleepers.partition_point(|(other, _)| *other < deadline);
        sleepers.insert(place, (deadline, task));
    }
    println!("<   {}", tasks(&sleepers));
}

/// The tasks from the front of the list to its end.
fn tasks(sleepers: &[(u64, u32)]) -> String {
    let tasks: Vec<String> = sleepers.iter().map(|(_, task)| task.to_string()).collect();
    tasks.join(" ")
}
