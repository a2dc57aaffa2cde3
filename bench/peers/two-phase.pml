/*
 * Two-phase commit after Lamport's TLA+ specification "TwoPhase", for SPIN. N resource managers (1 to 9), given as -DN=8.
 *
 * One process and one `do`: every action instance is one option, every option is one d_step, so that what SPIN calls
 * a transition is exactly one firing of one enabled action. An action that changes nothing is still a firing.
 * The guard and effect table is in bench/README.md; two-phase.m holds the same actions in the same order.
 */
#ifndef N
#define N 3
#endif

#define WORKING 0
#define PREPARED 1
#define COMMITTED 2
#define ABORTED 3

#define INIT 0
/* The set of all resource managers, as a bit mask. */
#define ALL ((1 << N) - 1)

byte rmState[N];
byte tmState;
short tmPrepared;   /* mask of those whose Prepared message the manager has taken */
short msgPrepared;  /* mask of those whose Prepared message was sent; messages are never removed */
bool msgCommit;
bool msgAbort;

#define RM(r) \
  :: d_step { (tmState == INIT && (msgPrepared & (1 << r))) -> tmPrepared = tmPrepared | (1 << r) } \
  :: d_step { (rmState[r] == WORKING) -> rmState[r] = PREPARED; msgPrepared = msgPrepared | (1 << r) } \
  :: d_step { (rmState[r] == WORKING) -> rmState[r] = ABORTED } \
  :: d_step { (msgCommit) -> rmState[r] = COMMITTED } \
  :: d_step { (msgAbort) -> rmState[r] = ABORTED }

active proctype twoPhase() {
  do
  :: d_step { (tmState == INIT && tmPrepared == ALL) -> tmState = COMMITTED; msgCommit = 1 }
  :: d_step { (tmState == INIT) -> tmState = ABORTED; msgAbort = 1 }
  RM(0)
#if N > 1
  RM(1)
#endif
#if N > 2
  RM(2)
#endif
#if N > 3
  RM(3)
#endif
#if N > 4
  RM(4)
#endif
#if N > 5
  RM(5)
#endif
#if N > 6
  RM(6)
#endif
#if N > 7
  RM(7)
#endif
#if N > 8
  RM(8)
#endif
  od
}
