// A keeper on its own: reads states as lines of JSON, and tells each thing that it has done. Ends with its stdin. Its words:
// the address of the host, and where the records of rules are.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Report, startKeeper } from '../../src/agent/kernel/keeper.ts';
import { stateOfSnapshot } from '../../src/agent/master/cluster-state.ts';
import { keepNetworks, networkWishes } from '../../src/agent/plugin/network-records.ts';
import { openKernel } from '../../src/agent/kernel/kernel.ts';
import { findUnderlay } from '../../src/agent/kernel/underlay.ts';
import { wishOf } from '../../src/agent/wanted.ts';
import type { Snapshot } from '../../src/overlay/watch-wire.ts';

const [ip = '', directory = ''] = process.argv.slice(2);
const tell = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);
const shortened = ({ causes, actions, failures }: Report) => ({
	causes,
	actions: actions.map((action) => action.do),
	failures: failures.map(({ error }) => String(error)),
});

let asked = 0;
const keeper = startKeeper({
	vtep: 'vtep1024',
	onApplied: (report) => {
		if (asked === 0) tell(shortened(report));
	},
	onError: (error) => tell({ causes: [], actions: [], failures: [String(error)] }),
});

async function want(line: string): Promise<void> {
	const kernel = openKernel(performance.now() + 20_000);
	const state = stateOfSnapshot(JSON.parse(line) as Snapshot);
	const wish = wishOf(state, { ip, underlayMtu: findUnderlay(kernel.route, ip).mtu });
	kernel.close();
	if (wish === undefined) throw new Error(`the state knows no ${ip}`);
	await keepNetworks({ directory, backend: 'auto' }, networkWishes(state, ip), performance.now() + 20_000);
	asked++;
	const report = await keeper.want(wish.wanted);
	asked--;
	tell(shortened(report));
}

// Not one after the other: the next may come while the last is being brought about.
const lines = createInterface({ input: process.stdin }).on('line', (line) => void want(line));
await once(lines, 'close');
await keeper.stop();
const { user, system } = process.cpuUsage();
tell({ causes: [], actions: [], failures: [], cpuSeconds: (user + system) / 1e6 });
