//! How connections are shared out: among threads, and among kinds of work.

/// How many connections each kind of work may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// All restaurants together.
    pub(super) houses: usize,
    /// Of that, writes.
    pub(super) writes: usize,
    /// Of that, reads.
    pub(super) reads: usize,
    /// Writes of no restaurant.
    pub(super) untold: usize,
    /// Writes of one restaurant.
    pub(super) house_writes: usize,
    /// Reads of one restaurant.
    pub(super) house_reads: usize,
}

/// How many writes of one restaurant are worth having under way at once, however many connections
/// there are. They lock the same rows, so all but one wait in the end: one commits while the others
/// are on their way to the lock. Measured with 32 writers at one house, on two cores with everything
/// on them: one or two under way make 150 changes a second, three or four 180 to 200, twenty no more.
const USEFUL_WRITES: usize = 4;

impl Shares {
    /// Of so many connections, for all kinds of work.
    pub(super) fn new(connections: usize) -> Self {
        // As far as there are enough of them: one that no writer holds, one that no reader does, and
        // one that no restaurant does.
        let but = |count: usize| connections.saturating_sub(count).max(1);
        let houses = if connections < 5 { connections } else { but(1) };
        let writes = houses.saturating_sub(1).max(1);
        let reads = if connections < 3 { houses } else { writes };
        Self {
            houses,
            writes,
            reads,
            untold: (connections / 2).max(1),
            house_writes: most_of(writes).min(USEFUL_WRITES),
            house_reads: most_of(reads),
        }
    }

    /// Of so many connections to a server that is only read.
    pub(super) fn of_reads(connections: usize) -> Self {
        let reads = connections.saturating_sub(1).max(1);
        Self {
            houses: reads,
            writes: reads,
            reads,
            untold: 1,
            house_writes: 1,
            house_reads: most_of(reads),
        }
    }
}

/// What one restaurant may hold of what all have: a third is left for others.
fn most_of(all: usize) -> usize {
    all.saturating_sub((all / 3).max(1)).max(1)
}

/// How many connections each thread has for itself, and how many the others share: a quarter at
/// least. Where there would be less than two for a thread, all are shared.
pub(super) fn of_threads(connections: usize, threads: usize) -> (usize, usize) {
    let of_home = (connections * 3 / 4).checked_div(threads).unwrap_or(0);
    let of_home = if of_home < 2 { 0 } else { of_home };
    (of_home, connections - of_home * threads)
}

/// How many connections requests may hold, and how many whoever has no thread of his own: a command
/// has no threads, and all of them.
pub(super) fn of_sides(connections: usize, threads: usize) -> (usize, usize) {
    let (of_home, shared) = of_threads(connections, threads);
    match (threads, of_home) {
        (0, _) => (connections, connections),
        (_, 0) => {
            let requests = (connections * 3 / 4).max(1);
            (requests, connections.saturating_sub(requests).max(1))
        }
        _ => (of_home * threads, shared),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_and_none_is_lost() {
        assert_eq!(of_threads(20, 2), (7, 6));
        assert_eq!(of_threads(10, 2), (3, 4));
        assert_eq!(of_threads(10, 4), (0, 10), "one for a thread is too few");
        assert_eq!(of_threads(5, 2), (0, 5));
        assert_eq!(of_threads(1, 1), (0, 1));
        assert_eq!(of_threads(8, 0), (0, 8), "a command has no threads");
        for connections in 1..200 {
            for threads in 0..20 {
                let (of_home, shared) = of_threads(connections, threads);
                assert_eq!(of_home * threads + shared, connections);
                assert!(shared * 4 >= connections);
                let (requests, others) = of_sides(connections, threads);
                assert!(requests >= 1 && others >= 1);
                if threads > 0 && connections > 1 {
                    assert_eq!(requests + others, connections);
                }
            }
        }
    }

    /// One greedy house: whatever it does, each kind of work of the others has a connection.
    #[test]
    fn one_house_leaves_room_for_all_others() {
        for connections in 4..200 {
            let all = Shares::new(connections);
            assert!(all.house_writes < all.writes, "another writes: {all:?}");
            assert!(all.house_reads < all.reads, "another reads: {all:?}");
            assert!(all.writes < all.houses, "no writer can hold it: {all:?}");
            assert!(all.houses < connections || connections == 4, "{all:?}");
            assert!(all.untold * 2 <= connections, "{all:?}");
            let reads = Shares::of_reads(connections);
            assert!(reads.house_reads < reads.reads && reads.reads < connections);
        }
        for connections in 1..4 {
            let all = Shares::new(connections);
            let least = [all.houses, all.writes, all.reads, all.untold];
            assert!(least.iter().all(|share| *share >= 1), "{all:?}");
            assert!(all.writes < connections || connections == 1, "{all:?}");
        }
    }

    #[test]
    fn what_the_usual_pools_come_to() {
        let of = |connections| {
            let all = Shares::new(connections);
            (all.writes, all.house_writes, all.reads, all.house_reads)
        };
        assert_eq!(of(4), (3, 2, 3, 2));
        assert_eq!(of(6), (4, 3, 4, 3));
        assert_eq!(of(12), (10, 4, 10, 7));
    }
}
