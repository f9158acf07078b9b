import test from 'ava';
import type { ReservedAddress } from '../../src/cli/host-local-directory.ts';
import { planExport, planImport, planPrune } from '../../src/cli/migration.ts';
import type { Lease } from '../../src/ipam/lease.ts';

const boot = { id: 'now', time: 1000 };

function lease(address: string, containerId: string, changes: Partial<Lease> = {}): Lease {
	const rest = { ifname: 'eth0', index: 0, network: 'dcos', netns: '', bootId: boot.id, time: 2000 };
	return { address, containerId, ...rest, ...changes };
}

function file(address: string, containerId: string, { ifname = 'eth0', isExported = false, time = 2000 } = {}) {
	return { address, containerId, ifname, isExported, time, path: `/networks/dcos/${address}` };
}

function contents(...reserved: ReservedAddress[]) {
	return { reserved, broken: [] };
}

const brokenAt = (address: string) => ({ path: `/networks/dcos/${address}`, address, problem: 'empty' });

const imports = test.macro<[files: ReservedAddress[], leases: Lease[], actions: string[]]>(
	(t, files, leases, actions) => {
		t.deepEqual(
			planImport(contents(...files), leases, boot).map(({ action }) => action),
			actions,
		);
	},
);

test(
	'import: what is not leased is taken over',
	imports,
	[file('9.0.1.2', 'a'), file('fd00::2', 'a')],
	[],
	['take over', 'take over'],
);
test(
	'import: what is leased to the same stays',
	imports,
	[file('9.0.1.2', 'a')],
	[lease('9.0.1.2', 'a')],
	['leased already'],
);
test(
	'import: a file without an interface means eth0',
	imports,
	[{ ...file('9.0.1.2', 'a'), ifname: undefined }],
	[lease('9.0.1.2', 'a')],
	['leased already'],
);
test(
	'import: what is leased to another is a conflict',
	imports,
	[file('9.0.1.2', 'a')],
	[lease('9.0.1.2', 'b')],
	['conflict'],
);
test(
	'import: so is what is leased to another interface',
	imports,
	[file('9.0.1.2', 'a')],
	[lease('9.0.1.2', 'a', { ifname: 'eth1' })],
	['conflict'],
);
test(
	'import: a lease of an earlier boot is in nobody’s way',
	imports,
	[file('9.0.1.2', 'a')],
	[lease('9.0.1.2', 'b', { bootId: 'before' })],
	['take over'],
);
test('import: who is older than the boot is dead', imports, [file('9.0.1.2', 'a', { time: 999 })], [], ['dead']);
test(
	'import: unless it is leased in this boot',
	imports,
	[file('9.0.1.2', 'a', { time: 999 })],
	[lease('9.0.1.2', 'a')],
	['leased already'],
);

test('prune: imported leases without any file of their attachment go, one is given for all of them', (t) => {
	const pruned = planPrune(
		{ reserved: [file('9.0.1.3', 'b'), file('9.0.1.9', 'e')], broken: [brokenAt('9.0.1.4')] },
		[
			lease('9.0.1.2', 'a'),
			lease('fd00::2', 'a', { index: 1 }),
			lease('9.0.1.3', 'b'),
			lease('9.0.1.4', 'c'),
			lease('9.0.1.5', 'd', { netns: '/run/netns/d' }),
			lease('9.0.1.6', 'e'),
			lease('9.0.1.7', 'f', { bootId: 'before' }),
		],
		boot.id,
	);
	t.deepEqual(
		pruned.map(({ containerId }) => containerId),
		['a'],
	);
});

test('export: each lease and each file has one fate', (t) => {
	const plan = planExport(
		{
			reserved: [
				file('9.0.1.3', 'b'),
				file('9.0.1.4', 'another'),
				file('9.0.1.8', 'left', { isExported: true }),
				file('9.0.1.9', 'theirs'),
			],
			broken: [brokenAt('9.0.1.5')],
		},
		[
			lease('9.0.1.2', 'a'),
			lease('9.0.1.3', 'b'),
			lease('9.0.1.4', 'c'),
			lease('9.0.1.5', 'd'),
			lease('9.0.1.6', 'e', { bootId: 'before' }),
		],
		boot.id,
	);
	const addresses = (list: readonly { address: string }[]) => list.map(({ address }) => address);
	t.deepEqual(addresses(plan.write), ['9.0.1.2']);
	t.deepEqual(addresses(plan.present), ['9.0.1.3']);
	t.deepEqual(addresses(plan.dead), ['9.0.1.6']);
	t.deepEqual(addresses(plan.remove), ['9.0.1.8']);
	t.deepEqual(
		plan.conflicts.map(({ path, problem }) => `${path}: ${problem}`),
		['/networks/dcos/9.0.1.4: of container "another" (interface "eth0")', '/networks/dcos/9.0.1.5: empty'],
	);
});
