/**
 * A measuring process: reads a request, answers in a file. One process for each suite and gate, so that no subject's types spoil another's.
 * Started by run.ts with the flags of the gate; `node child.js <request file>`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { explain } from '../campaign/errors.js';
import { buildAt, loadSuite, loadSuites } from '../campaign/loading.js';
import { attribute } from './attribution.js';
import { STEADY_CALLS, steadyGate, strictGate, WARM_UP_CALLS } from './gates.js';
import { Meter, readControl } from './meter.js';
import type { Answer, Request } from './protocol.js';
import { type Recording, record } from './recording.js';
import { Replay } from './replay.js';

const STRICT_CONTROL_CALLS = 1_000;
const ATTRIBUTED_CALLS = 1_000;

async function answer(request: Request): Promise<Answer> {
  if (request.kind === 'list') {
    return { kind: 'list', suites: (await loadSuites(request.source)).map((s) => s.name) };
  }
  const s = await loadSuite(request.source, request.suite);
  const m = buildAt(s, s.scope.default);
  if (request.kind === 'record') {
    const smaller = s.scope.small === undefined ? undefined : buildAt(s, s.scope.small);
    return { kind: 'record', recording: record(m, request.options, smaller) };
  }
  const recording: Recording = (JSON.parse(readFileSync(request.recording, 'utf8')) as { recording: Recording })
    .recording;
  switch (request.kind) {
    case 'A': {
      const operations = strictGate(m, recording);
      return { kind: 'A', operations, control: readControl(STRICT_CONTROL_CALLS, 0) };
    }
    case 'B': {
      const { families, operations } = steadyGate(m, recording);
      return { kind: 'B', families, operations, control: readControl(STEADY_CALLS, WARM_UP_CALLS) };
    }
    case 'attribute': {
      const replay = new Replay(m, recording);
      const meter = new Meter(replay);
      const all = replay.all();
      meter.warm(all, request.gate === 'A' ? all.length : Math.max(WARM_UP_CALLS, 20 * all.length));
      const found = m.operations.filter((o) => request.operations.includes(o.op.name));
      const operations = found.map((o) => {
        const order = replay.ofOperation(o.index);
        return { operation: o.op.name, allocations: attribute(() => meter.warm(order, ATTRIBUTED_CALLS), 'drive') };
      });
      if (request.mix) {
        operations.push({ operation: '', allocations: attribute(() => meter.warm(all, ATTRIBUTED_CALLS), 'drive') });
      }
      return { kind: 'attribute', calls: ATTRIBUTED_CALLS, operations };
    }
  }
}

const file = process.argv[2];
if (file !== undefined) {
  const request = JSON.parse(readFileSync(file, 'utf8')) as Request;
  try {
    writeFileSync(request.answer, JSON.stringify(await answer(request)));
  } catch (thrown) {
    const { code, says } = explain(thrown, 'RF-SUITE-THREW');
    writeFileSync(request.answer, JSON.stringify({ kind: 'error', code, says } satisfies Answer));
  }
}
