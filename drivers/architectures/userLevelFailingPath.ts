/**
 * The data path of a user-level driver that fails, with everything by which it comes back. For what the way back costs: nobody does here
 * what is not on it, the device works on what it was given, and the driver learns from an interrupt that it is done.
 */
import { closeDevice, mayClose, openDevice } from '../../model/architectures/userLevel/handles.js';
import {
  closeIrq,
  irqs,
  isOpen,
  killHung,
  openIrq,
  raiseIrq,
  readIrq,
  returnIrq,
} from '../../model/architectures/userLevel/interrupts.js';
import { mapCoherent, mapStreaming } from '../../model/architectures/userLevel/mappings.js';
import { allocatePage, exitPages } from '../../model/architectures/userLevel/pages.js';
import { answerRequest, type Service, service } from '../../model/architectures/userLevel/service.js';
import { DRIVER, heapFrame, type UserDrivers } from '../../model/architectures/userLevel/state.js';
import { domains, releaseDomain, runs } from '../../model/domains.js';
import { finishDma, freeSlot, iommu, issueDma } from '../../model/iommu/index.js';
import { type MachineDef, NONE } from '../../model/kernel/index.js';
import { bare, begins, driverHangs, driverKilled, driverSuspected, oneKind, userLevel } from './userLevelMachines.js';

type Path = Service & UserDrivers;

/** Whether the device has something to do. */
const given = (m: Path): boolean => m.unit.job[DRIVER] !== NONE && m.unit.done[DRIVER] === 0;

const driverAllocates = {
  ...allocatePage,
  where: {
    agent: (m: Path, op: { agent: number }) => op.agent === DRIVER && runs(m, DRIVER),
    frame: (m: Path, op: { frame: number }) => op.frame === heapFrame(m),
  },
};
const closedWhenDead = {
  ...closeDevice,
  where: { device: (m: Path, op: { device: number }) => !runs(m, DRIVER) && mayClose(m, op.device) },
};
const issuedWhenGiven = {
  ...issueDma,
  where: {
    ...issueDma.where,
    agent: (m: Path, op: { agent: number }) => given(m) && m.device.busMaster[op.agent] === 1 && freeSlot(m) >= 0,
  },
};
const raisedWhenDone = {
  ...raiseIrq,
  where: {
    irq: (m: Path, op: { irq: number }) =>
      m.unit.done[DRIVER] === 1 && isOpen(m, op.irq) && m.irq.masked[op.irq] === 0 && m.irq.raised[op.irq] === 0,
  },
};
const answeredWhenWoken = {
  ...answerRequest,
  where: {
    agent: (m: Path, op: { agent: number }) =>
      m.irqFile.working[m.irqFile.at(op.agent, 0)] === 1 && (answerRequest.where?.agent?.(m, op) ?? true),
  },
};

export const failingPathMachine: MachineDef = {
  name: 'user-level drivers, data path that fails',
  modules: [
    { ...domains, operations: [releaseDomain] },
    bare,
    { ...iommu, operations: [issuedWhenGiven, finishDma] },
    userLevel(
      'handles, mappings, pages',
      [openDevice, closedWhenDead, mapCoherent, mapStreaming, driverAllocates, exitPages],
      begins,
    ),
    {
      ...irqs,
      operations: [
        openIrq,
        raisedWhenDone,
        readIrq,
        returnIrq,
        closeIrq,
        driverKilled,
        driverHangs,
        driverSuspected,
        killHung,
      ],
    },
    {
      ...service,
      operations: service.operations.map((op) => (op.name === answerRequest.name ? answeredWhenWoken : op)),
    },
    oneKind,
  ],
};
