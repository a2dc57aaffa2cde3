/**
 * Loads suites, in a worker: the embedded ones, or those that a user's module exports. Checks what it gets, because whoever wrote it may
 * have used plain JavaScript.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { embeddedSuites } from '../../drivers/catalogue.js';
import { isMutant, propertiesOf, type Suite } from '../../drivers/suite.js';
import {
  type AnyOperation,
  allGates,
  build,
  type Machine,
  type Scope,
  SpecificationError,
} from '../../model/kernel/index.js';
import type { AnyProperty } from '../../properties/property.js';
import { exploreExhaustively } from '../exhaustive.js';
import type { PropertyDescription, SuiteDescription, SuiteSource } from './described.js';
import { CampaignError, oneLine } from './errors.js';

/** Depth of the first look at a suite: how many states there are so near tells quick suites from long ones. */
const GLANCE_DEPTH = 2;

/** All suites of a source. Throws CampaignError when the module is no good. */
export async function loadSuites(source: SuiteSource): Promise<readonly Suite[]> {
  if (source.kind === 'embedded') return embeddedSuites;
  const { path } = source;
  checkCopy(path);
  let exported: Record<string, unknown>;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (thrown) {
    throw new CampaignError('RF-SUITE-MODULE', `${path} cannot be loaded: ${oneLine(thrown)}`);
  }
  const found = [...new Set(Object.values(exported).flatMap((v) => (Array.isArray(v) ? v : [v])))].filter(
    looksLikeSuite,
  );
  if (found.length === 0) {
    throw new CampaignError('RF-SUITE-MODULE', `${path} exports no suite; export what suite('name', {...}) returns`);
  }
  for (const s of found) checkSuite(path, s);
  return found;
}

/** The suite of that name. */
export async function loadSuite(source: SuiteSource, name: string): Promise<Suite> {
  const found = (await loadSuites(source)).find((s) => s.name === name);
  if (!found) throw new CampaignError('RF-SUITE-UNKNOWN', `no suite is named '${name}' any more`);
  return found;
}

/** Sorts and gates are numbered by the package's own code: a second copy of it would number them anew. */
function checkCopy(path: string): void {
  let theirs: string;
  try {
    theirs = realpathSync(createRequire(pathToFileURL(path)).resolve('ringfence'));
  } catch {
    return; // It does not import the package by name, or the import itself will say what is missing.
  }
  const ours = realpathSync(fileURLToPath(new URL('../../index.js', import.meta.url)));
  if (theirs !== ours) {
    throw new CampaignError(
      'RF-SUITE-COPY',
      `${path} uses another copy of ringfence (${theirs}); run that one, with npx beside it`,
    );
  }
}

function looksLikeSuite(value: unknown): value is Suite {
  return typeof value === 'object' && value !== null && 'machine' in value && 'claims' in value && 'scope' in value;
}

function checkSuite(path: string, s: Suite): void {
  const bad = (what: string): never => {
    throw new CampaignError('RF-SUITE-MODULE', `${path}: ${what}`);
  };
  if (typeof s.name !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,60}$/i.test(s.name)) {
    bad(`a suite is named '${String(s.name).slice(0, 60)}'; letters, digits, '-' and '_' are allowed`);
  }
  if (typeof s.scope?.default !== 'object') bad(`the suite '${s.name}' has no scope named default`);
  if (!Array.isArray(s.claims) || s.claims.length === 0) bad(`the suite '${s.name}' makes no claims`);
  for (const c of s.claims) {
    if (!Array.isArray(c.keeps) || c.keeps.length === 0) bad(`the claim '${c.says}' of '${s.name}' keeps no property`);
    for (const { off } of c.without) {
      if (!isMutant(off) && !allGates().includes(off))
        bad(`the claim '${c.says}' of '${s.name}' switches an unknown gate off`);
    }
  }
}

/** A machine of a suite. Throws CampaignError when a size does not fit the layout, SpecificationError when the parts do not. */
export function buildAt(s: Suite, scope: Scope, more: Omit<Parameters<typeof build>[1], 'scope'> = {}): Machine {
  const options = {
    schedule: s.schedule ?? 'whole',
    failures: s.failures ?? 'none',
    ...more,
    scope,
    gatesOff: [...(s.gatesOff ?? []), ...(more.gatesOff ?? [])],
    edits: [...(s.edits ?? []), ...(more.edits ?? [])],
  };
  const machine = build(s.machine, options);
  for (const f of machine.layout.fields) {
    const of = f.field.setOf;
    if (of && machine.size(of) > 8 * f.field.bytes) {
      const most = 8 * f.field.bytes;
      throw new CampaignError(
        'RF-SCOPE',
        `${s.name}: ${of.name}=${machine.size(of)} is too large; at most ${most} fit`,
      );
    }
  }
  return machine;
}

function describeProperty(p: AnyProperty): PropertyDescription {
  return { id: p.id, name: p.name, states: p.states, kind: p.kind, witnesses: Object.keys(p.witnesses) };
}

/** A suite as plain data; builds it once, so a specification that does not fit together is found here. */
export function describe(source: SuiteSource, s: Suite): SuiteDescription {
  const machine = buildAt(s, s.scope.default);
  const operations: AnyOperation[] = machine.operations.map((o) => o.op);
  const keys = new Set<string>();
  for (const p of propertiesOf(s)) {
    const key = `${p.id} ${p.name}`;
    if (keys.has(key)) throw new SpecificationError(`two properties of ${s.name} are called '${key}'`);
    keys.add(key);
  }
  const glance = exploreExhaustively(machine, {
    frameCondition: false,
    mayStop: () => true,
    maxDepth: GLANCE_DEPTH,
  });
  return {
    source,
    name: s.name,
    title: s.title,
    schedule: s.schedule ?? 'whole',
    failures: s.failures ?? 'none',
    scopes: s.scope,
    claims: s.claims.map((c) => ({
      says: c.says,
      expects: c.expects,
      keeps: c.keeps.map(describeProperty),
      against: c.against,
      without: c.without.map(({ off, breaks, scope }) => ({
        off: off.name,
        kind: isMutant(off) ? 'mutant' : 'gate',
        says: isMutant(off) ? off.says : '',
        source: isMutant(off) ? off.source : '',
        breaks: { id: breaks.id, name: breaks.name, kind: breaks.kind },
        scope,
      })),
    })),
    assumptions: s.assumptions,
    randomSteps: s.randomSteps ?? 60,
    faults: [...new Set(operations.flatMap((o) => (o.fault ? [o.fault] : [])))].sort(byNumber),
    operations: operations.length,
    stateBytes: machine.layout.byteCount,
    glance: glance.states,
  };
}

const byNumber = (a: string, b: string): number => Number(a.slice(1)) - Number(b.slice(1));
