/*
 * Descriptor ring with event thresholds, for SPIN: one producer and one consumer a ring, PAIRS independent rings.
 *
 * Follows RING_PUSH_REQUESTS_AND_CHECK_NOTIFY and RING_FINAL_CHECK_FOR_REQUESTS of Xen's public/io/ring.h, each cut into
 * one step for every access to shared memory. Indices run free modulo INDEX; a slot is 0 when empty.
 * The guard and effect table is in bench/README.md; ring.m holds the same actions in the same order.
 *
 * Parameters (-D): SIZE slots (power of two), INDEX (power of two, at least SIZE + 2), PAYLOADS (1 or 2), PAIRS (1 to 3).
 * -DNO_RECHECK drops the re-test after req_event is published: the gate switched off, which loses a wake-up.
 */
#ifndef SIZE
#define SIZE 2
#endif
#ifndef INDEX
#define INDEX 4
#endif
#ifndef PAYLOADS
#define PAYLOADS 1
#endif
#ifndef PAIRS
#define PAIRS 2
#endif

#define SUB(a, b) (((a) - (b)) & (INDEX - 1))
#define NEXT(a) (((a) + 1) & (INDEX - 1))
#define SLOT(p, a) slot[(p) * SIZE + ((a) & (SIZE - 1))]

/* producer */
#define IDLE 0
#define CHECK 1
/* consumer */
#define RUN 0
#define HOLD 1
#define ARM 2
#define RECHECK 3
#define SLEEP 4

byte prodPvt[PAIRS];   /* producer's private index: requests written, not yet pushed */
byte prod[PAIRS];      /* shared req_prod */
byte old[PAIRS];       /* register of the push in progress: req_prod before it; 0 outside CHECK */
byte event[PAIRS] = 1; /* shared req_event; SHARED_RING_INIT sets the indices to 0 and the threshold to 1 */
byte cons[PAIRS];      /* consumer's index; responses are published with it, so rsp_prod is the same number */
byte producer[PAIRS];
byte consumer[PAIRS] = SLEEP;
bool pending[PAIRS];   /* the interrupt */
byte held[PAIRS];      /* the consumer's copy of the request in hand; 0 outside HOLD */
byte slot[SIZE * PAIRS];

#define AWAKE(p) !(producer[p] == IDLE && consumer[p] == SLEEP && !pending[p] && prod[p] != cons[p])

#ifdef NO_RECHECK
#define AFTER_RECHECK(p) SLEEP
#else
#define AFTER_RECHECK(p) (prod[p] != cons[p] -> RUN : SLEEP)
#endif

#define PUT(p, d) \
  :: d_step { (producer[p] == IDLE && SUB(prodPvt[p], cons[p]) < SIZE) -> SLOT(p, prodPvt[p]) = d; prodPvt[p] = NEXT(prodPvt[p]) }

#define PAIR(p) \
  :: d_step { (producer[p] == IDLE && prodPvt[p] != prod[p]) -> old[p] = prod[p]; prod[p] = prodPvt[p]; producer[p] = CHECK } \
  :: d_step { (producer[p] == CHECK) -> \
       pending[p] = pending[p] || (SUB(prod[p], event[p]) < SUB(prod[p], old[p])); \
       old[p] = 0; producer[p] = IDLE; assert(AWAKE(p)) } \
  :: d_step { (consumer[p] == RUN && prod[p] != cons[p]) -> \
       held[p] = SLOT(p, cons[p]); consumer[p] = HOLD; assert(held[p] != 0) } \
  :: d_step { (consumer[p] == HOLD) -> SLOT(p, cons[p]) = 0; cons[p] = NEXT(cons[p]); held[p] = 0; consumer[p] = RUN } \
  :: d_step { (consumer[p] == RUN && prod[p] == cons[p]) -> consumer[p] = ARM } \
  :: d_step { (consumer[p] == ARM) -> event[p] = NEXT(cons[p]); consumer[p] = RECHECK } \
  :: d_step { (consumer[p] == RECHECK) -> consumer[p] = AFTER_RECHECK(p); assert(AWAKE(p)) } \
  :: d_step { (consumer[p] == SLEEP && pending[p]) -> pending[p] = 0; consumer[p] = RUN }

#if PAYLOADS > 1
#define PUTS(p) PUT(p, 1) PUT(p, 2)
#else
#define PUTS(p) PUT(p, 1)
#endif

active proctype ring() {
  do
  PUTS(0)
  PAIR(0)
#if PAIRS > 1
  PUTS(1)
  PAIR(1)
#endif
#if PAIRS > 2
  PUTS(2)
  PAIR(2)
#endif
  od
}
