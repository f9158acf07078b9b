// Whether the stores that the benchmark writes are what the plugins take them for.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import test from 'ava';
import { hostLocalStore, ourStore } from '../../bench/lease-stores.ts';
import { decodeReservation } from '../../src/ipam/host-local.ts';
import { listAttachments, listLeases } from '../../src/ipam/leases.ts';
import { diedBefore, diedUnseen } from '../../src/ipam/liveness.ts';
import { kernel } from '../../src/ipam/system.ts';
import { processAt, temporaryDirectory } from '../ipam/stores.ts';

const holdings = [
	{ address: '9.0.0.2', containerId: 'c1' },
	{ address: '9.0.1.3', containerId: 'c2' },
];

test('our store holds each lease by address and by attachment, for root alone', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	ourStore('/proc/self/ns/net')(store.dataDirectory, store.network, holdings);
	const { found, problems } = listLeases(store);
	t.deepEqual(problems, []);
	t.deepEqual(
		found
			.map(({ address, containerId }) => ({ address, containerId }))
			.toSorted((a, b) => (a.address < b.address ? -1 : 1)),
		holdings,
	);
	t.is(listAttachments(store).found.length, holdings.length);
	t.is(statSync(`${store.addresses}/9.0.0.2`).mode & 0o777, 0o600);
	t.is(statSync(store.directory).mode & 0o777, 0o700);
});

test('the holders in our store are alive, and old enough to be looked at', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	ourStore('/proc/self/ns/net')(store.dataDirectory, store.network, holdings);
	const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	const { found } = listLeases(store);
	t.is(found.length, holdings.length);
	for (const lease of found) {
		t.is(diedBefore(bootId)(lease), undefined);
		t.is(diedUnseen(kernel, Date.now())(lease), undefined);
		const another = { ...lease, netns: '/proc/self/no-such-namespace' };
		t.regex(diedUnseen(kernel, Date.now())(another) ?? '', /is dead/);
	}
});

test("host-local's store has a file for each address that names its holder", (t) => {
	const directory = temporaryDirectory(t);
	hostLocalStore(directory, 'pool', holdings);
	t.deepEqual(readdirSync(`${directory}/pool`).toSorted(), ['9.0.0.2', '9.0.1.3']);
	const text = readFileSync(`${directory}/pool/9.0.0.2`, 'utf8');
	t.deepEqual(decodeReservation(text), { containerId: 'c1', ifname: 'eth0', isExported: false });
});
