/**
 * The kernel half seen from the rest of the system: it runs in the kernel, and the kernel serves all processes.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008): the kernel trusts the kernel half completely; 25 to 35 per cent of the code and
 * more stay in it.
 *
 * State: whether the kernel runs, and a process that wants something of it. Not kept by the design: anything, when the kernel half fails.
 */
import { type Machine, module, oneOf, operationOn, type State, table } from '../../kernel/index.js';

export const KERNEL_RUNS = 0;
export const PANICKED = 1;
export const SPINS = 2;

export const kernelHalfTables = {
  system: table([], { kernel: oneOf('runs', 'has panicked', 'spins in the kernel half') }),
  client: table([], { state: oneOf('idle', 'waits') }),
};

export type KernelHalf = Machine & State<typeof kernelHalfTables>;
const operation = operationOn<KernelHalf>();

/** A process that has nothing to do with the driver calls the kernel. */
export const askKernel = operation('process.ask', {
  agent: 'process',
  says: 'calls the kernel',
  where: { agent: (m) => m.client.state[0] === 0 },
  touches: (m, _op, may) => may.write(m.client),
  steps: {
    ask: (m) => {
      m.client.state[0] = 1;
    },
  },
});

/** The kernel serves it, if it runs. */
export const serveProcess = operation('process.served', {
  agent: 'kernel',
  says: 'serves the process',
  where: { agent: (m) => m.client.state[0] === 1 && m.system.kernel[0] === KERNEL_RUNS },
  touches: (m, _op, may) => may.write(m.client),
  steps: {
    serve: (m) => {
      m.client.state[0] = 0;
    },
  },
});

/** No scope. */
export const kernelHalf = module<KernelHalf, typeof kernelHalfTables>('kernel half', {
  tables: kernelHalfTables,
  operations: [askKernel, serveProcess],
});
