import { teardownOrders } from '../../explore/teardownOrders.js';
import { FIVE_STEPS, MICRO_STEPS } from './teardownOrders.js';
for (const [steps, drains] of [[FIVE_STEPS, true], [FIVE_STEPS, false], [MICRO_STEPS, true], [MICRO_STEPS, false]] as const) {
  const t = Date.now();
  const v = teardownOrders(steps, drains);
  console.log(v.length, drains, 'accepted', v.filter((x) => x.accepted).length, 'legal', v.filter((x) => x.legal).length, 'differ', v.filter((x) => x.legal !== x.accepted).map((x) => `${x.order.join('<')} ${x.accepted} ${x.breaks} ${x.why}`), Date.now() - t, 'ms');
}
