/** Where in the sources a step is. */
import { isAbsolute, relative, resolve } from 'node:path';

export interface Place {
  /** Path with '/', from the folder that the campaign ran in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Two folders, absolute. */
export interface Roots {
  /** The one that relative paths of a report begin at. */
  readonly from: string;
  /** The one that readers begin at: that of the repository. */
  readonly root: string;
}

/** A path as readers of the repository know it, with '/'. */
export function toldFrom(path: string, { from, root }: Roots): string {
  const told = isAbsolute(path) || from !== root ? relative(root, resolve(from, path)) : path;
  return told.replaceAll('\\', '/');
}

/** The folder of the repository: what the runner of a workflow says, when this folder is in it. */
export function rootsAt(folder: string, workspace: string | undefined): Roots {
  const inside = workspace !== undefined && workspace !== '' && !relative(workspace, folder).startsWith('..');
  return { from: folder, root: inside ? workspace : folder };
}
