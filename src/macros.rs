//! What would else be written many times: a `Debug` that shows no insides, an error of one sentence.

/// `Debug` by name and by what some methods answer: the rest is another thread's, or means nothing.
macro_rules! shows {
    ($($type:ident $(<$($generic:ident),+>)? { $($method:ident),* })+) => {
        $(impl $(<$($generic),+>)? std::fmt::Debug for $type $(<$($generic),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))$(.field(stringify!($method), &self.$method()))*.finish_non_exhaustive()
            }
        })+
    };
}

/// An error whose text is always the same.
macro_rules! says {
    ($type:ident $(<$generic:ident>)?, $sentence:literal) => {
        impl $(<$generic>)? std::fmt::Display for $type $(<$generic>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($sentence)
            }
        }

        impl $(<$generic>)? std::error::Error for $type $(<$generic>)? {}
    };
}
