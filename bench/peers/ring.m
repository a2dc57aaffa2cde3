-- Descriptor ring with event thresholds, for Rumur: one producer and one consumer a ring, PAIRS independent rings.
-- Same actions, in the same order, as ring.pml, which names the Xen macros; the guard and effect table is in
-- bench/README.md. The constants are replaced by the bench. RECHECK_GATE = 0 drops the re-test (the gate switched off).

const
  SIZE: 2;
  INDEX: 4;
  PAYLOADS: 1;
  PAIRS: 2;
  RECHECK_GATE: 1;

type
  Pair: 0 .. PAIRS - 1;
  Index: 0 .. INDEX - 1;
  Slot: 0 .. SIZE - 1;
  Payload: 0 .. PAYLOADS;
  Producer: enum { IDLE, CHECK };
  Consumer: enum { RUN, HOLD, ARM, RECHECK, SLEEP };

var
  prodPvt: array [Pair] of Index;
  prod: array [Pair] of Index;
  old: array [Pair] of Index;
  event: array [Pair] of Index;
  cons: array [Pair] of Index;
  producer: array [Pair] of Producer;
  consumer: array [Pair] of Consumer;
  pending: array [Pair] of boolean;
  held: array [Pair] of Payload;
  slot: array [Pair] of array [Slot] of Payload;

function sub(a: Index; b: Index): Index; begin
  return (a + INDEX - b) % INDEX;
end;

function next(a: Index): Index; begin
  return (a + 1) % INDEX;
end;

function awake(p: Pair): boolean; begin
  return !(producer[p] = IDLE & consumer[p] = SLEEP & !pending[p] & prod[p] != cons[p]);
end;

startstate "init" begin
  for p: Pair do
    prodPvt[p] := 0;
    prod[p] := 0;
    old[p] := 0;
    event[p] := 1;
    cons[p] := 0;
    producer[p] := IDLE;
    consumer[p] := SLEEP;
    pending[p] := false;
    held[p] := 0;
    for s: Slot do slot[p][s] := 0; end;
  end;
end;

ruleset p: Pair do
  ruleset d: 1 .. PAYLOADS do
    rule "put" producer[p] = IDLE & sub(prodPvt[p], cons[p]) < SIZE ==> begin
      slot[p][prodPvt[p] % SIZE] := d;
      prodPvt[p] := next(prodPvt[p]);
    end;
  end;

  rule "push" producer[p] = IDLE & prodPvt[p] != prod[p] ==> begin
    old[p] := prod[p];
    prod[p] := prodPvt[p];
    producer[p] := CHECK;
  end;

  rule "check event" producer[p] = CHECK ==> begin
    pending[p] := pending[p] | sub(prod[p], event[p]) < sub(prod[p], old[p]);
    old[p] := 0;
    producer[p] := IDLE;
    assert "no lost wake-up" awake(p);
  end;

  rule "take" consumer[p] = RUN & prod[p] != cons[p] ==> begin
    held[p] := slot[p][cons[p] % SIZE];
    consumer[p] := HOLD;
    assert "no empty slot taken" held[p] != 0;
  end;

  rule "complete" consumer[p] = HOLD ==> begin
    slot[p][cons[p] % SIZE] := 0;
    cons[p] := next(cons[p]);
    held[p] := 0;
    consumer[p] := RUN;
  end;

  rule "find nothing" consumer[p] = RUN & prod[p] = cons[p] ==> begin
    consumer[p] := ARM;
  end;

  rule "arm" consumer[p] = ARM ==> begin
    event[p] := next(cons[p]);
    consumer[p] := RECHECK;
  end;

  rule "recheck" consumer[p] = RECHECK ==> begin
    if RECHECK_GATE = 1 & prod[p] != cons[p] then
      consumer[p] := RUN;
    else
      consumer[p] := SLEEP;
    end;
    assert "no lost wake-up" awake(p);
  end;

  rule "wake" consumer[p] = SLEEP & pending[p] ==> begin
    pending[p] := false;
    consumer[p] := RUN;
  end;
end;
