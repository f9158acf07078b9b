// Shows who holds which address.

import { bootId } from '../linux/boot-id.ts';
import { note } from '../linux/standard-error.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { defineCommand } from './command.ts';
import { type Holding, listHoldings, report, storeOptions } from './lease-stores.ts';
import { namespaceState } from './liveness.ts';
import { formatAge, formatTable } from './table.ts';

export const leasesList = defineCommand({
	name: 'leases list',
	summary: 'shows who holds which address',
	details: `NAMESPACE is alive while the container's network namespace is the one of the ADD, gone when it is not, and
unknown for an imported lease. An address in quarantine is nobody's: there, NAMESPACE says for how long, and
CONTAINER who had it; "leases release" ends it. BOOT says whether the lease is of this boot of the machine; no
container of an earlier one lives. What is in the store and is no lease is named on stderr, and the exit
status is 1.`,
	options: {
		...storeOptions,
		json: { type: 'boolean', about: 'an array of objects, one a lease, in place of the table' },
	},
	run({ json, ...values }) {
		const { holdings, problems } = listHoldings(values);
		const [thisBoot, now] = [bootId(), Date.now()];
		const rows = holdings.map((holding) => describeHolding(holding, thisBoot, now));
		if (json) writeStdout(`${JSON.stringify(rows, undefined, 2)}\n`);
		else if (rows.length > 0) writeStdout(tableOf(rows));
		else note('no leases');
		return report(problems);
	},
});

type Row = ReturnType<typeof describeHolding>;

/** What --json shows of a lease: these keys are for scripts, and stay. */
function describeHolding({ lease, quarantineSeconds }: Holding, thisBoot: string, now: number) {
	return {
		network: lease.network,
		address: lease.address,
		containerId: lease.containerId,
		interface: lease.ifname,
		since: new Date(lease.time).toISOString(),
		ageSeconds: Math.max(0, Math.floor((now - lease.time) / 1000)),
		netns: lease.netns,
		namespace: namespaceState(lease, thisBoot),
		boot: lease.bootId === thisBoot ? 'this' : 'earlier',
		quarantineSeconds,
	};
}

function tableOf(rows: readonly Row[]): string {
	return formatTable(
		['NETWORK', 'ADDRESS', 'CONTAINER', 'INTERFACE', 'AGE', 'NAMESPACE', 'BOOT'],
		rows.map((row) => [
			row.network,
			row.address,
			row.containerId,
			row.interface,
			formatAge(row.ageSeconds),
			// The one column that asks whether the address is in use.
			row.quarantineSeconds > 0 ? `quarantine ${formatAge(row.quarantineSeconds)}` : row.namespace,
			row.boot,
		]),
	);
}
