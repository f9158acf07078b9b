// A keeper on its own: reads states as lines of JSON, and tells each thing that it has done. Ends with its stdin. Its words:
// the address of the host, and where the records of rules are.
import { createInterface } from 'node:readline';
import { type Report, startKeeper } from '../../src/agent/keeper.ts';
import { stateOfSnapshot } from '../../src/agent/cluster-state.ts';
import { keepNetworks, networkWishes } from '../../src/agent/network-records.ts';
import { openKernel } from '../../src/agent/kernel.ts';
import { findUnderlay } from '../../src/agent/underlay.ts';
import { wishOf } from '../../src/agent/wanted.ts';
import type { Snapshot } from '../../src/overlay/watch-wire.ts';

const [ip = '', directory = ''] = process.argv.slice(2);
const tell = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);
const shortened = ({ causes, actions, failures }: Report) => ({
	causes,
	actions: actions.map((action) => action.do),
	failures: failures.map(({ error }) => String(error)),
});

let isAsked = false;
const keeper = startKeeper({
	vtep: 'vtep1024',
	onApplied: (report) => {
		if (!isAsked) tell(shortened(report));
	},
	onError: (error) => tell({ causes: [], actions: [], failures: [String(error)] }),
});

for await (const line of createInterface({ input: process.stdin })) {
	const kernel = openKernel(performance.now() + 20_000);
	const state = stateOfSnapshot(JSON.parse(line) as Snapshot);
	const wish = wishOf(state, { ip, underlayMtu: findUnderlay(kernel.route, ip).mtu });
	kernel.close();
	if (wish === undefined) throw new Error(`the state knows no ${ip}`);
	await keepNetworks({ directory, backend: 'auto' }, networkWishes(state, ip), performance.now() + 20_000);
	isAsked = true;
	const report = keeper.want(wish.wanted);
	isAsked = false;
	tell(shortened(report));
}
keeper.stop();
const { user, system } = process.cpuUsage();
tell({ causes: [], actions: [], failures: [], cpuSeconds: (user + system) / 1e6 });
