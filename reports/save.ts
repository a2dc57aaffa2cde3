/**
 * Saves a report so that the previous one stays whole whatever happens: trace files first (their names hold a hash, so none is
 * overwritten by another), then report.json and what is made of it, all written beside before the first is renamed; old traces go last.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CampaignError } from '../explore/campaign/errors.js';
import { TRACE_NAME } from './traces.js';

export interface Saved {
  readonly report: string;
  readonly traces: ReadonlyMap<string, string>;
  /** What depends on the clock; not part of what is compared. */
  readonly timings: string;
  /** What is made of the report, by file name: the page, JUnit, SARIF, the summary. */
  readonly documents: ReadonlyMap<string, string>;
}

/** Makes sure that the folder can be written, before a campaign spends its time. @throws CampaignError RF-OUT, RF-OUT-FULL */
export function checkFolder(folder: string): void {
  guarded(folder, () => {
    mkdirSync(join(folder, 'traces'), { recursive: true });
    const probe = join(folder, `.probe-${process.pid}-${randomBytes(4).toString('hex')}`);
    try {
      writeWhole(probe, 'ringfence');
    } finally {
      rmSync(probe, { force: true });
    }
  });
}

/** Writes report.json, the documents, timings.json and traces/ into the folder. @throws CampaignError RF-OUT, RF-OUT-FULL */
export function saveReport(folder: string, saved: Saved): void {
  guarded(folder, () => {
    mkdirSync(join(folder, 'traces'), { recursive: true });
    const fresh: string[] = [];
    const existing = new Set(readdirSync(join(folder, 'traces')));
    try {
      for (const [name, text] of saved.traces) {
        replaceFile(join(folder, 'traces', name), text);
        if (!existing.has(name)) fresh.push(name);
      }
      replaceFiles(folder, new Map([['report.json', saved.report], ...saved.documents]));
    } catch (thrown) {
      // What did not get into a report is not left lying about.
      for (const name of fresh) rmSync(join(folder, 'traces', name), { force: true });
      throw thrown;
    }
    replaceFile(join(folder, 'timings.json'), saved.timings);
    for (const name of existing) {
      if (TRACE_NAME.test(name) && !saved.traces.has(name)) rmSync(join(folder, 'traces', name), { force: true });
    }
  });
}

/** Writes documents into a folder that is there already. @throws CampaignError RF-OUT, RF-OUT-FULL */
export function saveDocuments(folder: string, documents: ReadonlyMap<string, string>): void {
  guarded(folder, () => replaceFiles(folder, documents));
}

/** Replaces all of the files or, when one of them cannot be written, none. */
function replaceFiles(folder: string, files: ReadonlyMap<string, string>): void {
  const staged: (readonly [beside: string, path: string])[] = [];
  try {
    for (const [name, text] of files) {
      const beside = join(folder, `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
      staged.push([beside, join(folder, name)]);
      writeWhole(beside, text);
    }
    for (const [beside, path] of staged) renameSync(beside, path);
  } catch (thrown) {
    for (const [beside] of staged) rmSync(beside, { force: true });
    throw thrown;
  }
}

/** Writes beside, then renames: readers see the old file or the new one, never half of one. */
export function replaceFile(path: string, text: string): void {
  const beside = join(dirname(path), `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    writeWhole(beside, text);
    renameSync(beside, path);
  } catch (thrown) {
    rmSync(beside, { force: true });
    throw thrown;
  }
}

function writeWhole(path: string, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  const file = openSync(path, 'wx');
  try {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function guarded(folder: string, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      throw new CampaignError(
        'RF-OUT-FULL',
        `no space left for the report in ${folder}; the previous report is as it was`,
      );
    }
    const why = {
      EACCES: 'permission denied',
      EROFS: 'the file system is read-only',
      ENOTDIR: 'it is not a folder',
      EEXIST: 'it is not a folder',
    };
    const said = why[code as keyof typeof why] ?? (code || String(thrown));
    throw new CampaignError(
      'RF-OUT',
      `the report folder ${folder} cannot be written (${said}); name another with --out DIR`,
    );
  }
}
