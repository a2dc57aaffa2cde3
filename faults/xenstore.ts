/** H15: the number comes back. One mutant for each link of the chain, and what the quota needs. */
import { mutant } from '../drivers/suite.js';
import { CONTROL } from '../model/domains.js';
import { guardWith, OK, omit, replace } from '../model/kernel/index.js';
import { createNode, forgetDomain, permitNode, removeNode } from '../model/xenstore.js';

export const permissionKept = mutant('XSA-322', {
  says: 'permissions that name a dead domain stay, and the next domain of that id has them',
  source: 'H15, XSA-322 (Xen fcc17dc279)',
  edits: [omit(forgetDomain, 'remove its permissions')],
});
export const orphansToControl = mutant('XSA-419', {
  says: 'nodes of a dead domain become the control domain’s, which has no quota',
  source: 'H15, XSA-419 (Xen 94b2f97eaa)',
  edits: [
    replace(forgetDomain, 'remove its nodes', (m, op) => {
      for (let n = 0; n < m.node.rows; n++) {
        if (m.node.owner[n] !== op.target) continue;
        m.node.owner[n] = CONTROL;
        m.account.nodes[CONTROL]++;
      }
    }),
  ],
});
export const countKept = mutant('XSA-483', {
  says: 'the count of a dead domain stays, and the next domain of that id has less than its quota',
  source: 'H15, XSA-483 (Xen db0c7c98e2)',
  edits: [omit(forgetDomain, 'forget its count')],
});
export const removalNotCounted = mutant('removal not counted', {
  says: 'a removed node stays on the account of its owner',
  source: 'generated: omitted step',
  edits: [omit(removeNode, 'count it')],
});
export const anyonePermits = mutant('permission from anyone', {
  says: 'a domain opens the node of another',
  source: 'generated: omitted guard',
  edits: [omit(permitNode, 'check the owner')],
});
export const permittedUnborn = mutant('permission for the unborn', {
  says: 'a node is opened for an id that nobody has; whoever gets it may read',
  source: 'after XSA-322: ids that do not exist are refused',
  edits: [replace(permitNode, 'find the reader', () => OK)],
});
export const takenOver = mutant('node taken over', {
  says: 'creating a node that exists makes it the creator’s',
  source: 'generated: omitted guard',
  edits: [omit(createNode, 'look it up')],
});
export const deadPermits = mutant('permission from the dead', {
  says: 'a dead domain still opens nodes',
  source: 'generated: omitted guard',
  edits: [guardWith(permitNode, 'agent', undefined)],
});
export const livingForgotten = mutant('the living forgotten', {
  says: 'the daemon forgets a domain that is not dying',
  source: 'generated: omitted guard',
  edits: [guardWith(forgetDomain, 'target', (m, op) => m.account.known[op.target] === 1)],
});
