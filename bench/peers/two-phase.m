-- Two-phase commit after Lamport's TLA+ specification "TwoPhase", for Rumur. The constant N is replaced by the bench.
-- Same actions, in the same order, as two-phase.pml; the guard and effect table is in bench/README.md.

const
  N: 3;

type
  RM: 0 .. N - 1;
  RmState: enum { WORKING, PREPARED, COMMITTED, ABORTED };
  TmState: enum { TM_INIT, TM_COMMITTED, TM_ABORTED };

var
  rmState: array [RM] of RmState;
  tmState: TmState;
  tmPrepared: array [RM] of boolean;
  msgPrepared: array [RM] of boolean;
  msgCommit: boolean;
  msgAbort: boolean;

startstate "init" begin
  for r: RM do
    rmState[r] := WORKING;
    tmPrepared[r] := false;
    msgPrepared[r] := false;
  end;
  tmState := TM_INIT;
  msgCommit := false;
  msgAbort := false;
end;

rule "TMCommit" tmState = TM_INIT & forall r: RM do tmPrepared[r] end ==> begin
  tmState := TM_COMMITTED;
  msgCommit := true;
end;

rule "TMAbort" tmState = TM_INIT ==> begin
  tmState := TM_ABORTED;
  msgAbort := true;
end;

ruleset r: RM do
  rule "TMRcvPrepared" tmState = TM_INIT & msgPrepared[r] ==> begin
    tmPrepared[r] := true;
  end;

  rule "RMPrepare" rmState[r] = WORKING ==> begin
    rmState[r] := PREPARED;
    msgPrepared[r] := true;
  end;

  rule "RMChooseToAbort" rmState[r] = WORKING ==> begin
    rmState[r] := ABORTED;
  end;

  rule "RMRcvCommitMsg" msgCommit ==> begin
    rmState[r] := COMMITTED;
  end;

  rule "RMRcvAbortMsg" msgAbort ==> begin
    rmState[r] := ABORTED;
  end;
end;
