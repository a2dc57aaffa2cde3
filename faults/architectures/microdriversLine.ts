/** The interrupt line of a microdriver that says more than there is (F7), and a handler that believes it. */
import { mutant } from '../../drivers/suite.js';
import {
  ANSWERED,
  COMPLETE,
  type DataPath,
  handleInterrupt,
  QUEUED,
} from '../../model/architectures/microdrivers/dataPath.js';
import { module, operationOn, replace } from '../../model/kernel/index.js';

const onPath = operationOn<DataPath>();

/** F7: an interrupt that stands for nothing, or a second one for the same thing. */
export const extraInterrupt = onPath('fault.extraInterrupt', {
  agent: 'device',
  says: 'raises its line although nothing new is complete',
  source: 'lines are shared and levels are sampled: a handler asks its device what is done',
  fault: 'F7',
  atomic: true,
  where: { agent: (m) => m.interrupt.raised[0] === 0 },
  touches: (m, _op, may) => may.write(m.interrupt),
  steps: {
    raise: (m) => {
      m.interrupt.raised[0] = 1;
    },
  },
});

export const lineFaults = module<DataPath, Record<never, never>>('interrupts for nothing', {
  tables: {},
  operations: [extraInterrupt],
});

export const lineBelieved = mutant('MD-line-believed', {
  says: 'the handler takes the line for the completion of whatever is queued',
  source: 'Ganapathy et al., ASPLOS 2008, the data path',
  edits: [
    replace(handleInterrupt, 'retire', (m) => {
      for (let r = 0; r < m.request.rows; r++) {
        if (m.request.state[r] === COMPLETE || m.request.state[r] === QUEUED) m.request.state[r] = ANSWERED;
      }
    }),
  ],
});
