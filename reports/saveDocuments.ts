/** Saves what is made of a report, each file beside and renamed. */
import { join } from 'node:path';
import { replaceFile } from './save.js';

export function saveDocuments(folder: string, documents: ReadonlyMap<string, string>): void {
  for (const [name, text] of documents) replaceFile(join(folder, name), text);
}
